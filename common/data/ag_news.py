"""AG News (Zhang, Zhao & LeCun 2015): four topics, no official validation split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common.data.files import find_split, folder_of, read_table
from common.data.folder import label_splits, read_splits
from common.data.hub import load_hub
from common.data.text import Corpus, DataConfig, DataError, register_dataset

NAMES = ("World", "Sports", "Business", "Sci/Tech")
SIZES = {"train": (120000,), "test": (7600,)}


@register_dataset("ag_news")
def load_ag_news(config: DataConfig) -> Corpus:
    """From a folder (columns text, label; or the original csv: class 1–4, title, description) or from the hub."""
    if config.path:
        folder = folder_of(config.path)
        rows = _original(folder) or read_splits(folder)
        splits, _ = label_splits(rows, str(folder), NAMES)
        return Corpus(f"folder {folder}", splits, NAMES, SIZES)
    splits, _, source = load_hub(
        "fancyzhx/ag_news",
        {"train": "train", "test": "test"},
        ("text", "label"),
        "give `path` a folder with train.csv and test.csv, either as published or with the columns text, label",
    )
    return Corpus(source, splits, NAMES, SIZES)


def _original(folder: Path) -> dict[str, list[tuple[str, Any]]]:
    """Rows of the published files, which have no header; empty when the folder holds another format."""
    rows = {}
    for split in ("train", "test"):
        path = find_split(folder, (split,))
        if path is None or ".csv" not in path.suffixes:
            return {}
        table = read_table(path, header=False)
        if not table or len(table[0]) != 3 or table[0]["0"] not in ("1", "2", "3", "4"):
            return {}
        rows[split] = []
        for number, row in enumerate(table, 1):
            if row["0"] not in ("1", "2", "3", "4"):
                raise DataError(f"{path}, example {number}: class {row['0']!r} is not one of 1–4")
            rows[split].append((f"{row['1']} {row['2']}", int(row["0"]) - 1))
    return rows
