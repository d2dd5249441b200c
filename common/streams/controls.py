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


def scatter(places: np.ndarray, seed: int) -> np.ndarray:
    """Integers to integers without a pattern, non-negative (SplitMix64; Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = places.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % (1 << 64))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)
