"""The difference of two rows: over the seeds that both have, example by example."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from common.evaluation.statistics import Difference, approximate_randomisation, multi_bootstrap

PARTS = ("", "_low", "_high", "_error", "_p", "_p_holm", "_seeds")
"""What follows the name of a difference: itself, its 95 % interval, its standard error, its p values, over how many
seeds."""
Seeds = Mapping[int, np.ndarray]
"""Seed -> scores ``[E]`` of the same examples in the same order."""


def tested(own: Seeds, other: Seeds, replicates: int = 2000) -> tuple[Difference, float] | None:
    """Mean of `own` minus that of `other` over the seeds that both have, and the larger p of multi-bootstrap and
    approximate randomisation; None where no seed is in both. `replicates` are those of the bootstrap.
    """
    common = sorted(own.keys() & other.keys())
    if not common:
        return None
    pair = np.stack([own[seed] for seed in common]), np.stack([other[seed] for seed in common])
    gap = multi_bootstrap(*pair, replicates)
    return gap, max(gap.p, approximate_randomisation(*pair))


def difference(column: str, own: Seeds, other: Seeds) -> dict[str, float]:
    """:func:`tested` as cells, `column` with :data:`PARTS`; NaN where there is none, and for the p that Holm's
    correction of a whole section is still to fill.
    """
    found = tested(own, other)
    if found is None:
        return dict.fromkeys((f"{column}{part}" for part in PARTS), math.nan)
    gap, p = found
    values = (gap.estimate, gap.low, gap.high, gap.standard_error, p, math.nan, gap.seeds)
    return {f"{column}{part}": value for part, value in zip(PARTS, values, strict=True)}
