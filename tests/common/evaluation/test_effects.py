"""Effect sizes against worked examples and known identities."""

import math

import numpy as np
import pytest
from scipy import special, stats

from common.evaluation.effects import cliffs_delta, cohens_d, hedges_g, probability_of_superiority


def scores(count: int, mean: float, std: float) -> np.ndarray:
    """Normal quantiles with exactly this mean and standard deviation."""
    values = stats.norm.ppf((np.arange(count) + 0.5) / count)
    return mean + std * values / values.std(ddof=1)


def test_the_example_of_borenstein_et_al():
    # Introduction to Meta-Analysis (2009), chapter 4: d = 0.5970, J = 0.9923, g = 0.5924.
    model, baseline = scores(50, 103, 5.5), scores(50, 100, 4.5)
    assert cohens_d(model, baseline) == pytest.approx(0.5970, abs=5e-5)
    assert hedges_g(model, baseline).estimate == pytest.approx(0.5924, abs=5e-5)


def test_the_interval_against_mbess():
    # conf.limits.nct(ncp=2.83, df=126) of the R package MBESS (Kelley 2007): 0.8337503 to 4.8153591.
    unit = math.sqrt(2 / 64)
    found = hedges_g(scores(64, 2.83 * unit, 1), scores(64, 0, 1))
    assert (found.low / unit, found.high / unit) == pytest.approx((0.8337503, 4.8153591), abs=1e-6)


def test_the_correction_of_few_seeds():
    # Hedges 1981: a quotient of gamma functions.
    model, baseline = [1.0, 2.0, 4.0], [0.0, 1.0, 1.5]
    ratio = hedges_g(model, baseline).estimate / cohens_d(model, baseline)
    assert ratio == pytest.approx(special.gamma(2) / (math.sqrt(2) * special.gamma(1.5)))  # 4 degrees of freedom
    assert ratio == pytest.approx(1 - 3 / (4 * 4 - 1), abs=0.003)  # the usual approximation


def test_g_is_unbiased_and_its_interval_covers_the_truth():
    random = np.random.default_rng(0)
    found = [hedges_g(random.normal(1, 1, 5), random.normal(0, 1, 5)) for _ in range(1500)]
    assert np.mean([one.estimate for one in found]) == pytest.approx(1, abs=0.06)
    assert np.mean([one.low <= 1 <= one.high for one in found]) == pytest.approx(0.95, abs=0.018)


def test_the_interval_of_g_excludes_zero_where_t_is_significant():
    random = np.random.default_rng(1)
    for _ in range(30):
        model, baseline = random.normal(1.2, 1, 6), random.normal(0, 1, 6)
        found, p = hedges_g(model, baseline), float(np.asarray(stats.ttest_ind(model, baseline))[1])
        assert (p <= 0.05) == (not found.low <= 0 <= found.high)


def test_units_do_not_matter_and_swapping_changes_the_sign():
    model, baseline = [51.0, 52.5, 50.5], [50.0, 51.5, 49.0, 50.2]
    found, rescaled = hedges_g(model, baseline), hedges_g(np.divide(model, 100), np.divide(baseline, 100))
    swapped = hedges_g(baseline, model)
    assert (found.estimate, found.low) == pytest.approx((rescaled.estimate, rescaled.low))
    assert (found.estimate, found.low) == pytest.approx((-swapped.estimate, -swapped.high))
    assert cliffs_delta(model, baseline) == -cliffs_delta(baseline, model)


def test_order_by_hand():
    # 2 beats 1, ties with 2; 4 beats both: 3.5 of 4 pairs.
    assert probability_of_superiority([2, 4], [1, 2]) == 3.5 / 4
    assert cliffs_delta([2, 4], [1, 2]) == 0.75
    assert cliffs_delta([3, 4], [1, 2]) == 1


def test_order_on_hollander_and_wolfes_permeability_data():
    # Mann and Whitney's U is 35 of 10 x 5 pairs (Hollander and Wolfe 1973, table 4.1).
    term, early = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46], [1.15, 0.88, 0.90, 0.74, 1.21]
    assert probability_of_superiority(term, early) == 35 / 50


def test_order_and_distance_agree_for_normal_scores():
    # McGraw and Wong 1992: the probability of superiority of normal scores is Phi(d / sqrt(2)).
    model, baseline = scores(400, 0.5, 1), scores(400, 0, 1)
    assert probability_of_superiority(model, baseline) == pytest.approx(stats.norm.cdf(0.5 / math.sqrt(2)), abs=1e-3)


def test_no_spread_is_refused():
    with pytest.raises(ValueError, match="no spread"):
        cohens_d([0.5, 0.5], [0.4, 0.4])
    with pytest.raises(ValueError, match="too few seeds"):
        hedges_g([0.5], [0.4, 0.3])
