"""Which rows of a section are best, and which of the others are not significantly worse."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from common.evaluation.seed_tests import paired_t_test
from common.evaluation.statistics import holm
from results.differences import Seeds, enough, tested
from results.kinds import SIGNIFICANT

MARK = "mark"
"""Column of a frame with what :func:`marks` says of its rows."""
BEST, LEVEL, WORSE, UNTESTED = "best", "level", "worse", ""
NOTE = (
    "Bold: the best mean; italic: not significantly worse than that row by the same tests, Holm over the rows compared "
    "with it. Italic is no sign of being as good: few seeds show large differences only."
)
"""What a caption says of the marks."""
SEED_NOTE = (
    "Bold: the best mean of a column; italic: not significantly worse than that row (paired t test over the seeds that "
    "both have, Holm over the rows compared with it). Italic is no sign of being as good: few seeds show large "
    "differences only."
)
"""What it says of :func:`marks_by_seed`."""


def marks(scores: Mapping[str, Seeds]) -> dict[str, str]:
    """Row -> :data:`BEST`, :data:`LEVEL`, :data:`WORSE`, or :data:`UNTESTED` where it shares no seed with the best.

    Best is the highest mean over all seeds and examples; rows of equal means are all best. Not to be significantly
    worse is no evidence of being as good: a row of few seeds is seldom shown to be worse.

    Args:
        scores: row -> seed -> scores ``[E]`` of the same examples in the same order, higher is better.
    """
    means = {name: float(np.mean([one.mean() for one in seeds.values()])) for name, seeds in scores.items() if seeds}

    def p(name: str, best: str, comparisons: int) -> float:
        found = tested(scores[name], scores[best], enough(comparisons))
        if found is None:
            return np.nan
        return found.p if found.gap.estimate < 0 else 1.0  # over the seeds that both have it may be ahead

    return _said(means, p)


def marks_by_seed(values: Mapping[str, Mapping[int, float]]) -> dict[str, str]:
    """As :func:`marks`, for a statistic that is no mean over examples: the seeds alone are the sample.

    Args:
        values: row -> seed -> the statistic, higher is better. A row with a NaN has no mark.
    """
    means = {name: float(np.mean(list(seeds.values()))) for name, seeds in values.items() if seeds}

    def p(name: str, best: str, _comparisons: int) -> float:
        common = sorted(values[name].keys() & values[best].keys())
        own, other = (np.array([values[row][seed] for seed in common]) for row in (name, best))
        if common and (own - other).mean() >= 0:
            return 1.0
        if len(common) < 2:
            return np.nan
        # Where all seeds differ alike, t knows of no chance.
        return paired_t_test(own, other).p if np.ptp(own - other) >= 1e-12 else 0.0

    return _said({name: mean for name, mean in means.items() if np.isfinite(mean)}, p)


def _said(means: Mapping[str, float], p: Callable[[str, str, int], float]) -> dict[str, str]:
    """`p`: of a row against the best one, among so many comparisons; NaN where there is no test."""
    if not means:
        return {}
    best = max(means, key=lambda name: means[name])
    others = [name for name in means if round(means[best] - means[name], 12) > 0]
    corrected = holm([p(name, best, len(others)) for name in others])
    said = dict(zip(others, map(_verdict, corrected), strict=True))
    return {name: said.get(name, BEST) for name in means}


def _verdict(p: float) -> str:
    if np.isnan(p):
        return UNTESTED
    return WORSE if p < SIGNIFICANT else LEVEL
