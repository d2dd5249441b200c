"""What an image-text corpus is, how to ask for one, and the one way in: :func:`load_vision`."""

from __future__ import annotations

import random
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Callable

from common.data.shares import check_fraction, share
from common.data.text import SPLITS, DataError
from common.data.vision.source import ImageError, ImageSource
from common.later import later
from common.registry import Registry

__all__ = [
    "SPLITS", "TASKS", "DataError", "ImageError", "ImageSource", "RawVision", "Sample", "VisionCorpus",
    "VisionDataConfig", "load_vision", "register_vision", "vision_datasets",
]  # fmt: skip

TASKS = ("caption", "question", "conversation")
CHECKS = ("exists", "header", "pixels")


@dataclass(frozen=True)
class Sample:
    """One example: pictures with captions, with a question, or with a conversation."""

    id: str
    """Unique within its split."""
    images: tuple[ImageSource, ...]
    captions: tuple[str, ...] = ()
    """Descriptions of the picture; all of them are references."""
    question: str = ""
    answers: tuple[str, ...] = ()
    """As people gave them, repeated where several people gave the same."""
    kind: str = ""
    """Type of question, in the words of the dataset."""
    needs: str = ""
    """scenes: "image", "text" or "both": what the answer depends on."""
    turns: tuple[tuple[str, str], ...] = ()
    """Conversation: (speaker, text) with the speaker "human" or "assistant"; ``<image>`` marks the pictures' places."""


@dataclass(frozen=True)
class VisionDataConfig:
    """Which pictures and texts. Resolved as: `path`, else the hub or its local cache, else (scenes) generated."""

    name: str = "scenes"
    """Registered dataset: scenes, flickr8k, flickr30k, coco, vqa_v2, easy_vqa, daquar, instructions, webdataset."""
    path: str = ""
    """Local folder of the dataset (instructions: folder or file; webdataset: folder or pattern of shards); empty takes
    the hub where the dataset is on it."""
    limit: int = 0
    """Samples kept per split, chosen at random; 0 = all."""
    seed: int = 0
    """Seed of held-out splits, of what `limit` and `train_fraction` keep, and of generated scenes."""
    validation_fraction: float = 0.1
    """Share of the training pictures held out, with all their samples, where there is no official validation split."""
    skip_bad: bool = False
    """Leave out samples with a picture that fails `check`, and count them in a warning; otherwise it is an error."""
    check: str = "header"
    """How pictures are checked before use: "exists", "header" (format and size), or "pixels" (all are decoded)."""
    max_pixels: int = 64_000_000
    """Largest width x height of a picture; larger ones are refused before they are decoded."""
    scene_task: str = "caption"
    """scenes: "caption" or "question"."""
    scene_sizes: tuple[int, int, int] = (4000, 500, 1000)
    """scenes: samples in train, validation and test."""
    scene_pixels: int = 64
    """scenes: height and width of a picture, in pixels."""
    scene_grid: int = 3
    """scenes: places per row and column, 2 or 3."""
    scene_held_out: int = 0
    """scenes: (colour, shape) pairs that only test shows, 0 to 6; ids of test samples that show one end in -new."""
    train_fraction: float = later(1.0)
    """Share of the training samples (after `limit`) that a run may see, in (0, 1]: the same share of every kind of
    question, and at least one sample of each. Smaller shares are parts of larger ones. Validation and test stay whole.
    An epoch keeps its number of updates: the samples are gone through more often, see :attr:`VisionCorpus.repeats`."""

    def __post_init__(self) -> None:
        if self.limit < 0 or self.seed < 0:
            raise ValueError("limit and seed must not be negative")
        if not 0.0 < self.validation_fraction < 0.5:
            raise ValueError(f"validation_fraction must be in (0, 0.5), got {self.validation_fraction}")
        if self.check not in CHECKS:
            raise ValueError(f"check must be one of {', '.join(CHECKS)}, got {self.check!r}")
        if self.max_pixels < 1:
            raise ValueError(f"max_pixels must be at least 1, got {self.max_pixels}")
        if self.scene_task not in ("caption", "question"):
            raise ValueError(f"scene_task must be caption or question, got {self.scene_task!r}")
        if len(self.scene_sizes) != len(SPLITS) or min(self.scene_sizes) < 1:
            raise ValueError(f"scene_sizes must be three positive numbers, got {self.scene_sizes}")
        if not 32 <= self.scene_pixels <= 1024:
            raise ValueError(f"scene_pixels must be 32 to 1024, got {self.scene_pixels}")
        if self.scene_grid not in (2, 3):
            raise ValueError(f"scene_grid must be 2 or 3, got {self.scene_grid}")
        if not 0 <= self.scene_held_out <= 6:
            raise ValueError(f"scene_held_out must be 0 to 6, got {self.scene_held_out}")
        check_fraction(self.train_fraction)


