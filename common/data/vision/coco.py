"""COCO captions (Lin et al. 2014): photographs with five captions each, official files or Karpathy's splits."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common.data.files import folder_of, read_text
from common.data.vision.karpathy import karpathy_file, read_karpathy
from common.data.vision.pictures import Pictures
from common.data.vision.sample import DataError, RawVision, Sample, VisionDataConfig, register_vision

YEARS = ("2017", "2014")
HELD_OUT = 5000
"""Validation pictures taken from the end of the official training set."""
_ADVICE = (
    "download annotations_trainval2017.zip, train2017.zip and val2017.zip from https://cocodataset.org/#download and "
    "give `path` a folder with annotations/, train2017/ and val2017/ (the pictures may stay in train2017.zip and "
    "val2017.zip); or one with dataset_coco.json (Karpathy's splits) beside train2014/ and val2014/"
)


@register_vision("coco")
def load_coco(config: VisionDataConfig) -> RawVision:
    """Karpathy's splits where ``dataset_coco.json`` is in the folder; else the official val is test, since the captions
    of the official test are not public, and the last 5,000 training pictures by id are validation.
    """
    if not config.path:
        raise DataError(f"coco has no default place: {_ADVICE}")
    folder = folder_of(config.path)
    listed = karpathy_file(folder, "coco")
    if listed:
        # Entries say filepath "val2014" and so on, so the pictures lie in folders beside the file, or in images/.
        place = "images" if (folder / "images").is_dir() else ""
        return RawVision(f"{listed}", "caption", read_karpathy(listed, Pictures(folder, (place,))))
    year = next((y for y in YEARS if (folder / "annotations" / f"captions_train{y}.json").is_file()), None)
    if year is None:
        raise DataError(f"{folder} has no annotations/captions_train2017.json: {_ADVICE}")
    parts = {}
    for part in ("train", "val"):
        pictures = Pictures(folder, (f"{part}{year}", f"images/{part}{year}"))
        parts[part] = read_official(folder / "annotations" / f"captions_{part}{year}.json", pictures)
    train, validation = last_held_out(parts["train"], HELD_OUT)
    source = f"folder {folder} (COCO {year}; test = official val, validation = last {HELD_OUT} of train by id)"
    return RawVision(source, "caption", {"train": train, "validation": validation, "test": parts["val"]})


def read_official(path: Path, pictures: Pictures) -> list[Sample]:
    """Samples of one official caption file, one a picture, in the order of picture ids.

    Raises:
        DataError: a missing file or one of another layout, a caption of an unknown picture, a picture without captions.
    """
    if not path.is_file():
        raise DataError(f"{path} is missing: {_ADVICE}")
    try:
        content: Any = json.loads(read_text(path))
        names = {int(entry["id"]): entry["file_name"] for entry in content["images"]}
        captions: dict[int, list[str]] = defaultdict(list)
        for entry in sorted(content["annotations"], key=lambda entry: entry["id"]):
            captions[int(entry["image_id"])].append(entry["caption"].strip())
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is no COCO caption file ({type(error).__name__}: {error})") from error
    if set(captions) != set(names):
        strange = min(set(captions) ^ set(names))
        raise DataError(f"{path}: picture {strange} has captions but no entry in `images`, or the other way round")
    return [
        Sample(f"{identity:012d}", (pictures.find(names[identity]),), tuple(c for c in captions[identity] if c))
        for identity in sorted(names)
    ]


def last_held_out(samples: Sequence[Sample], number: int) -> tuple[list[Sample], list[Sample]]:
    """(rest, the last `number`). Raises DataError when nothing would be left."""
    if number >= len(samples):
        raise DataError(f"{number} of {len(samples)} training pictures cannot be held out; is the file complete?")
    return list(samples[:-number]), list(samples[-number:])
