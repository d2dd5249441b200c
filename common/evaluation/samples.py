"""Scores of several trained models, checked before a statistic is made of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Sample = NDArray[np.float64]


def sample(scores: ArrayLike, at_least: int = 2) -> Sample:
    """One score per seed, as ``[S]``.

    Raises:
        ValueError: if it is not one-dimensional, has fewer than `at_least` values, or a value is not finite.
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"expected one score per seed, got an array of shape {array.shape}")
    if array.size < at_least:
        raise ValueError(f"too few seeds: {array.size}, at least {at_least} are needed")
    if not np.isfinite(array).all():
        raise ValueError("a score is not finite; leave that seed out, or find out what happened to it")
    return array


def paired_samples(model: ArrayLike, baseline: ArrayLike, at_least: int = 2) -> tuple[Sample, Sample]:
    """Scores of two models, ``[S]`` each, position by position from the same seed.

    Raises:
        ValueError: as :func:`sample`, and if the lengths differ.
    """
    first, second = sample(model, at_least), sample(baseline, at_least)
    if first.size != second.size:
        raise ValueError(f"paired scores need the same seeds, got {first.size} and {second.size} of them")
    return first, second


def varies(values: Sample, scale: float) -> bool:
    """Whether `values` differ by more than the rounding of numbers as large as `scale`."""
    return bool(np.ptp(values) > 1e-12 * scale)
