"""Statistics against known truth: coverage, uniform p values, hand-worked corrections."""

import numpy as np
import pytest
from scipy import stats

from common.evaluation.statistics import (
    approximate_randomisation,
    holm,
    mean_std,
    minimum_detectable_effect,
    multi_bootstrap,
)


def outcomes(random, seeds: int, examples: int, effect: float = 0.0, seed_std: float = 0.03):
    """Two models `[S, E]` on examples of different difficulty; the first is better by `effect` on average."""
    difficulty = random.random(examples)
    shifts = random.normal(0, seed_std, (2, seeds, 1))
    noise = random.normal(0, 0.15, (2, seeds, examples))
    ability = np.array([0.6 + effect, 0.6]).reshape(2, 1, 1)
    return difficulty + noise < ability + shifts


def test_mean_and_standard_deviation():
    assert mean_std([1.0, 2.0, 3.0]) == (2.0, 1.0)
    assert np.isnan(mean_std([1.0])[1])


@pytest.mark.parametrize("seeds", [3, 8])
def test_the_interval_covers_the_truth(seeds):
    random = np.random.default_rng(1)
    hits = []
    for trial in range(150):
        model, baseline = outcomes(random, seeds, 150)
        gap = multi_bootstrap(model, baseline, replicates=250, seed=trial)
        hits.append(gap.low <= 0 <= gap.high)
    assert np.mean(hits) > 0.89  # 95 % less three binomial standard errors


def test_without_expansion_few_seeds_cover_too_little():
    random = np.random.default_rng(2)
    hits = []
    for trial in range(150):
        model, baseline = outcomes(random, 3, 150, seed_std=0.1)
        gap = multi_bootstrap(model, baseline, replicates=250, expand=False, seed=trial)
        hits.append(gap.low <= 0 <= gap.high)
    assert np.mean(hits) < 0.89


def test_one_seed_is_the_paired_bootstrap_over_examples():
    model, baseline = outcomes(np.random.default_rng(0), 1, 300, effect=0.05)
    gap = multi_bootstrap(model, baseline, replicates=4000)
    # Whose standard deviation is known: that of the examples, with n instead of n - 1, over the root of n.
    error = (model[0] * 1.0 - baseline[0]).std() / np.sqrt(300)
    assert gap.standard_error == pytest.approx(error, rel=0.04)
    assert (gap.low, gap.high) == pytest.approx((gap.estimate - 1.96 * error, gap.estimate + 1.96 * error), abs=0.005)


def test_bootstrap_finds_a_large_effect_and_is_repeatable():
    model, baseline = outcomes(np.random.default_rng(0), 5, 400, effect=0.2, seed_std=0.01)
    gap = multi_bootstrap(model, baseline)
    assert gap == multi_bootstrap(model, baseline)
    assert gap.low > 0.1 and gap.p < 0.01 and (gap.seeds, gap.examples) == (5, 400)
    assert gap.estimate == pytest.approx(model.mean() - baseline.mean())


def test_p_of_few_seeds_is_not_small_by_chance():
    """Where only the seed makes a difference, small p values are as rare as they say, which corrections rely on."""
    random = np.random.default_rng(5)
    p = np.array([
        multi_bootstrap(np.full((2, 4), 0.5) + random.normal(size=(2, 1)), np.full((2, 4), 0.5), replicates=400).p
        for _ in range(300)
    ])  # fmt: skip
    assert (p < 0.01).mean() < 0.04 and 0.02 < (p < 0.05).mean() < 0.09


def test_p_and_interval_agree():
    random = np.random.default_rng(6)
    for trial in range(60):
        gap = multi_bootstrap(*outcomes(random, 3, 80, effect=0.05), replicates=400, seed=trial)
        assert (gap.p < 0.05) == (gap.low > 0 or gap.high < 0) or abs(gap.p - 0.05) < 0.01


def test_equal_models_show_no_difference():
    model, _ = outcomes(np.random.default_rng(0), 3, 100)
    gap = multi_bootstrap(model, model, replicates=200)
    assert (gap.estimate, gap.low, gap.high, gap.p) == (0, 0, 0, 1)
    assert approximate_randomisation(model, model, replicates=100) == 1


def test_randomisation_p_is_uniform_when_nothing_differs():
    random = np.random.default_rng(3)
    values = [
        approximate_randomisation(*outcomes(random, 4, 300, seed_std=0.0), replicates=400, seed=trial)
        for trial in range(200)
    ]
    assert stats.kstest(values, "uniform").pvalue > 0.01


def test_randomisation_equals_the_exact_sign_test():
    # Five examples, the model better on each: 2 of the 32 sign patterns are as extreme.
    value = approximate_randomisation(np.ones((1, 5)), np.zeros((1, 5)), replicates=40_000)
    assert value == pytest.approx(2 / 32, abs=0.004)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


def test_holm_leaves_untested_rows_out():
    corrected = holm([np.nan, 0.02, 0.03])
    assert np.isnan(corrected[0]) and corrected[1:] == pytest.approx([0.04, 0.04])


def test_minimum_detectable_effect():
    assert minimum_detectable_effect(1.0) == pytest.approx(1.95996 + 0.84162, abs=1e-4)
    assert minimum_detectable_effect(1.0, comparisons=10) > minimum_detectable_effect(1.0)


def test_unpaired_input_is_refused():
    with pytest.raises(ValueError, match="one shape"):
        multi_bootstrap(np.ones((2, 5)), np.ones((3, 5)))
    with pytest.raises(ValueError, match="must be finite"):
        approximate_randomisation(np.full((2, 5), np.nan), np.ones((2, 5)))
