"""Pictures and questions that a user names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from common.data.vision import Sample
from common.data.vision.opening import check_images
from common.data.vision.source import ImageError, ImageSource
from step4_vision_language.texts import IMAGE

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Files of a folder that are taken for pictures."""


@dataclass(frozen=True)
class RunOptions:
    """A run, and how it is used."""

    run: Path
    """Folder of a finished run."""
    batch_size: int = 16
    """Pictures or texts that are worked on at once."""
    device: str = "auto"
    """cpu, cuda, mps or auto."""
    skip_bad: bool = False
    """Leave out what has a bad picture, and say so; otherwise it is an error."""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError("batch_size must be at least 1")


def samples_of(
    image: Path | None, folder: Path | None, batch: Path | None, question: str | None, skip_bad: bool, max_pixels: int
) -> list[Sample]:
    """The pictures, each with its question, in order.

    Args:
        image, folder, batch: one of them says where the pictures are.
        question: asked of every picture that brings none of its own; None: nothing is asked.
        skip_bad: leave out what has a bad picture.
        max_pixels: largest width x height of a picture.

    Raises:
        ImageError: bad pictures, where they are not to be left out; or no good one.
        ValueError: a line of the batch that says no picture, or an answer without a question.
    """
    asked = (question or "").strip()
    if batch is not None:
        samples = [_sample_of(batch, number, line, asked) for number, line in lines_of(batch)]
    else:
        paths = pictures_in(folder) if folder is not None else [image]
        samples = [Sample(str(path), (ImageSource(str(path)),), question=asked) for path in paths]
    for sample in samples:
        if question is not None and not sample.question:
            raise ValueError(f"{sample.id}: no question; give --question, or one in its line of --batch")
    return good(samples, skip_bad, max_pixels)


def _sample_of(batch: Path, number: int, line: str, asked: str) -> Sample:
    place = f"{batch}, line {number}"
    try:
        row = json.loads(line)
        names, question = row["image"], row.get("question", "") or asked
        names = [names] if isinstance(names, str) else names
        if not names or not isinstance(question, str):
            raise ValueError("an empty list, or a question that is no text")
        images = tuple(ImageSource(str(batch.parent / name)) for name in names)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        wanted = 'write {"image": path or list of paths, "question": optional}'
        raise ValueError(f"{place}: says no pictures ({error!r}); {wanted}") from error
    return Sample(place, images, question=question.strip())


def texts_of(batch: Path) -> list[str]:
    """The texts of a batch whose lines have {"text": "…"}, in order.

    Raises:
        ValueError: a line that says no text.
    """
    found = []
    for number, line in lines_of(batch):
        try:
            text = json.loads(line)["text"].strip()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            text, reason = "", error
        else:
            reason = "empty"
        if not text:
            raise ValueError(f'{batch}, line {number}: says no text ({reason!r}); write {{"text": "what is shown"}}')
        found.append(text)
    return found


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, in the order of their names.

    Raises:
        FileNotFoundError: there is no such folder, or no picture in it.
    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [path for path in files if path.suffix.lower() in ENDINGS and not path.name.startswith(".")]
    if not found:
        raise FileNotFoundError(f"{folder} is no folder with pictures; known endings are {' '.join(ENDINGS)}")
    return found


def lines_of(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not empty, each with its number.

    Raises:
        ValueError: it is not UTF-8, or empty.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error}); save it as UTF-8") from error
    found = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise ValueError(f"{path} is empty; write something on its lines")
    return found


def good(samples: Sequence[Sample], skip: bool, max_pixels: int) -> list[Sample]:
    """The samples whose pictures can all be read and have at most `max_pixels`; where `skip`, the others are counted on
    the terminal.

    Raises:
        ImageError: bad pictures, unless `skip`; or nothing is left.
    """
    kept, bad = check_images(samples, skip=True, depth="pixels", max_pixels=max_pixels)
    listed = "\n  ".join(item.reason for item in bad[:5])
    if bad and not (skip and kept):
        todo = "leave them out with --skip-bad" if kept else "nothing would be left without them"
        raise ImageError(f"bad pictures: {len(bad)}\n  {listed}\nRepair or remove them; {todo}")
    if bad:
        told = f"{len(samples) - len(kept)} of {len(samples)} left out, bad pictures: {len(bad)}\n  {listed}"
        Console(stderr=True).print(Text(told), soft_wrap=True)
    return kept


def as_turn(sample: Sample) -> Sample:
    """A question as the first turn of a conversation."""
    told = IMAGE * len(sample.images) + f"\n{sample.question}"
    return replace(sample, question="", turns=(("human", told),)) if sample.question else sample
