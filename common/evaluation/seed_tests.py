"""t tests between models of which each seed gives one score. The seeds are the sample; the test set is taken as it is.

With few seeds a t test leans on scores that are normal over seeds; :mod:`common.evaluation.rank_tests` does not.
:func:`common.evaluation.statistics.multi_bootstrap` also takes the choice of test examples into account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike
from scipy import stats

from common.evaluation.samples import Sample, paired_samples, sample, varies


@dataclass(frozen=True)
class SeedTest:
    """Two-sided test of "no difference" between two models. Estimate and interval have the unit of the scores."""

    estimate: float
    """Model minus baseline."""
    low: float
    """Lower end of the confidence interval."""
    high: float
    """Upper end."""
    p: float
    model_seeds: int
    baseline_seeds: int


def welch_t_test(model: ArrayLike, baseline: ArrayLike, confidence: float = 0.95) -> SeedTest:
    """Welch's t test of unpaired seeds, whose variance may differ between the models (Welch 1947).

    Args:
        model: ``[S]``, one score per seed.
        baseline: ``[T]``, of other seeds; T may differ from S.
        confidence: level of the interval of the difference of the means.

    Raises:
        ValueError: for fewer than two seeds of either, or if no score varies over seeds.
    """
    first, second = sample(model), sample(baseline)
    scale = max(abs(first).max(), abs(second).max())
    if not varies(first, scale) and not varies(second, scale):
        raise ValueError("the scores of either model are equal over all seeds, so t is undefined")
    return _seed_test(stats.ttest_ind(first, second, equal_var=False), first, second, confidence)


def paired_t_test(model: ArrayLike, baseline: ArrayLike, confidence: float = 0.95) -> SeedTest:
    """Paired t test over seeds (Student 1908). It gains over Welch's where good seeds are good for both models.

    Args:
        model: ``[S]``, one score per seed.
        baseline: ``[S]``, of the same seeds in the same order.
        confidence: level of the interval of the mean difference.

    Raises:
        ValueError: for fewer than two seeds, different numbers of seeds, or if the difference is that of every seed.
    """
    first, second = paired_samples(model, baseline)
    if not varies(first - second, max(abs(first).max(), abs(second).max())):
        raise ValueError("the difference is the same for every seed, so t is undefined")
    return _seed_test(stats.ttest_rel(first, second), first, second, confidence)


def _seed_test(result: Any, first: Sample, second: Sample, confidence: float) -> SeedTest:
    """`result` is scipy's TtestResult, whose attributes are made when it is imported and so have no types."""
    low, high = result.confidence_interval(confidence)
    return SeedTest(
        estimate=float(first.mean() - second.mean()),
        low=float(low),
        high=float(high),
        p=float(result.pvalue),
        model_seeds=first.size,
        baseline_seeds=second.size,
    )
