"""Holding out samples by picture, so that no picture stands on both sides."""

from __future__ import annotations

import random
from collections.abc import Sequence

from common.data.vision.sample import DataError, Sample


def hold_out_images(samples: Sequence[Sample], fraction: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Split into (rest, held out): `fraction` of the pictures, at least one, with all their samples.

    Samples that share a picture, also by way of a third sample, stay together; samples without picture stand alone.

    Raises:
        DataError: when there are fewer than two groups of pictures.
    """
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = key = parent[parent[key]]
        return key

    firsts = []
    for sample in samples:
        keys = [image.key for image in sample.images] or [f"no picture: {sample.id}"]
        firsts.append(keys[0])
        for key in keys:
            parent[root(key)] = root(keys[0])
    groups = [root(key) for key in firsts]
    names = sorted(set(groups))
    if len(names) < 2:
        raise DataError("all samples share one picture, so none can be held out; give a validation split")
    count = min(max(1, round(fraction * len(names))), len(names) - 1)
    held = set(random.Random(seed).sample(names, count))
    rest = [sample for sample, group in zip(samples, groups, strict=True) if group not in held]
    return rest, [sample for sample, group in zip(samples, groups, strict=True) if group in held]
