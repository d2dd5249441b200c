"""What scaling, constraint and learning rate change is counted within rules and seeds."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from results.best import BEST, LEVEL, UNTESTED, WORSE, marks_by_seed
from results.reader import Run
from results.table5_alpha_validity.conditions import condition_frame
from results.table5_alpha_validity.configs import MEASURES
from results.table5_alpha_validity.reading import conditions_said
from results.table5_alpha_validity.rows import recovery, shares


def _values(**by_variant):
    """Rows of ``recovered``: variant -> rank correlation of |α| by seed; of other measures there is none."""
    rows = []
    for name, values in by_variant.items():
        for seed, value in enumerate(values):
            for measure in MEASURES:
                found = value if measure == "alpha" else math.nan
                row = {"scope": "all", "variant": name, "seed": seed, "record": f"{name}-{seed}", "measure": measure}
                rows.append(row | {"accuracy": 0.9, "spearman": found, "calibration_error": 0.1})
    return pd.DataFrame(rows)


def test_a_change_is_that_of_the_same_rules_on_the_same_seeds():
    plain, softmax = [0.5, 0.6, 0.4, 0.55], [0.3, 0.45, 0.15, 0.4]
    linear, linear_softmax = [0.1, 0.2, 0.3, 0.4], [0.0, 0.15, 0.2, 0.25]
    values = _values(dm=plain, dm_softmax=softmax, dm_linear=linear, dm_linear_softmax=linear_softmax, gated=[0.9] * 4)
    frame = condition_frame(values).set_index("variant")
    assert list(frame.index) == ["softmax"] and frame.loc["softmax", "rules"] == 2  # gated has no run with a softmax
    mean = (np.array([softmax, linear_softmax]) - np.array([plain, linear])).mean(0)
    assert frame.loc["softmax", "alpha"] == pytest.approx(mean.mean())
    assert frame.loc["softmax", "alpha_p"] == pytest.approx(ttest_rel(mean, np.zeros(4))[1])
    assert math.isnan(frame.loc["softmax", "shapley"])
    assert "gated" not in frame.loc["softmax", "records"] and "dm_linear_softmax-3" in frame.loc["softmax", "records"]


def test_a_seed_that_one_side_lacks_is_not_counted():
    frame = condition_frame(_values(dm=[0.5, 0.6, 0.4], dm_lr1=[0.4, 0.45])).set_index("variant")
    assert frame.loc["lr1", "seeds"] == 2 and frame.loc["lr1", "alpha"] == pytest.approx(-0.125)
    assert condition_frame(_values(dm=[0.5, 0.6], li=[0.1, 0.2])).empty


def test_the_readme_names_shown_changes_only(tmp_path):
    rng = np.random.default_rng(0)
    plain = rng.uniform(0.4, 0.5, 5)
    values = _values(dm=plain, dm_softmax=plain - 0.2 + rng.normal(0, 0.01, 5), dm_lr20=plain + rng.normal(0, 0.05, 5))
    condition_frame(values).to_csv(tmp_path / "table.csv", index=False)
    _, said = conditions_said(tmp_path / "table.csv")
    assert "- |α|: α: softmax over streams (−0.2" in said and "× 20" not in said and "- contribution: none." in said
    assert conditions_said(tmp_path / "missing.csv") == []


def test_marks_over_seeds():
    best = dict(enumerate([0.9, 0.8, 0.85, 0.95]))
    worse = {seed: value - 0.3 + 0.01 * seed for seed, value in best.items()}
    close = dict(enumerate([0.95, 0.7, 0.9, 0.9]))
    below = {seed: value - 0.2 for seed, value in best.items()}
    found = marks_by_seed(
        {
            "best": best, "worse": worse, "close": close, "below": below, "elsewhere": {9: 0.1},
            "unknown": {0: math.nan},
        }
    )  # fmt: skip
    assert found == {"best": BEST, "worse": WORSE, "close": LEVEL, "below": WORSE, "elsewhere": UNTESTED}


def test_equal_shares_are_tied_whatever_their_last_bits(tmp_path):
    """Two streams of one planted share, measured at one value each: a tie on both sides is perfect agreement."""
    third = 0.1 + 0.2
    assert third != 0.3
    rows = [
        ("unique 1", "a", 0.3, third),
        ("unique 1", "b", 0.7, 0.7),
        ("unique 2", "a", third, 0.3),
        ("unique 2", "b", 0.7, 0.7),
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(["setting", "stream", "truth", "leave_one_out"]))
    frame.to_parquet(tmp_path / "measures.parquet")
    found = shares(Run(tmp_path, {}, {}, {}))
    own = found.loc[found["measure"] == "leave_one_out"]
    assert sorted(set(own["truth"])) == [0.3, 0.7] and own["share"].nunique() == 2
    assert recovery(own["truth"].to_numpy(), own["share"].to_numpy())["spearman"] == 1.0


def test_a_measure_that_some_settings_lack_is_not_ranked():
    """Else it would stand beside rows that are ranked over more."""
    truth = np.array([0.1, 0.3, 0.6, 0.2])
    assert recovery(truth, truth)["spearman"] == pytest.approx(1.0)
    assert math.isnan(recovery(truth, np.array([0.1, 0.3, math.nan, 0.2]))["spearman"])


def test_a_rule_that_lacks_a_measure_on_one_seed_takes_no_seed_from_the_others():
    values = _values(dm=[0.5, 0.6, 0.4], dm_lr1=[0.4, 0.45, 0.3], gated=[0.9, 0.8, math.nan], gated_lr1=[0.1, 0.2, 0.3])
    row = condition_frame(values).set_index("variant").loc["lr1"]
    assert (row["alpha_rules"], row["alpha_seeds"]) == (1, 3) and row["alpha"] == pytest.approx(-0.35 / 3)
