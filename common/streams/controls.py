"""Controls: streams that keep the shape of a real one and lose its information."""

from __future__ import annotations

import hashlib

import numpy as np


def derangement(built: int, seed: int) -> np.ndarray:
    """Map of the rows 0 to ``built`` in which no row but 0 keeps its place ``[built + 1]``.

    The rows are visited in a random order, each taking the place of the next: one cycle, so none stays. A single row
    has no other place to go.
    """
    order = np.random.default_rng(seed).permutation(built) + 1
    target = np.zeros(built + 1, dtype=np.int64)
    target[order] = np.roll(order, -1)
    return target


def stand_in(key: str, built: int, seed: int) -> int:
    """Row that a word not met in training takes under ``shuffled``: always the same, without its own pieces."""
    if built == 0:
        return 0
    return 1 + _hash(f"{seed}\0{key}") % built


def noise_rows(text: str, count: int, built: int, seed: int) -> np.ndarray:
    """Random rows for the ``count`` words of a text, drawn by seed, text and position alone ``[count]``."""
    if built == 0:
        return np.zeros(count, dtype=np.int64)
    return np.random.default_rng(_hash(f"{seed}\0{text}")).integers(1, built + 1, size=count)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
