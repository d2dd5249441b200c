"""What must hold for an image-text corpus: texts and pictures in every sample, and no picture in two splits."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping

from common.data.vision.sample import SPLITS, TASKS, DataError, ImageSource, RawVision, Sample

HASHED_BYTES = 256 * 1024
"""Pictures up to this size are compared byte by byte across splits; larger ones only by name."""


def check_samples(name: str, raw: RawVision) -> None:
    """Check that every split is there and every sample has what its task needs.

    Raises:
        DataError: a missing or empty split, an id used twice, a sample without picture (conversations may have none)
            or with an empty text.
    """
    if raw.task not in TASKS:
        raise DataError(f"{name}: the task is one of {', '.join(TASKS)}, not {raw.task!r}")
    if set(raw.splits) != set(SPLITS):
        raise DataError(f"{name}: needs the splits {', '.join(SPLITS)}; got {', '.join(raw.splits)}")
    for split, samples in raw.splits.items():
        if not samples:
            raise DataError(f"{name}: the {split} split of {raw.source} is empty")
        seen: set[str] = set()
        for sample in samples:
            problem = "its id is used twice" if sample.id in seen else _problem(sample, raw.task)
            if problem:
                raise DataError(f"{name}: {split} sample {sample.id} of {raw.source}: {problem}")
            seen.add(sample.id)


def _problem(sample: Sample, task: str) -> str:
    if task != "conversation" and not sample.images:
        return "no picture"
    texts = {
        "caption": sample.captions,
        "question": (sample.question, *(sample.answers or ("",))),
        "conversation": tuple(text for _, text in sample.turns),
    }[task]
    if not texts or not all(text.strip() for text in texts):
        return f"an empty or missing text for the task {task!r}"
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return "a text that is no valid Unicode"
    return ""


def check_apart(name: str, splits: Mapping[str, list[Sample]]) -> None:
    """Raises DataError when a picture stands in two splits: a model would be scored on what it has learnt by heart."""
    keys = {split: {image.key for sample in splits[split] for image in sample.images} for split in SPLITS}
    for i, later in enumerate(SPLITS):
        for earlier in SPLITS[:i]:
            shared = keys[later] & keys[earlier]
            if shared:
                raise DataError(
                    f"{name}: {len(shared)} pictures stand in both {earlier} and {later}, such as {min(shared)}; "
                    "the splits must be made by picture"
                )


def same_bytes(name: str, splits: Mapping[str, list[Sample]]) -> list[str]:
    """Warnings about files that have other names but the same bytes in two splits.

    Only files of equal size up to 256 KiB are read.
    """
    by_size: dict[int, dict[str, dict[str, ImageSource]]] = defaultdict(lambda: defaultdict(dict))
    seen: set[str] = set()  # no picture stands in two splits under one name
    for split in SPLITS:
        for sample in splits[split]:
            for image in sample.images:
                size = -1 if image.generated or image.key in seen else image.size()
                seen.add(image.key)
                if 0 <= size <= HASHED_BYTES:
                    by_size[size][split][image.key] = image
    owners: dict[bytes, dict[str, str]] = defaultdict(dict)
    for groups in by_size.values():
        if len(groups) > 1:
            for split, images in groups.items():
                for image in images.values():
                    owners[hashlib.sha256(image.read()).digest()].setdefault(split, image.name)
    notes = []
    for i, later in enumerate(SPLITS):
        for earlier in SPLITS[:i]:
            shared = [found for found in owners.values() if earlier in found and later in found]
            if shared:
                notes.append(
                    f"{name}: {len(shared)} pictures have a byte-identical copy in both {earlier} and {later}, such as "
                    f"{shared[0][earlier]} and {shared[0][later]}"
                )
    return notes


def fingerprint_of(splits: Mapping[str, list[Sample]]) -> str:
    """SHA-256 over ids, texts, and names and sizes of the pictures; the place of the folder does not enter."""
    digest = hashlib.sha256()
    identities: dict[ImageSource, str] = {}
    for split in SPLITS:
        digest.update(split.encode())
        for sample in splits[split]:
            for image in sample.images:
                if image not in identities:
                    identities[image] = image.identity()
            content = [
                sample.id, [identities[image] for image in sample.images], sample.captions, sample.question,
                sample.answers, sample.kind, sample.needs, sample.turns,
            ]  # fmt: skip
            digest.update(json.dumps(content).encode() + b"\n")
    return digest.hexdigest()
