"""Which rows of a section are best, and which of the others are not significantly worse."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from common.evaluation.statistics import holm
from results.differences import Seeds, tested

MARK = "mark"
"""Column of a frame with what :func:`marks` says of its rows."""
BEST, LEVEL, WORSE, UNTESTED = "best", "level", "worse", ""
SIGNIFICANT = 0.05
"""Corrected p below which a row is worse than the best."""
NOTE = (
    "Bold: the best mean; italic: not significantly worse than that row over the seeds that both have (the larger p of "
    "multi-bootstrap and approximate randomisation, Holm over the rows compared with it)."
)
"""What a caption says of the marks."""


def marks(scores: Mapping[str, Seeds]) -> dict[str, str]:
    """Row -> :data:`BEST`, :data:`LEVEL`, :data:`WORSE`, or :data:`UNTESTED` where it shares no seed with the best.

    Best is the highest mean over all seeds and examples; rows of equal means are all best. Not to be significantly
    worse is no evidence of being as good: a row of few seeds is seldom shown to be worse.

    Args:
        scores: row -> seed -> scores ``[E]`` of the same examples in the same order, higher is better.
    """
    means = {name: float(np.mean([one.mean() for one in seeds.values()])) for name, seeds in scores.items() if seeds}
    if not means:
        return {}
    best = max(means, key=lambda name: means[name])
    others = [name for name in means if round(means[best] - means[name], 12) > 0]
    # The smallest p of a bootstrap is 2 / replicates: it must stay below the level after the correction.
    found = {name: tested(scores[name], scores[best], max(2000, 200 * len(others))) for name in others}
    corrected = holm([np.nan if one is None else one[1] for one in found.values()])
    said = dict(zip(found, map(_verdict, corrected), strict=True))
    return {name: said.get(name, BEST) for name in means}


def _verdict(p: float) -> str:
    if np.isnan(p):
        return UNTESTED
    return WORSE if p < SIGNIFICANT else LEVEL
