"""The caption files of Karpathy & Fei-Fei (2015): ``dataset_flickr8k.json``, ``dataset_flickr30k.json``,
``dataset_coco.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.data.files import read_text
from common.data.vision.pictures import Pictures
from common.data.vision.sample import DataError, Sample

SPLIT_OF = {"train": "train", "restval": "train", "val": "validation", "validation": "validation", "test": "test"}
"""Name of a split as datasets write it -> ours; COCO's ``restval`` belongs to training."""


def read_karpathy(path: Path, pictures: Pictures) -> dict[str, list[Sample]]:
    """Samples of every split, one a picture, with all its captions; COCO's ``restval`` belongs to training.

    Raises:
        DataError: not JSON of this layout; names the entry.
    """
    try:
        content: Any = json.loads(read_text(path))
        entries = content["images"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not a caption file with a list `images` ({error})") from error
    splits: dict[str, list[Sample]] = {"train": [], "validation": [], "test": []}
    for number, entry in enumerate(entries):
        try:
            name = f"{entry['filepath']}/{entry['filename']}" if entry.get("filepath") else entry["filename"]
            captions = tuple(sentence["raw"].strip() for sentence in entry["sentences"])
            split = SPLIT_OF[entry["split"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}, images[{number}]: missing or unknown {error}") from error
        splits[split].append(Sample(entry["filename"], (pictures.find(name),), tuple(c for c in captions if c)))
    return splits


def karpathy_file(folder: Path, name: str) -> Path | None:
    """``dataset_<name>.json`` in the folder, possibly compressed, or None."""
    found = [path for ending in ("", ".gz", ".zst") if (path := folder / f"dataset_{name}.json{ending}").is_file()]
    return found[0] if found else None
