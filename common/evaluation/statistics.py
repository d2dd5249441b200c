"""Statistics of comparisons between models trained with several seeds and tested on the same examples.

`correct` arrays are ``[S, E]``: one row per seed, one column per test example, 1 where the run was right (any
per-example score works). Two compared arrays are paired: the same seeds and examples in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class Difference:
    """Mean score of one model minus that of another, with its uncertainty. All in the unit of the scores."""

    estimate: float
    low: float
    """Lower end of the confidence interval."""
    high: float
    """Upper end."""
    standard_error: float
    """Standard deviation of the bootstrap distribution."""
    p: float
    """Two-sided p of "no difference" by inverting the bootstrap interval."""
    seeds: int
    examples: int


def mean_std(values: ArrayLike) -> tuple[float, float]:
    """Mean and sample standard deviation (n - 1) of ``[S]``; the latter is NaN for fewer than two values."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        return float("nan"), float("nan")
    return float(array.mean()), float(array.std(ddof=1)) if array.size > 1 else float("nan")


def multi_bootstrap(
    model: ArrayLike,
    baseline: ArrayLike,
    replicates: int = 2000,
    confidence: float = 0.95,
    expand: bool = True,
    seed: int = 0,
) -> Difference:
    """Paired multi-bootstrap over seeds and examples (Sellam et al. 2022, "The MultiBERTs", section 3).

    Each replicate draws seeds and, independently, examples with replacement, the same ones for both models.

    Args:
        model: ``[S, E]``.
        baseline: ``[S, E]``, paired with `model`.
        replicates: bootstrap draws.
        confidence: level of the percentile interval.
        expand: widen the part that comes from the seeds by ``t_{S-1}/z · sqrt(S/(S-1))``, without which a percentile
            interval of few seeds is too narrow (Hesterberg 2015, "expanded percentile interval"). Off: the original.
        seed: of the draws.

    With one seed only examples are drawn: this is then the paired bootstrap of Koehn (2004), and the interval holds for
    that one pair of trained models.
    """
    gap = _paired(model, baseline)
    seeds, examples = gap.shape
    factor = seed_expansion(seeds, confidence) if expand else 1.0
    generator = np.random.default_rng(seed)
    draws = np.empty(replicates)
    for r in range(replicates):
        counts = np.bincount(generator.integers(seeds, size=seeds), minlength=seeds)
        weights = 1 / seeds + factor * (counts - 1) / seeds  # [S], sums to 1
        draws[r] = (weights @ gap)[generator.integers(examples, size=examples)].mean()
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    tail = min((np.sum(draws <= 0) + 1), (np.sum(draws >= 0) + 1)) / (replicates + 1)
    return Difference(
        estimate=float(gap.mean()),
        low=float(low),
        high=float(high),
        standard_error=float(draws.std(ddof=1)),
        p=float(min(1.0, 2 * tail)),
        seeds=seeds,
        examples=examples,
    )


def approximate_randomisation(model: ArrayLike, baseline: ArrayLike, replicates: int = 10_000, seed: int = 0) -> float:
    """Two-sided p of the paired approximate randomisation test (Noreen 1989; Yeh 2000).

    The outputs of both models on an example are swapped together over all seeds, because runs err on the same
    examples: swapping them one by one would count every example S times. The seeds are taken as they are, so this asks
    whether *these* trained models differ on new examples; :func:`multi_bootstrap` adds the choice of seeds.

    Args:
        model: ``[S, E]``.
        baseline: ``[S, E]``, paired with `model`.
        replicates: random swaps.
        seed: of the swaps.
    """
    gap = _paired(model, baseline).sum(0)  # [E]
    gap = gap[gap != 0]
    observed = abs(gap.sum())
    generator = np.random.default_rng(seed)
    extreme = done = 0
    while done < replicates:
        chunk = min(replicates - done, 500)  # 500 x 25,000 examples are 12 MB of signs
        signs = generator.integers(0, 2, size=(chunk, gap.size), dtype=np.int8)
        # Swapping changes the sum by twice what was swapped; the tolerance keeps exact ties among the extremes.
        swapped = np.abs(gap.sum() - 2 * (signs @ gap))
        extreme += int(np.sum(swapped >= observed - 1e-9 * max(1.0, observed)))
        done += chunk
    return (extreme + 1) / (replicates + 1)


def holm(p_values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """p values ``[M]`` corrected for M comparisons (Holm 1979). NaN stands for "not tested": kept, and not counted."""
    raw = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(raw.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    steps = raw[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def minimum_detectable_effect(
    standard_error: float, alpha: float = 0.05, power: float = 0.8, comparisons: int = 1
) -> float:
    """Smallest true difference that a two-sided test at `alpha` finds with probability `power`.

    Args:
        standard_error: of the estimated difference; the result has its unit.
        alpha: error probability, divided by `comparisons` (Bonferroni, the first step of Holm).
        power: probability of finding it.
        comparisons: number of comparisons the table makes.
    """
    level = alpha / max(comparisons, 1)
    return float((stats.norm.ppf(1 - level / 2) + stats.norm.ppf(power)) * standard_error)


def seed_expansion(seeds: int, confidence: float) -> float:
    if seeds < 2:
        return 1.0
    tail = (1 + confidence) / 2
    return float(stats.t.ppf(tail, seeds - 1) / stats.norm.ppf(tail) * np.sqrt(seeds / (seeds - 1)))


def _paired(model: ArrayLike, baseline: ArrayLike) -> NDArray[np.float64]:
    first, second = np.asarray(model, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if first.ndim != 2 or first.shape != second.shape or not first.size:
        raise ValueError(f"expected two arrays [seeds, examples] of one shape, got {first.shape} and {second.shape}")
    return first - second
