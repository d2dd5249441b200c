"""Marks of best rows: planted differences are found, and only they."""

import numpy as np
import pandas as pd

from results.best import BEST, LEVEL, MARK, UNTESTED, WORSE, marks, marks_by_seed
from results.render import SCORE, latex, markdown

EXAMPLES = 400


def scores(accuracy, seeds=3, key=0):
    """Right or wrong, seeds near each other."""
    draws = np.random.default_rng(key).random((seeds, EXAMPLES))
    return {seed: (draws[seed] < accuracy).astype(float) for seed in range(seeds)}


def test_the_planted_order_is_found():
    found = marks({"good": scores(0.9), "same": scores(0.9, key=1), "bad": scores(0.5, key=2)})
    assert found["bad"] == WORSE
    assert sorted((found["good"], found["same"])) == [BEST, LEVEL]


def test_equal_means_are_all_best_and_rows_without_a_common_seed_are_not_tested():
    first = scores(0.8)
    other = {7: np.zeros(EXAMPLES)}
    assert marks({"a": first, "b": {**first}, "c": other}) == {"a": BEST, "b": BEST, "c": UNTESTED}
    assert marks({}) == {} and marks({"none": {}}) == {}


def test_correction_counts_every_row_compared():
    """One comparison is significant by itself; among many as close, it is not."""
    base = np.r_[np.ones(60), np.zeros(340)]
    close = base.copy()
    close[:6] = 0  # six examples, all in one direction: p about 0.03
    assert marks({"best": {0: base}, "close": {0: close}})["close"] == WORSE
    crowd = {f"close {k}": {0: np.roll(base, 0) - np.roll(base - close, k)} for k in range(6)}
    assert set(marks({"best": {0: base}, **crowd}).values()) == {BEST, LEVEL}


def test_marks_reach_markdown_and_latex_and_nothing_else_does():
    rows = pd.DataFrame({
        "section": "one", "variant": ["dm_a", "li", "gmu", "new"], MARK: [BEST, LEVEL, WORSE, UNTESTED],
        "records": "", "accuracy_mean": [0.5, 0.4, 0.3, 0.2],
    })  # fmt: skip
    columns = {
        "variant": lambda row: row["variant"],
        SCORE: lambda row: f"{100 * row['accuracy_mean']:.0f} %",
        "other": lambda row: "1",
    }
    text = markdown(rows, {}, columns=columns)
    assert "| dm_a | **50 %** | 1 |" in text and "| li | *40 %* | 1 |" in text and "| gmu | 30 % | 1 |" in text
    tex = latex(rows, {}, "t", columns)
    assert r"dm\_a & \textbf{50 \%} & 1" in tex and r"li & \textit{40 \%} & 1" in tex and r"new & 20 \% & 1" in tex


def test_who_is_ahead_on_the_seeds_of_both_is_not_worse():
    """The best mean is over all seeds; the test is over those that both rows have."""
    many = {**scores(0.5), **{seed: np.ones(EXAMPLES) for seed in range(3, 9)}}
    assert marks({"many": many, "few": scores(0.7, key=4)}) == {"many": BEST, "few": LEVEL}
    assert marks_by_seed({"many": {0: 0.1, 1: 0.1, 2: 0.9}, "few": {0: 0.2, 1: 0.25}}) == {"many": BEST, "few": LEVEL}
