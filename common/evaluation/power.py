"""How many seeds a comparison needs, before they are trained: power of the paired t test by the noncentral t.

`std_of_difference` is the standard deviation over seeds of "score of the model minus score of the baseline", from a
pilot or an earlier table. `example_error` is the standard error of the mean difference that comes from the choice of
test examples, which no number of seeds takes away: for gaps ``[S, E]`` about ``gap.mean(0).std(ddof=1) / sqrt(E)``.
Left at 0, the answer holds for this very test set. Effect, std and error have one unit, such as points of accuracy.

:func:`common.evaluation.statistics.minimum_detectable_effect` is the limit for many seeds: it takes the standard error
as known, so for few seeds it promises too much.
"""

from __future__ import annotations

import math

from scipy import optimize, stats

from common.evaluation.statistics import minimum_detectable_effect


def power_with_seeds(
    seeds: int,
    effect: float,
    std_of_difference: float,
    alpha: float = 0.05,
    comparisons: int = 1,
    example_error: float = 0.0,
) -> float:
    """Probability that the two-sided test finds a true difference of `effect`, with its sign (Cohen 1988, chapter 2).

    Args:
        seeds: pairs of runs.
        effect: true difference; its sign does not matter.
        std_of_difference: over seeds. For unpaired seeds ``sqrt(std_model² + std_baseline²)``, which is on the safe
            side: Welch's test has more degrees of freedom.
        alpha: error probability, divided by `comparisons` (Bonferroni, the first step of Holm).
        comparisons: number of comparisons the table makes.
        example_error: see the top of this file; degrees of freedom then by Satterthwaite (1946).

    Raises:
        ValueError: for fewer than two seeds, `std_of_difference` of 0 or less, or an `example_error` below 0.
    """
    if seeds < 2 or std_of_difference <= 0 or example_error < 0:
        raise ValueError(
            "power needs at least 2 seeds, a std above 0 and an error of 0 or more, "
            f"got {seeds}, {std_of_difference} and {example_error}"
        )
    of_seeds = std_of_difference**2 / seeds
    variance = of_seeds + example_error**2
    freedom = (seeds - 1) * (variance / of_seeds) ** 2
    critical = stats.t.ppf(1 - alpha / max(comparisons, 1) / 2, freedom)
    return float(stats.nct.sf(critical, freedom, abs(effect) / math.sqrt(variance)))


def seeds_needed(
    effect: float,
    std_of_difference: float,
    power: float = 0.8,
    alpha: float = 0.05,
    comparisons: int = 1,
    example_error: float = 0.0,
) -> int:
    """Fewest seeds with which a true difference of `effect` is found with probability `power`, at least 2.

    Args:
        power: probability of finding it, from 0.5 to below 1.
        effect, std_of_difference, alpha, comparisons, example_error: as :func:`power_with_seeds`.

    Raises:
        ValueError: as :func:`power_with_seeds`; and if no number of seeds is enough, because the effect is 0 or too
            small for the test set: then more examples are needed.
    """
    _check_power(power)
    least = minimum_detectable_effect(example_error, alpha, power, comparisons)
    if abs(effect) <= least:
        raise ValueError(
            f"no number of seeds shows a difference of {abs(effect):g}: with so few test examples it must be above "
            f"{least:.3g}"
        )

    def enough(seeds: int) -> bool:
        return power_with_seeds(seeds, effect, std_of_difference, alpha, comparisons, example_error) >= power

    above = 2
    while not enough(above):
        above *= 2
    below = above // 2  # too few, or 1
    while above - below > 1:
        middle = (above + below) // 2
        below, above = (below, middle) if enough(middle) else (middle, above)
    return above


def effect_detectable_with_seeds(
    seeds: int,
    std_of_difference: float,
    power: float = 0.8,
    alpha: float = 0.05,
    comparisons: int = 1,
    example_error: float = 0.0,
) -> float:
    """Smallest true difference that so many seeds find with probability `power`: the inverse of :func:`seeds_needed`.

    Args and errors as :func:`seeds_needed`; the result has the unit of `std_of_difference`.
    """
    _check_power(power)

    def excess(effect: float) -> float:
        return power_with_seeds(seeds, effect, std_of_difference, alpha, comparisons, example_error) - power

    above = minimum_detectable_effect(std_of_difference, alpha, power, comparisons)
    while excess(above) < 0:
        above *= 2
    return float(optimize.root_scalar(excess, bracket=(0.0, above), xtol=1e-9 * std_of_difference).root)


def _check_power(power: float) -> None:
    if not 0.5 <= power < 1:
        raise ValueError(f"power must be at least 0.5 and below 1, got {power}")
