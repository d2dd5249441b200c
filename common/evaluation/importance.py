"""How much a stream mattered: leave-one-out, Shapley values, and whether the measures agree.

Nothing here knows a model: callers hand in functions and numbers. The array functions take NumPy arrays and tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

Evaluate = Callable[[frozenset[str]], float]


def subsets(names: Iterable[str]) -> list[frozenset[str]]:
    """All 2^N subsets, small ones first."""
    ordered = tuple(names)
    return [frozenset(chosen) for size in range(len(ordered) + 1) for chosen in combinations(ordered, size)]


def leave_one_out(
    evaluate: Evaluate, names: Sequence[str], replaced: Mapping[str, Callable[[str], float]] | None = None
) -> dict[str, dict[str, float]]:
    """Score with each stream left out, by every way of leaving it out.

    Args:
        evaluate: score with only the given streams present; gives the way ``zero``.
        names: the streams.
        replaced: further ways, such as ``mean`` and ``permutation``: score with the named stream replaced.

    Returns:
        way -> stream -> score.
    """
    everything = frozenset(names)
    result = {"zero": {name: float(evaluate(everything - {name})) for name in names}}
    for way, score in (replaced or {}).items():
        result[way] = {name: float(score(name)) for name in names}
    return result


def shapley(values: Mapping[frozenset[str], float], names: Sequence[str]) -> dict[str, float]:
    """Exact Shapley values (Shapley 1953): the mean gain a stream brings over all orders in which streams may join.

    They add up to the score of all streams minus the score of none.

    Args:
        values: score of each of the 2^N subsets, the empty one included.
        names: the N streams.

    Raises:
        ValueError: when a subset's score is missing.
    """
    missing = [set(chosen) or "no stream" for chosen in subsets(names) if chosen not in values]
    if missing:
        raise ValueError(f"Shapley values need the score of every subset of {list(names)}; missing: {missing}")
    total = factorial(len(names))
    result = {}
    for name in names:
        rest = [other for other in names if other != name]
        gains = (
            factorial(len(chosen)) * factorial(len(rest) - len(chosen)) * (values[chosen | {name}] - values[chosen])
            for chosen in subsets(rest)
        )
        result[name] = float(sum(gains) / total)
    return result


def effective_weights(alpha: Any, gamma: Any) -> np.ndarray:
    """What is left at the last site of the α of each site: ``α_l · Π_{k>l} γ_k``, with φ the identity.

    Args:
        alpha: ``[S]`` or ``[S, N]``.
        gamma: ``[S]``; γ of the site at which it is applied. The first has nothing below it and is not read.
    """
    weights, decay = np.asarray(alpha, dtype=np.float64), np.asarray(gamma, dtype=np.float64)
    if decay.shape != weights.shape[:1]:
        raise ValueError(f"expected a gamma for each of {len(weights)} sites, got shape {decay.shape}")
    after = np.concatenate([np.cumprod(decay[:0:-1])[::-1], [1.0]])  # [S]
    return weights * after.reshape(-1, *[1] * (weights.ndim - 1))


def agreement(measures: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Spearman's rank correlation between measures of importance.

    Args:
        measures: measure (``alpha``, ``contribution``, ``leave_one_out``, ``shapley``, ...) -> stream -> value. Pooled
            over runs, a stream may appear as ``run/stream``.

    Returns:
        Square frame, measure by measure, over the streams both have. NaN where fewer than three are shared or a
        measure is constant: two ranks always agree or disagree wholly.
    """
    names = list(measures)
    frame = pd.DataFrame(np.nan, index=pd.Index(names), columns=pd.Index(names), dtype=float)
    for first in names:
        for second in names:
            shared = [stream for stream in measures[first] if stream in measures[second]]
            pairs = np.array([[measures[first][stream], measures[second][stream]] for stream in shared])
            frame.loc[first, second] = _spearman(pairs[:, 0], pairs[:, 1]) if len(shared) else np.nan
    return frame


def validity(truth: Mapping[str, float], estimate: Mapping[str, float]) -> dict[str, float]:
    """How well a measure recovers the planted shares of label information.

    Args:
        truth: stream -> planted share.
        estimate: stream -> value of the measure; magnitudes are brought to shares, negative gains count as 0.

    Returns:
        ``spearman`` (NaN below three streams), ``calibration_error`` (mean absolute gap between shares, 0 is perfect),
        and ``slope`` and ``intercept`` of estimated over planted shares (1 and 0 are perfect).
    """
    if set(truth) != set(estimate):
        raise ValueError(f"streams differ: planted {sorted(truth)}, measured {sorted(estimate)}")
    planted = np.array([truth[name] for name in truth], dtype=np.float64)
    measured = np.maximum([estimate[name] for name in truth], 0.0)
    if planted.sum() <= 0 or measured.sum() <= 0:
        raise ValueError("shares need at least one positive value on both sides")
    planted, measured = planted / planted.sum(), measured / measured.sum()
    spread = float(np.ptp(planted))
    slope, intercept = np.polyfit(planted, measured, 1) if spread > 0 else (np.nan, np.nan)
    return {
        "spearman": _spearman(planted, measured),
        "calibration_error": float(np.abs(planted - measured).mean()),
        "slope": float(slope),
        "intercept": float(intercept),
    }


def _spearman(first: np.ndarray, second: np.ndarray) -> float:
    first, second = np.round(first, 12), np.round(second, 12)  # rounding errors must not break ties
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.asarray(stats.spearmanr(first, second))[0])
