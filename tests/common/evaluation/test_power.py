"""Seeds needed against published sample sizes, simulation and the effect that can be detected."""

import numpy as np
import pytest
from scipy import stats

from common.evaluation.power import effect_detectable_with_seeds, power_with_seeds, seeds_needed
from common.evaluation.statistics import minimum_detectable_effect


@pytest.mark.parametrize("effect, pairs", [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_cohens_small_medium_and_large_effects(effect, pairs):
    # Pairs for a power of 0.8, two-sided 0.05, as given by G*Power 3 (Faul et al. 2007) for the paired t test.
    assert seeds_needed(effect, 1.0) == pairs
    assert power_with_seeds(pairs - 1, effect, 1.0) < 0.8 <= power_with_seeds(pairs, effect, 1.0)


def test_power_of_34_pairs():
    assert power_with_seeds(34, 0.5, 1.0) == pytest.approx(0.8077775, abs=1e-6)  # G*Power 3: achieved power


@pytest.mark.parametrize("example_error", [0.0, 0.3])
@pytest.mark.parametrize("comparisons", [1, 12])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_seeds_and_detectable_effect_are_inverse(power, comparisons, example_error):
    for seeds in (2, 3, 5, 10, 60):
        effect = effect_detectable_with_seeds(seeds, 0.8, power, 0.05, comparisons, example_error)
        assert power_with_seeds(seeds, effect, 0.8, 0.05, comparisons, example_error) == pytest.approx(power)
        assert seeds_needed(effect * 1.000001, 0.8, power, 0.05, comparisons, example_error) == seeds
        assert seeds_needed(effect * 0.999999, 0.8, power, 0.05, comparisons, example_error) == seeds + 1


def test_many_seeds_come_to_the_minimum_detectable_effect():
    ratios = [
        effect_detectable_with_seeds(seeds, 1.0) / minimum_detectable_effect(1 / np.sqrt(seeds))
        for seeds in (2, 5, 30, 3000)
    ]
    assert ratios == sorted(ratios, reverse=True)  # the normal approximation promises too much for few seeds
    assert ratios[-1] == pytest.approx(1, abs=1e-3) and ratios[0] > 3
    seeds = seeds_needed(0.02, 1.0)
    assert minimum_detectable_effect(1 / np.sqrt(seeds)) == pytest.approx(0.02, rel=1e-3)


def test_examples_set_a_limit_that_no_seeds_pass():
    limit = minimum_detectable_effect(0.3)
    assert effect_detectable_with_seeds(10**6, 0.8, example_error=0.3) == pytest.approx(limit, rel=1e-3)
    assert seeds_needed(limit * 1.2, 0.8, example_error=0.3) > seeds_needed(limit * 1.2, 0.8)
    with pytest.raises(ValueError, match="no number of seeds"):
        seeds_needed(limit * 0.999, 0.8, example_error=0.3)


def test_a_scale_does_not_change_the_seeds_and_a_sign_neither():
    assert seeds_needed(0.005, 0.008, example_error=0.001) == seeds_needed(-0.5, 0.8, example_error=0.1)


@pytest.mark.parametrize("example_error", [0.0, 0.25])
def test_simulated_tests_have_the_predicted_power(example_error):
    random = np.random.default_rng(0)
    seeds, std = 8, 0.8
    effect = effect_detectable_with_seeds(seeds, std, example_error=example_error)
    for truth, expected in ((effect, 0.8), (0.0, 0.05)):
        gaps = truth + std * random.normal(size=(6000, seeds)) + example_error * random.normal(size=(6000, 1))
        of_seeds = gaps.var(1, ddof=1) / seeds
        variance = of_seeds + example_error**2
        critical = stats.t.ppf(0.975, (seeds - 1) * (variance / of_seeds) ** 2)
        found = np.mean(abs(gaps.mean(1)) / np.sqrt(variance) > critical)
        assert found == pytest.approx(expected, abs=0.02)


def test_impossible_questions_are_refused():
    with pytest.raises(ValueError, match="no number of seeds"):
        seeds_needed(0.0, 1.0)
    with pytest.raises(ValueError, match="at least 2 seeds"):
        power_with_seeds(1, 0.5, 1.0)
    with pytest.raises(ValueError, match="std above 0"):
        seeds_needed(0.5, 0.0)
    with pytest.raises(ValueError, match="power"):
        seeds_needed(0.5, 1.0, power=1.0)
