"""Tests over seeds against published analyses, enumeration, and their duality with the intervals."""

import numpy as np
import pytest
from scipy import stats

from common.evaluation.rank_tests import mann_whitney_test, wilcoxon_test
from common.evaluation.samples import paired_samples, sample
from common.evaluation.seed_tests import paired_t_test, welch_t_test

# Hours of sleep that two drugs added (Student 1908; the data set `sleep` of R, results as in its documentation).
FIRST_DRUG = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND_DRUG = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
# Hollander and Wolfe 1973, tables 3.1 (depression, before and after) and 4.1 (permeability at term and before).
BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]


def test_welch_on_students_sleep_data():
    found = welch_t_test(FIRST_DRUG, SECOND_DRUG)
    assert (found.estimate, found.p) == pytest.approx((-1.58, 0.07939), abs=1e-5)
    assert (found.low, found.high) == pytest.approx((-3.3654832, 0.2054832))


def test_paired_t_on_students_sleep_data():
    found = paired_t_test(FIRST_DRUG, SECOND_DRUG)
    assert (found.estimate, found.p) == pytest.approx((-1.58, 0.002833), abs=1e-6)
    assert (found.low, found.high) == pytest.approx((-2.4598858, -0.7001142))
    assert (found.model_seeds, found.baseline_seeds) == (10, 10)


def test_wilcoxon_on_hollander_and_wolfes_depression_data():
    found = wilcoxon_test(BEFORE, AFTER)
    assert found.p == pytest.approx(2 * 0.01953, abs=1e-5)  # they test one side
    assert (found.estimate, found.low, found.high) == pytest.approx((0.46, 0.01, 0.786))


def test_mann_whitney_on_hollander_and_wolfes_permeability_data():
    found = mann_whitney_test(TERM, EARLY)
    assert found.p == pytest.approx(2 * 0.1272, abs=1e-4)  # they test one side
    assert (found.estimate, found.low, found.high) == pytest.approx((0.305, -0.15, 0.76))


def test_tied_ranks_are_enumerated():
    # Ties are where exact tables fail, and accuracies on a small test set tie often.
    model, baseline = np.array([0.53, 0.52, 0.53, 0.51, 0.54, 0.53]), np.array([0.52, 0.51, 0.51, 0.52, 0.52, 0.50])
    ranks = stats.rankdata(np.concatenate([model, baseline]))
    unpaired = stats.permutation_test(
        (ranks[:6], ranks[6:]), lambda a, b, axis: a.sum(axis), vectorized=True, n_resamples=10_000
    )
    assert mann_whitney_test(model, baseline).p == pytest.approx(unpaired.pvalue)
    signed = np.array([1, 1, 2, -1, 2, 3])  # the differences in points, by hand
    ranks = np.sign(signed) * stats.rankdata(abs(signed))
    paired = stats.permutation_test(
        (ranks,), lambda a, axis: a.sum(axis), vectorized=True, permutation_type="samples", n_resamples=10_000
    )
    assert wilcoxon_test(model, baseline).p == pytest.approx(paired.pvalue)


def test_p_and_interval_agree_and_swapping_the_models_mirrors_both():
    random = np.random.default_rng(0)
    for test in (welch_t_test, paired_t_test, wilcoxon_test, mann_whitney_test):
        for _ in range(25):
            model, baseline = random.normal(0.9, 1, 7), random.normal(0, 1, 7)
            found, mirrored = test(model, baseline), test(baseline, model)
            assert (found.p <= 0.05) == (not found.low <= 0 <= found.high)
            assert found.low <= found.estimate <= found.high
            assert (found.p, found.low) == pytest.approx((mirrored.p, -mirrored.high))


def test_equal_scores_have_no_rank_difference():
    scores = [0.5, 0.6, 0.7, 0.5, 0.6, 0.7]
    assert wilcoxon_test(scores, scores).p == 1
    assert mann_whitney_test(scores, scores).p == 1


@pytest.mark.parametrize("test", [mann_whitney_test, wilcoxon_test])
def test_rank_intervals_hold_their_level(test):
    random = np.random.default_rng(1)
    found = [test(random.normal(size=6), random.normal(size=6)) for _ in range(250)]
    assert np.mean([one.low <= 0 <= one.high for one in found]) > 0.93  # at least 95 %, less 1.5 standard errors


def test_too_few_seeds_say_so():
    with pytest.raises(ValueError, match="too few seeds: 1"):
        welch_t_test([0.5, 0.6], [0.5])
    with pytest.raises(ValueError, match="5 and 5.*0.0625"):
        wilcoxon_test([1, 2, 3, 4, 5], [0, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="3 and 3.*0.1"):
        mann_whitney_test([1, 2, 3], [4, 5, 6])
    assert mann_whitney_test([1, 2, 3, 4], [5, 6, 7, 8]).p == pytest.approx(2 / 70)
    assert wilcoxon_test([1, 2, 3, 4, 5, 6], np.zeros(6)).p == pytest.approx(2 / 64)


def test_undefined_input_is_refused():
    with pytest.raises(ValueError, match="same for every seed"):
        paired_t_test([0.3, 0.5, 0.4], [0.2, 0.4, 0.3])
    with pytest.raises(ValueError, match="equal over all seeds"):
        welch_t_test([0.3, 0.3], [0.2, 0.2])
    with pytest.raises(ValueError, match="same seeds"):
        paired_samples([0.1, 0.2, 0.3], [0.1, 0.2])
    with pytest.raises(ValueError, match="not finite"):
        sample([0.1, np.nan])
    with pytest.raises(ValueError, match="one score per seed"):
        sample([[0.1, 0.2]])
