"""What the README says on α follows from the numbers of table 5."""

from __future__ import annotations

import pandas as pd
import pytest

from results.table5_alpha_validity.configs import EQUAL, MEASURES
from results.table5_alpha_validity.reading import reading


def _table(path, values, together=(0.2, 0.9)):
    """A table with these rank correlations of alpha and leave-one-out per row."""
    rows = []
    for scope, title in (("all", "all settings"), ("synergistic", "synergistic")):
        for name, (alpha, removed) in values.items():
            means = dict.fromkeys(MEASURES, alpha) | {"leave_one_out": removed, "shapley": removed}
            if scope == "synergistic":
                means |= {"leave_one_out": together[0], "shapley": together[1]}
            sizes = {"settings": 2, "streams": 6}
            rows.append({"section": f"rank correlation, {title}", "variant": name, **sizes, "seeds": 5, "records": ""})
            rows[-1] |= {f"{m}_mean": value for m, value in means.items()} | {f"{m}_std": 0.01 for m in MEASURES}
        rows.append({"section": f"rank correlation, {title}", "variant": EQUAL, "seeds": 0, "alpha_mean": 0.25})
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_without_runs_it_says_so(tmp_path):
    assert reading(tmp_path / "table.csv") == "No finished run yet."


def test_worse_in_every_row(tmp_path):
    text = reading(_table(tmp_path / "table.csv", {"dm": (0.31, 0.93), "li": (0.42, 0.94)}))
    assert (
        "|α| has 0.31 to 0.42" in text and "alike has 0.25" in text and "Leaving a stream out has 0.93 to 0.94" in text
    )
    assert "**So:** read α as a part of the model" in text
    assert "Where only several streams together tell (2 settings, 6 streams together)" in text
    assert "leave-one-out has 0.20 to 0.20 and Shapley values 0.90 to 0.90" in text
    assert "| dm | 5 | 0.31 ± 0.01 |" in text and r"| variant | seeds | \|α\| |" in text


def test_constraints_are_also_told_from_a_start_that_they_can_have(tmp_path):
    rows = {"dm": (0.3, 0.9), "dm_equal": (0.31, 0.9), "dm_equal_softmax": (0.32, 0.9)}
    assert "under a softmax" not in reading(_table(tmp_path / "table.csv", rows))
    text = reading(_table(tmp_path / "table.csv", rows | {"dm_equal_sigmoid": (0.33, 0.9)}))
    assert "|α| has 0.32 under a softmax, 0.33 under a sigmoid and 0.31 free." in text


def test_better_in_some_row(tmp_path):
    text = reading(_table(tmp_path / "table.csv", {"dm": (0.31, 0.93), "gated": (0.95, 0.94)}, together=(0.9, 0.2)))
    assert "no measure is worse than leaving streams out in every row" in text and "Shapley values 0." not in text


def test_a_measure_that_is_as_good_in_few_rows_is_named_with_them(tmp_path):
    path = _table(tmp_path / "table.csv", {"dm": (0.31, 0.93), "dm_token": (0.4, 0.8), "gated": (0.3, 0.9)})
    frame = pd.read_csv(path)
    frame.loc[(frame["variant"] == "dm_token") & frame["section"].str.contains("all"), "effective_mean"] = 0.85
    frame.to_csv(path, index=False)
    text = reading(path)
    assert "read |α|, contribution, signed projection and gradient × term, which" in text
    assert "in every row. Effective α does too but for `dm_token`." in text


@pytest.mark.parametrize(("removed", "said"), [(0.2, True), (0.05, False)])
def test_leave_one_out_is_warned_against_where_it_errs_more_than_a_guess(tmp_path, removed, said):
    path = _table(tmp_path / "table.csv", {"dm": (0.31, 0.93)})
    errors = {"section": "calibration error, redundant", "settings": 2, "streams": 6, "seeds": 5, "alpha_mean": 0.1}
    rows = [
        errors | {"variant": "dm", "leave_one_out_mean": removed, "shapley_mean": 0.02},
        errors | {"variant": EQUAL, "alpha_mean": 0.06},
    ]
    pd.concat([pd.read_csv(path), pd.DataFrame(rows)]).to_csv(path, index=False)
    expected = "off by 0.20 to 0.20 in the mean, to call all streams equal by 0.06, and Shapley values by 0.02 to 0.02"
    assert (expected in reading(path)) is said
