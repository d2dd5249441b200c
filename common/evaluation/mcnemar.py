"""McNemar's test: do two trained models get different numbers of the same test examples right?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class McNemar:
    """Paired right and wrong answers of two models. Only the examples on which they disagree tell them apart."""

    only_model: int
    """Examples that the model alone gets right."""
    only_baseline: int
    """Examples that the baseline alone gets right."""
    examples: int
    p_exact: float
    """Two-sided exact conditional p: never too small, and rather too large when few examples differ."""
    p_mid: float
    """Two-sided mid-p: counts outcomes as likely as the observed one by half, and is close to its nominal level."""
    odds_ratio: float
    """``only_model / only_baseline``, the effect size; infinite if the second is 0, NaN if both are."""
    odds_low: float
    """Lower end of its exact confidence interval (Clopper and Pearson 1934), which agrees with `p_exact`."""
    odds_high: float
    """Upper end."""

    @property
    def difference(self) -> float:
        """Accuracy of the model minus that of the baseline, as a fraction."""
        return (self.only_model - self.only_baseline) / self.examples


def mcnemar_test(model: ArrayLike, baseline: ArrayLike, confidence: float = 0.95) -> McNemar:
    """McNemar's test (McNemar 1947), exact and mid-p (Fagerland, Lydersen and Laake 2013).

    It compares one trained model with another. Runs of several seeds err on the same examples, so their arrays must
    not be joined into one; :func:`common.evaluation.statistics.approximate_randomisation` takes several seeds.

    Args:
        model: ``[E]``, 1 or True where its answer is right.
        baseline: ``[E]``, of the same examples in the same order.
        confidence: level of the interval of the odds ratio.

    Raises:
        ValueError: for empty arrays, shapes other than one ``[E]``, or values other than 0 and 1.
    """
    first, second = _answers(model), _answers(baseline)
    if first.shape != second.shape:
        raise ValueError(f"expected the same examples, got {first.size} and {second.size} of them")
    wins, losses = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    if not wins + losses:
        return McNemar(0, 0, first.size, 1.0, 1.0, math.nan, 0.0, math.inf)
    test = stats.binomtest(wins, wins + losses)
    share = test.proportion_ci(confidence, method="exact")
    # The mirrored outcome is as likely as the observed one; in a draw both are the same outcome.
    as_likely = float(stats.binom.pmf(wins, wins + losses, 0.5)) * (1 if wins == losses else 2)
    return McNemar(
        only_model=wins,
        only_baseline=losses,
        examples=first.size,
        p_exact=float(test.pvalue),
        p_mid=float(test.pvalue) - as_likely / 2,
        odds_ratio=wins / losses if losses else math.inf,
        odds_low=_odds(float(share.low)),
        odds_high=_odds(float(share.high)),
    )


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else math.inf


def _answers(correct: ArrayLike) -> NDArray[np.bool_]:
    array = np.asarray(correct)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"expected the answers of one model to some examples, got an array of shape {array.shape}")
    if not np.isin(array, (0, 1)).all():
        raise ValueError("an answer is either right (1) or wrong (0); for other scores use approximate randomisation")
    return array.astype(np.bool_)
