"""Rank tests between models of which each seed gives one score: exact for few seeds and for ties, no normality.

Both count all ways in which the ranks could have fallen. Accuracies on a small test set often tie, for which the exact
tables of scipy do not hold and its normal approximation needs more seeds than a study has.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from common.evaluation.samples import Sample, paired_samples, sample
from common.evaluation.seed_tests import SeedTest


def mann_whitney_test(model: ArrayLike, baseline: ArrayLike, confidence: float = 0.95) -> SeedTest:
    """Exact Mann-Whitney (Wilcoxon rank sum) test of unpaired seeds.

    The estimate is Hodges and Lehmann's shift: the median of all differences between a score of the model and one of
    the baseline; its interval inverts the test (Hollander and Wolfe 1973, chapter 4). With ties it is conservative.

    Args:
        model: ``[S]``, one score per seed.
        baseline: ``[T]``, of other seeds; T may differ from S.
        confidence: least coverage of the interval.

    Raises:
        ValueError: if the seeds are too few for an interval of this level; 95 % needs 4 and 4, 3 and 5, or 2 and 8.
    """
    first, second = sample(model, 1), sample(baseline, 1)
    size, both = first.size, np.concatenate([first, second])
    plain = _subset_sums(np.arange(1, both.size + 1))[size, size * (size + 1) // 2 :]
    differences = np.subtract.outer(first, second).ravel()
    ranks = _doubled_ranks(both)
    p = _two_sided(_subset_sums(ranks)[size], int(ranks[:size].sum()))
    return _seed_test(differences, plain, p, first, second, confidence)


def wilcoxon_test(model: ArrayLike, baseline: ArrayLike, confidence: float = 0.95) -> SeedTest:
    """Exact Wilcoxon signed-rank test over paired seeds (Wilcoxon 1945, who leaves out pairs without a difference).

    The estimate is the median of the means of any two differences, a difference with itself included (Hodges and
    Lehmann 1963); its interval inverts the test (Hollander and Wolfe 1973, chapter 3).

    Args:
        model: ``[S]``, one score per seed.
        baseline: ``[S]``, of the same seeds in the same order.
        confidence: least coverage of the interval.

    Raises:
        ValueError: for different numbers of seeds, or too few for an interval of this level; 95 % needs 6.
    """
    first, second = paired_samples(model, baseline, 1)
    # Without rounding 0.53 - 0.52 and 0.52 - 0.51 would not tie.
    gap = np.round(first - second, 12)
    plain = _subset_sums(np.arange(1, gap.size + 1)).sum(0)
    means = (np.add.outer(gap, gap) / 2)[np.triu_indices(gap.size)]
    moved = gap[gap != 0]
    ranks = _doubled_ranks(abs(moved))
    p = _two_sided(_subset_sums(ranks).sum(0), int(ranks[moved > 0].sum()))
    return _seed_test(means, plain, p, first, second, confidence)


def _seed_test(
    differences: Sample, plain: NDArray[np.float64], p: float, first: Sample, second: Sample, confidence: float
) -> SeedTest:
    """`plain`: how often each value of the statistic comes up without ties, from 0 on."""
    tail = np.cumsum(plain) / plain.sum()
    # As many differences lie outside on each side as values of the statistic are too rare; 1e-12 keeps exact levels.
    outside = int(np.sum(tail <= (1 - confidence) / 2 + 1e-12))
    if not outside:
        raise ValueError(
            f"too few seeds ({first.size} and {second.size}) for an interval of {confidence:.0%}: "
            f"the smallest p they can give is {2 * tail[0]:.3g}"
        )
    ordered = np.sort(differences)
    return SeedTest(
        estimate=float(np.median(ordered)),
        low=float(ordered[outside - 1]),
        high=float(ordered[-outside]),
        p=p,
        model_seeds=first.size,
        baseline_seeds=second.size,
    )


def _doubled_ranks(values: Sample) -> NDArray[np.int64]:
    """Twice the ranks, because tied values share a rank that may be half."""
    return np.rint(2 * stats.rankdata(values)).astype(np.int64)


def _subset_sums(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """``[N + 1, total + 1]``: how many subsets of the N ranks have that many members and that sum."""
    total = int(ranks.sum())
    counts = np.zeros((ranks.size + 1, total + 1))
    counts[0, 0] = 1
    for rank in ranks:
        counts[1:, rank:] = counts[1:, rank:] + counts[:-1, : total + 1 - rank]
    return counts


def _two_sided(counts: NDArray[np.float64], observed: int) -> float:
    tail = min(counts[: observed + 1].sum(), counts[observed:].sum())
    return float(min(1.0, 2 * tail / counts.sum()))