@dataclass(frozen=True)
class RawVision:
    """What a loader returns, before it is cut to `limit` and checked."""

    source: str
    """Where it came from, in words."""
    task: str
    splits: Mapping[str, list[Sample]]
    notes: tuple[str, ...] = ()
    """What the loader found and let pass."""


@dataclass(frozen=True)
class VisionCorpus:
    """A checked corpus with the splits train, validation and test."""

    name: str
    splits: dict[str, list[Sample]]
    fingerprint: str
    """SHA-256 over ids, texts, and names and sizes of the pictures, of all splits as used; not over the pixels."""
    warnings: tuple[str, ...]
    """What the checks found and let pass."""
    task: str
    """"caption", "question" or "conversation"."""
    source: str = ""
    """Where it came from, in words."""
    bad: Mapping[str, int] = field(default_factory=dict)
    """Split -> samples left out for a bad picture (`skip_bad`)."""
    repeats: float = 1.0
    """Passes over the training samples in one epoch: as many updates as without `train_fraction`, for the reason that
    :attr:`common.data.text.TextData.repeats` gives."""


VisionLoader = Callable[[VisionDataConfig], RawVision]
_DATASETS: Registry[VisionLoader] = Registry("image-text dataset", DataError)


def register_vision(name: str) -> Callable[[VisionLoader], VisionLoader]:
    """Decorator: make the loader known as ``VisionDataConfig(name=name)``."""
    return partial(_DATASETS.add, name)


def vision_datasets() -> dict[str, VisionLoader]:
    """All registered loaders, by name."""
    return dict(sorted(_DATASETS.items()))


def load_vision(config: VisionDataConfig) -> VisionCorpus:
    """Load and check the corpus that `config` names.

    Raises:
        DataError: unknown name, corpus not to be had, a sample without picture or text, a picture in two splits, or
            (without `skip_bad`) a bad picture; the message says what to do.
    """
    # These modules need the classes above, so they are imported late.
    from common.data.vision.checks import check_apart, check_samples, fingerprint_of, same_bytes
    from common.data.vision.opening import check_images

    raw = _DATASETS.named(config.name)(config)
    check_samples(config.name, raw)
    check_apart(config.name, raw.splits)
    notes, bad, splits = list(raw.notes), {}, {}
    source, repeats = raw.source, 1.0
    for split in SPLITS:
        chosen = _chosen(raw.splits[split], config)
        if split == "train" and config.train_fraction < 1:
            whole = chosen
            kept = share([sample.kind for sample in whole], config.train_fraction, config.seed)
            chosen = [whole[place] for place in kept]
            source += f"; {len(chosen):,} of {len(whole):,} training samples kept, seed {config.seed}"
            repeats = len(whole) / len(chosen)
        splits[split], failed = check_images(chosen, config.skip_bad, depth=config.check, max_pixels=config.max_pixels)
        if failed:
            bad[split] = len(chosen) - len(splits[split])
            notes.append(
                f"{config.name}: {bad[split]} of {len(chosen)} {split} samples left out for {len(failed)} bad "
                f"pictures, such as {failed[0].reason}"
            )
        if not splits[split]:
            raise DataError(f"{config.name}: no {split} sample of {raw.source} has a good picture; {notes[-1]}")
    notes += same_bytes(config.name, splits)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return VisionCorpus(config.name, splits, fingerprint_of(splits), tuple(notes), raw.task, source, bad, repeats)


def _chosen(samples: list[Sample], config: VisionDataConfig) -> list[Sample]:
    if not config.limit or config.limit >= len(samples):
        return list(samples)
    kept = random.Random(config.seed).sample(range(len(samples)), config.limit)
    return [samples[i] for i in sorted(kept)]
