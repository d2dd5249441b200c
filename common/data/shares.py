"""Nested shares of a training split: 1 % of it is a part of its 3 %, and so on."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np


def check_fraction(fraction: float) -> None:
    """Raise ValueError for a share outside (0, 1]."""
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"train_fraction must be in (0, 1], got {fraction}")


def share(groups: Sequence[Hashable], fraction: float, seed: int) -> list[int]:
    """Places of the kept examples, in ascending order.

    Every group is put into a random order that does not depend on `fraction`, and the first ones are kept: its share,
    rounded, and never none, so that no class of a classifier is without an example. What a smaller fraction keeps, a
    larger one keeps too.

    Args:
        groups: what each example belongs to, such as its label.
        fraction: in (0, 1].
        seed: of the order.
    """
    check_fraction(fraction)
    members: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    random = np.random.default_rng(seed)
    kept: list[int] = []
    for places in members.values():
        order = random.permutation(places)
        kept += order[: max(1, round(fraction * len(places)))].tolist()
    return sorted(kept)
