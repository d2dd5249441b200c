"""Flickr8k (Hodosh et al. 2013) and Flickr30k (Young et al. 2014): photographs with five captions each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from common.data.files import folder_of, read_table, read_text
from common.data.vision.hub import caption_rows, load_rows
from common.data.vision.karpathy import karpathy_file, read_karpathy
from common.data.vision.pictures import Pictures
from common.data.vision.sample import SPLITS, DataError, RawVision, Sample, VisionDataConfig, register_vision

SIZES = {
    "flickr8k": {"train": 6000, "validation": 1000, "test": 1000},
    "flickr30k": {"train": 29000, "validation": 1014, "test": 1000},
}
PLACES = {
    "flickr8k": ("images", "Images", "Flicker8k_Dataset", "Flickr8k_Dataset"),
    "flickr30k": ("images", "Images", "flickr30k-images", "flickr30k_images"),
}
LISTS = {"train": ("train.txt",), "validation": ("validation.txt", "val.txt", "dev.txt"), "test": ("test.txt",)}
HUB = {
    # The script of the main revision is no longer run by the library; the conversion holds the same rows.
    "flickr30k": ("nlphuji/flickr30k", "refs/convert/parquet"),
    "flickr8k": ("jxie/flickr8k", None),
}
_ADVICE = (
    "give `path` a folder with images/ and either dataset_{name}.json (Karpathy's splits) or captions.csv (or "
    "results.csv) with train.txt, validation.txt and test.txt, which list file names"
)


@register_vision("flickr8k")
def load_flickr8k(config: VisionDataConfig) -> RawVision:
    """8,091 photographs, of which 8,000 are in the official splits."""
    return _load("flickr8k", config)


@register_vision("flickr30k")
def load_flickr30k(config: VisionDataConfig) -> RawVision:
    """31,783 photographs; Karpathy's splits have 31,014 of them."""
    return _load("flickr30k", config)


def _load(name: str, config: VisionDataConfig) -> RawVision:
    if not config.path:
        repository, revision = HUB[name]
        rows = load_rows(repository, revision, _ADVICE.format(name=name))
        splits, notes = caption_rows(rows, repository), []
        source = f"Hugging Face hub or its local cache: {repository}"
    else:
        folder = folder_of(config.path)
        pictures = Pictures(folder, PLACES[name])
        listed = karpathy_file(folder, name)
        if listed:
            splits, notes, source = read_karpathy(listed, pictures), [], f"{listed}"
        else:
            splits, notes = read_listed(folder, pictures, _ADVICE.format(name=name))
            source = f"folder {folder}"
    sizes = {split: len(samples) for split, samples in splits.items()}
    if sizes != SIZES[name]:
        notes.append(f"{name}: {sizes} pictures in {source}, officially {SIZES[name]}")
    return RawVision(source, "caption", splits, tuple(notes))


def read_listed(folder: Path, pictures: Pictures, advice: str) -> tuple[dict[str, list[Sample]], list[str]]:
    """Samples from a caption table and one list of file names per split, and notes on what the lists leave out.

    Raises:
        DataError: a missing file, a malformed line, or a listed picture without captions.
    """
    table = next((folder / n for n in ("captions.csv", "results.csv") if (folder / n).is_file()), None)
    if table is None:
        raise DataError(f"{folder} has no captions; {advice}")
    captions = read_captions(table)
    splits = {}
    for split, names in LISTS.items():
        path = next((folder / name for name in names if (folder / name).is_file()), None)
        if path is None:
            raise DataError(f"{folder} has no {names[0]}; {advice}")
        listed = [line.strip() for line in read_text(path).split("\n") if line.strip()]
        unknown = [name for name in listed if name not in captions]
        if unknown:
            raise DataError(f"{path}: {len(unknown)} pictures have no caption in {table.name}, such as {unknown[0]}")
        splits[split] = [Sample(name, (pictures.find(name),), captions[name]) for name in listed]
    used = {sample.id for samples in splits.values() for sample in samples}
    unused = len(captions) - len(used)
    notes = [f"{table}: {unused} of {len(captions)} pictures are in no split and are left out"] if unused else []
    return {split: splits[split] for split in SPLITS}, notes


def read_captions(path: Path) -> Mapping[str, tuple[str, ...]]:
    """File name -> captions, from a csv with the columns image and caption, or from Flickr30k's ``results.csv``
    (``image_name| comment_number| comment``).

    Raises:
        DataError: for other columns or a malformed line.
    """
    found: dict[str, list[str]] = defaultdict(list)
    if read_text(path).partition("\n")[0].count("|") == 2:
        for number, line in enumerate(read_text(path).split("\n")[1:], 2):
            # One line of the official file lacks its second bar.
            match = re.fullmatch(r"([^|]+)\|\s*(\d+)\s*\|?\s*(.*)", line.strip())
            if match:
                found[match[1].strip()].append(match[3].strip())
            elif line.strip():
                raise DataError(f"{path}, line {number}: expected 'image_name| comment_number| comment'")
    else:
        for number, row in enumerate(read_table(path), 2):
            if set(row) != {"image", "caption"}:
                raise DataError(f"{path}: the columns are {', '.join(row)}, expected image, caption")
            if not row["image"].strip():
                raise DataError(f"{path}, line {number}: no image")
            found[row["image"].strip()].append(row["caption"].strip())
    return {name: tuple(text for text in texts if text) for name, texts in found.items()}
