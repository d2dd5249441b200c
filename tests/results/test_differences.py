"""Differences of rows: which p counts, and what a table says it could have shown."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from common.evaluation.power import effect_detectable_with_seeds
from results import differences
from results.differences import SEEDS, compare, detectable, difference, effect_shown


def of_seeds(gaps, examples=50):
    """Scores ``[S, E]`` of two models that differ by `gaps`, seed by seed, on every example alike."""
    other = np.random.default_rng(0).normal(size=(len(gaps), examples))
    return other + np.array(gaps)[:, None], other


def test_three_seeds_show_no_more_than_the_t_test_over_them():
    found = compare(*of_seeds([0.14, 0.21, 0.16]))
    over_seeds = stats.ttest_1samp([0.14, 0.21, 0.16], 0.0).pvalue
    assert max(found.gap.p, found.p_randomisation) < over_seeds == pytest.approx(found.p) == found.p_seeds


def test_few_examples_show_no_more_than_they_can():
    """All seeds agree that two of four examples differ: with new examples that is a matter of chance."""
    own, other = np.tile([1.0, 1.0, 0.0, 0.0], (3, 1)), np.zeros((3, 4))
    found = compare(own, other)
    assert found.p_seeds == 0.0 and found.p > 0.2


def test_one_seed_has_no_test_over_seeds():
    found = compare(*of_seeds([0.2]))
    assert math.isnan(found.p_seeds) and math.isnan(found.seed_std) and found.p < 0.01


def test_only_common_seeds_count():
    own, other = of_seeds([0.1, 0.3, 0.2])
    cells = difference("d", {0: own[0], 1: own[1], 7: own[2]}, {0: other[0], 1: other[1], 2: other[2]})
    assert cells["d"] == pytest.approx(0.2) and cells["d_seeds"] == 2
    assert cells["d_seed_std"] == pytest.approx(np.std([0.1, 0.3], ddof=1))
    assert differences.tested({0: own[0]}, {1: other[0]}) is None and math.isnan(difference("d", {}, {})["d"])


def test_what_a_table_could_have_shown_is_what_its_seeds_can():
    rows = [
        difference("d", dict(enumerate(a)), dict(enumerate(b))) for a, b in (of_seeds([1, 2, 3]), of_seeds([1, 5, 9]))
    ]
    frame = pd.DataFrame(rows)
    one, two = (effect_detectable_with_seeds(3, std, comparisons=2) for std in (1.0, 4.0))
    assert f"of {one:.1f} to {two:.1f} after correction for 2 comparisons" in detectable(frame, ("d",), "points")
    assert one > 2 * (stats.norm.ppf(0.9875) + stats.norm.ppf(0.8)) / math.sqrt(3)  # seeds are few, and std unknown
    capped = detectable(frame, ("d",), "points", most=(one + two) / 2)
    assert f"of {one:.1f} to more than {(one + two) / 2:g} after correction" in capped  # no score has such differences
    assert detectable(frame.iloc[:0], ("d",), "points") == ""
    single = frame.iloc[[0]].assign(**{f"d{SEEDS}": 1, "d_seed_std": math.nan, "d_error": 0.5})
    assert f"{(stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / 2:.1f} points." in detectable(single, ("d",), "points")
    assert effect_shown(3, 0.0, 0.0, 0.0, 1) == 0.0
