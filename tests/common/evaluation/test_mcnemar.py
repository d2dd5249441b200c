"""McNemar's test against the examples of Fagerland, Lydersen and Laake (2013) and simple identities."""

import math

import numpy as np
import pytest

from common.evaluation.mcnemar import mcnemar_test


def answers(both: int, only_model: int, only_baseline: int, neither: int):
    model = np.repeat([1, 1, 0, 0], [both, only_model, only_baseline, neither])
    return model, np.repeat([1, 0, 1, 0], [both, only_model, only_baseline, neither])


@pytest.mark.parametrize(
    "table, exact, mid",
    [
        ((1, 1, 7, 12), 0.0703, 0.0391),  # airway hyper-responsiveness before and after stem cell transplantation
        ((59, 6, 16, 80), 0.0525, 0.0347),  # complete response before and after consolidation therapy
    ],
)
def test_the_examples_of_fagerland_et_al(table, exact, mid):
    found = mcnemar_test(*answers(*table))
    assert (found.p_exact, found.p_mid) == pytest.approx((exact, mid), abs=5e-5)
    assert (found.only_model, found.only_baseline, found.examples) == (table[1], table[2], sum(table))
    assert found.difference == pytest.approx((table[1] - table[2]) / sum(table))
    assert found.odds_ratio == pytest.approx(table[1] / table[2])


def test_a_draw():
    found = mcnemar_test(*answers(5, 2, 2, 5))  # mid-p of a draw: 1 less half of C(4, 2) / 2^4
    assert (found.p_exact, found.p_mid, found.odds_ratio) == pytest.approx((1, 1 - 6 / 16 / 2, 1))


def test_examples_on_which_both_agree_change_only_the_difference():
    few, many = mcnemar_test(*answers(0, 9, 2, 0)), mcnemar_test(*answers(500, 9, 2, 500))
    assert (few.p_exact, few.p_mid, few.odds_low) == (many.p_exact, many.p_mid, many.odds_low)
    assert many.difference == pytest.approx(7 / 1011)


def test_swapping_the_models_inverts_the_odds():
    found, swapped = mcnemar_test(*answers(3, 9, 2, 4)), mcnemar_test(*answers(3, 2, 9, 4))
    assert (found.p_exact, found.p_mid) == (swapped.p_exact, swapped.p_mid)
    assert (found.odds_low, found.odds_high) == pytest.approx((1 / swapped.odds_high, 1 / swapped.odds_low))


def test_the_interval_of_the_odds_agrees_with_the_exact_p():
    for wins in range(13):
        found = mcnemar_test(*answers(1, wins, 12 - wins, 1))
        assert (found.p_exact <= 0.05) == (not found.odds_low <= 1 <= found.odds_high)


def test_one_sided_disagreement_has_infinite_odds():
    found = mcnemar_test(*answers(1, 6, 0, 1))
    assert found.p_exact == pytest.approx(2 / 2**6) and found.odds_ratio == found.odds_high == math.inf
    assert found.odds_low == pytest.approx(0.025 ** (1 / 6) / (1 - 0.025 ** (1 / 6)))  # Clopper and Pearson at 6 of 6


def test_equal_answers_show_nothing():
    found = mcnemar_test([1, 0, 1], [1, 0, 1])
    assert (found.p_exact, found.p_mid, found.odds_low, found.odds_high) == (1, 1, 0, math.inf)
    assert math.isnan(found.odds_ratio)


def test_the_mid_p_is_closer_to_its_level_than_the_exact_p():
    levels = []
    for differing in range(10, 16):  # all outcomes, weighted by their probability if the models are equally good
        found = [mcnemar_test(*answers(0, wins, differing - wins, 0)) for wins in range(differing + 1)]
        chance = np.array([math.comb(differing, wins) for wins in range(differing + 1)]) / 2**differing
        rejected = np.array([(one.p_exact <= 0.05, one.p_mid <= 0.05) for one in found])
        levels.append(chance @ rejected)
    exact, mid = np.transpose(levels)
    assert np.all(exact <= 0.05)
    assert abs(mid.mean() - 0.05) < abs(exact.mean() - 0.05)


def test_other_input_is_refused():
    with pytest.raises(ValueError, match="right .1. or wrong"):
        mcnemar_test([0.3, 1.0], [0, 1])
    with pytest.raises(ValueError, match="same examples"):
        mcnemar_test([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="shape"):
        mcnemar_test([[0, 1]], [[0, 1]])
