"""Choosing examples at random, in proportion to the classes, the same way for the same seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from common.data.checks import text_key
from common.data.text import DataError, TextSplit


def hold_out(train: TextSplit, fraction: float, seed: int, keep: Iterable[str] = ()) -> tuple[TextSplit, TextSplit]:
    """Split `train` into (rest, held out), holding out `fraction` of every class.

    Equal texts stay on one side, and the texts in `keep` (those of the test split) stay in training, so that
    holding out never makes a new overlap.

    Raises:
        DataError: when a class has too few examples to be on both sides.
    """
    stays = {text_key(text) for text in keep}
    groups: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(train.texts):
        groups[text_key(text)].append(index)
    sizes = np.bincount(train.labels)
    if sizes[sizes > 0].min() < 2:
        raise DataError("a class has a single training example, so none can be held out; give a validation split")
    wanted = {k: min(max(1, round(fraction * int(size))), int(size) - 1) for k, size in enumerate(sizes) if size}
    held: set[int] = set()
    keys = [key for key in groups if key not in stays]
    for position in np.random.default_rng(seed).permutation(len(keys)):
        members = groups[keys[position]]
        needed = Counter(train.labels[i] for i in members)
        if all(count <= wanted[label] for label, count in needed.items()):
            held.update(members)
            for label, count in needed.items():
                wanted[label] -= count
    rest = [i for i in range(len(train)) if i not in held]
    if not held or not rest:
        raise DataError(f"cannot hold out {fraction} of {len(train)} training examples; give a validation split")
    return train.take(rest), train.take(sorted(held))


def subset(split: TextSplit, size: int, seed: int) -> TextSplit:
    """`size` examples (all, when there are fewer), every class in proportion, in their old order."""
    if size >= len(split):
        return split
    labels = np.asarray(split.labels)
    random = np.random.default_rng(seed)
    # Rank every example within its shuffled class, then take the lowest relative ranks over all classes.
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
    chosen = np.lexsort((random.random(len(labels)), rank))[:size]
    return split.take(sorted(chosen.tolist()))
