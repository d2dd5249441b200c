"""Importance against hand-worked games, and classes of words."""

import numpy as np
import pytest

from common.evaluation.importance import (
    agreement,
    effective_weights,
    leave_one_out,
    shapley,
    subsets,
    validity,
)
from common.evaluation.wordclasses import word_class


def test_shapley_of_the_glove_game():
    # One left glove, two right ones; a pair is worth 1. Known solution: 2/3, 1/6, 1/6.
    values = {chosen: float("left" in chosen and len(chosen) > 1) for chosen in subsets(["left", "r1", "r2"])}
    assert shapley(values, ["left", "r1", "r2"]) == pytest.approx({"left": 2 / 3, "r1": 1 / 6, "r2": 1 / 6})


@pytest.mark.parametrize("count", [1, 2, 5])
def test_shapley_is_efficient_and_gives_a_dummy_nothing(count):
    names = [f"s{k}" for k in range(count)]
    random = np.random.default_rng(count)
    values = {chosen: float(random.random()) for chosen in subsets(names)}
    result = shapley(values, names)
    assert sum(result.values()) == pytest.approx(values[frozenset(names)] - values[frozenset()])
    with_dummy = {chosen: values[chosen - {"dummy"}] for chosen in subsets([*names, "dummy"])}
    assert shapley(with_dummy, [*names, "dummy"])["dummy"] == pytest.approx(0)


def test_shapley_needs_every_subset():
    with pytest.raises(ValueError, match="missing"):
        shapley({frozenset("a"): 1.0}, ["a"])


def test_leave_one_out_asks_for_the_others():
    result = leave_one_out(lambda present: len(present) / 3, ["a", "b", "c"], {"mean": lambda name: float(name == "b")})
    assert result == {"zero": dict.fromkeys("abc", 2 / 3), "mean": {"a": 0.0, "b": 1.0, "c": 0.0}}


def test_effective_weight_is_decayed_by_later_gammas():
    assert effective_weights([1.0, 1.0, 1.0], [9.0, 0.5, 0.2]) == pytest.approx([0.1, 0.2, 1.0])
    assert effective_weights(np.ones((2, 3)), [0.0, 0.5]).tolist() == [[0.5] * 3, [1.0] * 3]


def test_agreement_is_spearmans():
    frame = agreement(
        {"alpha": {"a": 1, "b": 2, "c": 3}, "shapley": {"a": 5, "b": 1, "c": 0}, "short": {"a": 1, "b": 2}}
    )
    assert frame.loc["alpha", "shapley"] == pytest.approx(-1) and frame.loc["alpha", "alpha"] == pytest.approx(1)
    assert np.isnan(frame.loc["alpha", "short"])


def test_validity_of_perfect_and_of_flat_estimates():
    truth = {"a": 0.5, "b": 0.3, "c": 0.2}
    perfect = validity(truth, {name: 7 * share for name, share in truth.items()})
    assert perfect == pytest.approx({"spearman": 1, "calibration_error": 0, "slope": 1, "intercept": 0}, abs=1e-9)
    flat = validity(truth, dict.fromkeys(truth, 1.0))
    assert np.isnan(flat["spearman"]) and flat["slope"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("n't", "negation"), ("Don’t", "negation"), ("VERY", "intensifier"), ("...", "punctuation"),
        ("😀", "punctuation"),
        ("1995", "number"), ("gauzy", "rare"), ("été", "rare"),
    ],
)  # fmt: skip
def test_word_classes(word, expected):
    assert word_class(word, frequency=1) == expected


def test_a_frequent_word_is_not_rare():
    assert word_class("film", frequency=2) == "other" and word_class("film", frequency=2, rare_at=2) == "rare"
