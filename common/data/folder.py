"""Any folder of train, validation (or dev) and test tables with the columns text and label."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from common.data.files import COMPRESSIONS, FORMATS, find_split, folder_of, read_table
from common.data.text import Corpus, DataConfig, DataError, TextSplit, register_dataset

NAMES = {"train": ("train",), "validation": ("validation", "dev", "valid", "val"), "test": ("test",)}


@register_dataset("folder")
def load_folder(config: DataConfig) -> Corpus:
    """csv, tsv, jsonl or parquet, also .gz, .xz, .bz2 or .zst; labels are whole numbers from 0, or names."""
    if not config.path:
        raise DataError("the dataset 'folder' needs `path` (command line: --data.path FOLDER)")
    folder = folder_of(config.path)
    rows = read_splits(folder)
    splits, names = label_splits(rows, str(folder))
    return Corpus(f"folder {folder}", splits, names)


def read_splits(folder: Path) -> dict[str, list[tuple[str, Any]]]:
    """(text, raw label) of every split in the folder; validation may be missing.

    Raises:
        DataError: when train or test, or one of the columns, is missing.
    """
    rows = {}
    for split, names in NAMES.items():
        path = find_split(folder, names)
        if path is not None:
            rows[split] = _text_and_label(path)
        elif split != "validation":
            raise DataError(
                f"{folder} has no {split} file; expected {split} + one of {', '.join(FORMATS)}, "
                f"optionally compressed ({', '.join(COMPRESSIONS[1:])})"
            )
    return rows


def label_splits(
    rows: dict[str, list[tuple[str, Any]]], source: str, names: tuple[str, ...] = ()
) -> tuple[dict[str, TextSplit], tuple[str, ...]]:
    """Turn raw labels into indices: whole numbers stand for themselves, names are numbered in sorted order.

    Args:
        rows: split -> (text, raw label).
        source: for error messages.
        names: the label names, when they are known; labels may then be names or indices.

    Raises:
        DataError: when a split has a label that training lacks, or labels mix numbers and names.
    """
    numbers = {split: [_whole(label) for _, label in examples] for split, examples in rows.items()}
    numeric = {split: sum(n is not None for n in found) for split, found in numbers.items()}
    if all(numeric[split] == len(rows[split]) for split in rows):
        found = {split: [n for n in values if n is not None] for split, values in numbers.items()}
        classes = len(names) or max(found["train"], default=-1) + 1
        if classes > len(set(found["train"])) and not names:
            raise DataError(
                f"{source}: the largest whole-number label in training is {classes - 1}, but only "
                f"{len(set(found['train']))} different ones occur; number the classes from 0 without gaps, or use names"
            )
        names = names or tuple(str(k) for k in range(classes))
    elif any(numeric.values()):
        raise DataError(f"{source}: some labels are whole numbers and some are not; use one kind")
    else:
        names = names or tuple(sorted({str(label) for _, label in rows["train"]}))
        index = {name: k for k, name in enumerate(names)}
        strange = {split: {str(label) for _, label in examples} - set(index) for split, examples in rows.items()}
        for split, labels in strange.items():
            if labels:
                raise DataError(f"{source}: {split} has labels that are unknown: {', '.join(sorted(labels)[:5])}")
        found = {split: [index[str(label)] for _, label in examples] for split, examples in rows.items()}
    splits = {
        split: TextSplit(tuple(text for text, _ in examples), tuple(found[split])) for split, examples in rows.items()
    }
    return splits, names


def _text_and_label(path: Path) -> list[tuple[str, Any]]:
    table = read_table(path)
    examples = []
    for number, row in enumerate(table, 1):
        for column in ("text", "label"):
            if row.get(column) is None or row[column] == "" and column == "label":
                raise DataError(f"{path}, example {number}: no {column}; columns are {', '.join(map(str, row))}")
        if isinstance(row["label"], float) and not math.isfinite(row["label"]):
            raise DataError(f"{path}, example {number}: the label {row['label']} is no class")
        if not isinstance(row["text"], str):
            raise DataError(f"{path}, example {number}: the text is not a string but {row['text']!r}")
        examples.append((row["text"], row["label"]))
    return examples


def _whole(label: Any) -> int | None:
    if isinstance(label, bool):
        return int(label)
    if isinstance(label, (int, float)):
        return int(label) if label == int(label) else None
    return int(label) if isinstance(label, str) and re.fullmatch(r"\s*-?[0-9]+\s*", label) else None
