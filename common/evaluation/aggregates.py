"""One number for a model that was trained with several seeds on several tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class Aggregate:
    """A summary over tasks and seeds with its uncertainty, in the unit of the scores."""

    estimate: float
    low: float
    """Lower end of the confidence interval."""
    high: float
    """Upper end."""
    tasks: int
    seeds: int


def interquartile_mean(scores: ArrayLike, axis: int = 0) -> NDArray[np.float64]:
    """Mean along `axis` without the lowest and the highest quarter (rounded down): below four values the mean.

    Robust to a failed run as a median is, but with more of the data.
    """
    return np.asarray(stats.trim_mean(np.asarray(scores, dtype=np.float64), 0.25, axis=axis))


def aggregate(scores: ArrayLike, replicates: int = 2000, confidence: float = 0.95, seed: int = 0) -> Aggregate:
    """Interquartile mean of all runs with a stratified bootstrap interval (Agarwal et al. 2021, sections 4.1 and 4.3).

    The runs of all tasks are pooled. Each replicate draws seeds with replacement within each task; the tasks stay, so
    the interval speaks of these tasks.

    Args:
        scores: ``[T, S]``: one row per task, one column per seed. All tasks on one scale, such as accuracy relative to
            a baseline; otherwise the quarters that are dropped are tasks, not runs.
        replicates: bootstrap draws.
        confidence: level of the percentile interval. Few seeds make it too narrow, about by ``sqrt((S-1)/S)``.
        seed: of the draws.

    Raises:
        ValueError: for fewer than two seeds, tasks with different numbers of seeds, or a score that is not finite.
    """
    array = _matrix(scores)
    tasks, seeds = array.shape
    generator = np.random.default_rng(seed)
    drawn = generator.integers(seeds, size=(replicates, tasks, seeds))
    pooled = np.take_along_axis(array[None], drawn, axis=2).reshape(replicates, -1)
    draws = interquartile_mean(pooled, axis=1)
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Aggregate(
        estimate=float(interquartile_mean(array.ravel())),
        low=float(low),
        high=float(high),
        tasks=tasks,
        seeds=seeds,
    )


def _matrix(scores: ArrayLike) -> np.ndarray:
    try:
        array = np.asarray(scores, dtype=np.float64)
    except ValueError as error:
        raise ValueError("each task needs the same number of seeds, or tasks with more would weigh more") from error
    if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < 2:
        raise ValueError(f"expected scores [tasks, seeds] with at least two seeds, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("a score is not finite; leave that seed out of all tasks, or find out what happened to it")
    return array
