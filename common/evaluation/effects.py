"""Effect sizes between models of which each seed gives one score: how far apart, in standard deviations or in order.

They say how large a difference is beside the spread over seeds, which is not how much it matters: report them beside
the difference in points. For right and wrong answers see the odds ratio of :mod:`common.evaluation.mcnemar`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from common.evaluation.samples import sample, varies


@dataclass(frozen=True)
class EffectSize:
    """A standardised difference, model minus baseline, without unit."""

    estimate: float
    low: float
    """Lower end of the confidence interval."""
    high: float
    """Upper end."""


def cohens_d(model: ArrayLike, baseline: ArrayLike) -> float:
    """Difference of the means over the pooled standard deviation (Cohen 1988, section 2.5). Few seeds inflate it.

    Args:
        model: ``[S]``, one score per seed.
        baseline: ``[T]``.

    Raises:
        ValueError: for fewer than two seeds of either, or if no score varies over seeds.
    """
    first, second = sample(model), sample(baseline)
    scale = max(abs(first).max(), abs(second).max())
    if not varies(first, scale) and not varies(second, scale):
        raise ValueError("the scores of either model are equal over all seeds: there is no spread to compare with")
    squares = (first.size - 1) * first.var(ddof=1) + (second.size - 1) * second.var(ddof=1)
    return float((first.mean() - second.mean()) / math.sqrt(squares / (first.size + second.size - 2)))


def hedges_g(model: ArrayLike, baseline: ArrayLike, confidence: float = 0.95) -> EffectSize:
    """Cohen's d times the factor that makes it unbiased for normal scores (Hedges 1981), with an interval.

    The interval holds the population values under which the observed t lies within the quantiles of the noncentral t
    distribution (Cumming and Finch 2001). It is not centred on the estimate, and wide for the seeds of a usual study.

    Args:
        model: ``[S]``, one score per seed.
        baseline: ``[T]``.
        confidence: level of the interval.

    Raises:
        ValueError: as :func:`cohens_d`.
    """
    first, second = sample(model), sample(baseline)
    freedom = first.size + second.size - 2
    distance = cohens_d(first, second)
    unit = math.sqrt(1 / first.size + 1 / second.size)
    low, high = (
        float(special.nctdtrinc(freedom, tail, distance / unit)) * unit
        for tail in ((1 + confidence) / 2, (1 - confidence) / 2)
    )
    unbiased = math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom - 1) / 2)) / math.sqrt(freedom / 2)
    return EffectSize(unbiased * distance, low, high)


def probability_of_superiority(model: ArrayLike, baseline: ArrayLike) -> float:
    """Chance that a run of the model scores above one of the baseline, ties by half (Vargha and Delaney 2000).

    Args:
        model: ``[S]``, one score per seed.
        baseline: ``[T]``.

    Raises:
        ValueError: if either has no scores.
    """
    return (1 + cliffs_delta(model, baseline)) / 2


def cliffs_delta(model: ArrayLike, baseline: ArrayLike) -> float:
    """Pairs of runs in which the model wins minus those in which it loses, as a share (Cliff 1993); -1 to 1.

    Args and errors as :func:`probability_of_superiority`.
    """
    return float(np.sign(np.subtract.outer(sample(model, 1), sample(baseline, 1))).mean())
