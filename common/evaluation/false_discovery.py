"""Correction of p values that controls the share of false findings; Holm's, which controls any, is in `statistics`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats


def benjamini_hochberg(p_values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """p values ``[M]`` corrected for M comparisons (Benjamini and Hochberg 1995). NaN stands for "not tested".

    Of the comparisons whose corrected p is at most q, an expected share of at most q is false, if the p values are
    independent or depend on each other positively, as comparisons with one common baseline usually do. This suits
    exploring many slices; a table that supports a claim uses :func:`common.evaluation.statistics.holm`.

    Raises:
        ValueError: for p values outside 0 to 1.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(raw.shape, np.nan)
    tested = ~np.isnan(raw)
    corrected[tested] = stats.false_discovery_control(raw[tested], method="bh")
    return corrected
