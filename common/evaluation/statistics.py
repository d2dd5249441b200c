"""Statistics of comparisons between models trained with several seeds and tested on the same examples.

`correct` arrays are ``[S, E]``: one row per seed, one column per test example, 1 where the run was right (any
per-example score works). Two compared arrays are paired: the same seeds and examples in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """Two-sided p of "no difference": one minus the highest level whose interval excludes 0."""
    seeds: int
    examples: int


def mean_std(values: ArrayLike) -> tuple[float, float]:
    """Mean and sample standard deviation (n - 1) of ``[S]``; the latter is NaN for fewer than two values."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        return float("nan"), float("nan")
    return float(array.mean()), float(array.std(ddof=1)) if array.size > 1 else float("nan")


def half_width(std: float, values: int, confidence: float = 0.95) -> float:
    """Half of the confidence interval of a mean of so many values (Student's t); NaN for fewer than two.

    Args:
        std: sample standard deviation of the values.
    """
    if values < 2:
        return float("nan")
    return float(stats.t.ppf((1 + confidence) / 2, values - 1)) * std / float(np.sqrt(values))


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
            interval of few seeds is too narrow (Hesterberg 2015, "expanded percentile interval"). The p value takes
            the factor of its own level: with two or three seeds that of 95 % would make it far too small. Off: the
            original.
        seed: of the draws.

    With one seed only examples are drawn: this is then the paired bootstrap of Koehn (2004), and the interval holds for
    that one pair of trained models.
    """
    gap = _paired(model, baseline)
    seeds, examples = gap.shape
    generator = np.random.default_rng(seed)
    mean = gap.mean(0)  # [E]
    parts = np.empty((2, replicates))  # mean over the seeds as they are, and what drawing them adds
    for r in range(replicates):
        counts = np.bincount(generator.integers(seeds, size=seeds), minlength=seeds)
        drawn = generator.integers(examples, size=examples)
        parts[:, r] = mean[drawn].mean(), ((counts - 1) / seeds @ gap)[drawn].mean()

    def draws_at(level: float) -> NDArray[np.float64]:
        return parts[0] + (seed_expansion(seeds, level) if expand else 1.0) * parts[1]

    def tails_at(level: float) -> float:
        draws = draws_at(level)
        return 2 * min(np.sum(draws <= 0) + 1, np.sum(draws >= 0) + 1) / (replicates + 1)

    draws = draws_at(confidence)
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Difference(
        estimate=float(gap.mean()),
        low=float(low),
        high=float(high),
        standard_error=float(draws.std(ddof=1)),
        p=_level_of(lambda p: tails_at(1 - p), 2 / (replicates + 1)),
        seeds=seeds,
        examples=examples,
    )


def _level_of(tails: Callable[[float], float], smallest: float) -> float:
    """The smallest p from `smallest` to 1 of which ``tails(p) <= p``; tails fall as p rises."""
    low, high = smallest, 1.0
    if tails(low) <= low:
        return low
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if tails(middle) <= middle else (middle, high)
    return high


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
    if not np.isfinite(first).all() or not np.isfinite(second).all():
        raise ValueError("scores must be finite: one that is not known can be compared with nothing")
    return first - second
