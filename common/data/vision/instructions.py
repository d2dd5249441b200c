"""Instruction data in the layout of LLaVA (Liu et al. 2023): conversations about pictures, one's own or public."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.data.files import COMPRESSIONS, read_lines, read_text
from common.data.vision.pictures import Pictures
from common.data.vision.sample import SPLITS, DataError, RawVision, Sample, VisionDataConfig, register_vision
from common.data.vision.split import hold_out_images

MARK = "<image>"
"""Stands in a human turn where a picture is shown."""
SPEAKERS = {"human": "human", "user": "human", "assistant": "assistant", "gpt": "assistant"}
NAMES = {"train": ("train",), "validation": ("validation", "val", "dev"), "test": ("test",)}


@register_vision("instructions")
def load_instructions(config: VisionDataConfig) -> RawVision:
    """`path` is a JSON or JSONL file, or a folder with train, validation and test ones; pictures lie beside them or in
    ``images/``. Missing splits are held out by picture, `validation_fraction` each.
    """
    path = Path(config.path).expanduser()
    if not config.path or not path.exists():
        raise DataError(
            f"instructions need `path`, a JSON or JSONL file of conversations or a folder with train.json; got {path}"
        )
    files = {"train": path} if path.is_file() else _files(path)
    splits = {split: read_instructions(file) for split, file in files.items()}
    held = [split for split in SPLITS if split not in splits]
    for offset, split in enumerate(held):
        splits["train"], splits[split] = hold_out_images(
            splits["train"], config.validation_fraction, config.seed + offset
        )
    source = str(path) + (f"; {' and '.join(held)} held out by picture, seed {config.seed}" if held else "")
    return RawVision(source, "conversation", splits)


def read_instructions(path: Path) -> list[Sample]:
    """Conversations of one file.

    An entry is ``{"image": path or list of paths, "conversations": [{"from": "human", "value": "<image>\\n..."},
    {"from": "assistant" or "gpt", "value": ...}]}``, optionally with an ``id``.

    Raises:
        DataError: not of this layout, turns that do not alternate beginning with a human one, or another number of
            marks than pictures; names the entry.
    """
    folder = path.parent
    pictures = Pictures(folder, ("images" if (folder / "images").is_dir() else "",))
    samples = []
    for number, entry in enumerate(_entries(path), 1):
        place = f"{path}, entry {number}"
        if not isinstance(entry, dict):
            raise DataError(f"{place}: not an object with image and conversations")
        named = entry.get("image") or []
        named = [named] if isinstance(named, str) else named
        if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
            raise DataError(f"{place}: `image` must be a path or a list of paths")
        turns = _turns(entry.get("conversations"), place)
        marks = sum(text.count(MARK) for _, text in turns)
        if marks != len(named):
            raise DataError(f"{place}: {marks} marks {MARK} but {len(named)} pictures; they must be as many")
        images = tuple(pictures.find(name) for name in named)
        samples.append(Sample(str(entry.get("id", f"{path.stem}-{number}")), images, turns=turns))
    return samples


def _turns(conversation: Any, place: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(conversation, list) or not conversation:
        raise DataError(f"{place}: no list `conversations`")
    turns = []
    for position, turn in enumerate(conversation):
        try:
            speaker, text = SPEAKERS[turn["from"]], str(turn["value"])
        except (KeyError, TypeError) as error:
            raise DataError(f"{place}, turn {position + 1}: missing or unknown {error}") from error
        if speaker != ("human", "assistant")[position % 2]:
            raise DataError(f"{place}, turn {position + 1}: turns must alternate, human first")
        if speaker == "assistant" and MARK in text:
            raise DataError(f"{place}, turn {position + 1}: {MARK} stands in an answer; only a human shows pictures")
        turns.append((speaker, text))
    if len(turns) % 2:
        raise DataError(f"{place}: the last human turn has no answer")
    return tuple(turns)


def _entries(path: Path) -> list[Any]:
    kind = (path.with_suffix("") if path.suffix in COMPRESSIONS[1:] else path).suffix
    if kind == ".jsonl":
        return [_parsed(path, number, line) for number, line in enumerate(read_lines(path), 1) if line.strip()]
    found = _parsed(path, 1, read_text(path))
    if not isinstance(found, list):
        raise DataError(f"{path} holds no list of conversations")
    return found


def _parsed(path: Path, line: int, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {line + error.lineno - 1}: not JSON ({error.msg})") from error


def _files(folder: Path) -> dict[str, Path]:
    files = {}
    for split, names in NAMES.items():
        candidates = [folder / f"{n}{k}{c}" for n in names for k in (".json", ".jsonl") for c in COMPRESSIONS]
        found = [path for path in candidates if path.is_file()]
        if len(found) > 1:
            raise DataError(f"{folder} has several files for one split: {', '.join(p.name for p in found)}; keep one")
        if found:
            files[split] = found[0]
    if "train" not in files:
        raise DataError(f"{folder} has neither train.json nor train.jsonl")
    return files
