"""What was planted in a run's texts, as the figures compare α with it."""

import json

import pandas as pd
import pytest

from results.figure_alpha_sentiment.agreement import planted_shares
from results.figure_alpha_sentiment.planted_texts import planted_frame
from results.reader import load_run, load_runs


@pytest.mark.parametrize(
    ("planted", "name", "expected"),
    [
        ([["meaning", 0.2], ["phonetic", 0.3]], "dm", {"meaning": 0.2, "phonetic": 0.3, "morphological": 0.0}),
        ([["meaning=phonetic", 0.6]], "dm", {"meaning": 0.3, "phonetic": 0.3, "morphological": 0.0}),
        ([["meaning+phonetic", 1.0]], "dm", {"meaning": 0.5, "phonetic": 0.5, "morphological": 0.0}),
        ([["meaning+phonetic", 1.0]], "dm[phonetic+morphological]", {"phonetic": 0.0, "morphological": 0.0}),
        ([["meaning=phonetic", 1.0]], "dm[phonetic+morphological]", {"phonetic": 1.0, "morphological": 0.0}),
    ],
)  # fmt: skip
def test_what_several_streams_carry_is_split_between_those_that_there_are(tmp_path, record, planted, name, expected):
    folder = record(tmp_path, name, 0, dataset="planted", classes=2)
    content = json.loads((folder / "config.json").read_text())
    content["config"]["data"]["planted_shares"] = planted
    (folder / "config.json").write_text(json.dumps(content))
    assert planted_shares(load_run(folder)) == expected


def test_other_texts_have_none(tmp_path, record):
    assert set(planted_shares(load_run(record(tmp_path, "dm", 0))).values()) == {0.0}


def test_gaps_to_what_was_planted_are_known_by_variant(tmp_path, record):
    """By hand: 0.5, 0.3 and 0.2 are planted; a model has all α on the meaning, and loses what was planted."""
    for name in ("dm", "shuffled"):
        for seed in range(2):
            folder = record(tmp_path, name, seed, dataset="planted", classes=2)
            streams = ("meaning", "phonetic", "morphological")
            alphas = pd.read_csv(folder / "alphas.csv")
            alphas.loc[alphas["quantity"] == "alpha", "value"] = (alphas["stream"] == "meaning").astype(float)
            alphas.to_csv(folder / "alphas.csv", index=False)
            importance = json.loads((folder / "importance.json").read_text())
            left = [importance["accuracy_full"] - lost for lost in (0.25, 0.15, 0.1)]
            importance["leave_one_out"]["zero"] = dict(zip(streams, left, strict=True))
            (folder / "importance.json").write_text(json.dumps(importance))
    frame = planted_frame(load_runs(tmp_path), ("dm", "li", "shuffled"))
    assert list(frame["variant"]) == ["dm"] and frame["seeds"].item() == 2  # no control, none without runs
    assert frame["alpha_mean"].item() == pytest.approx((0.5 + 0.3 + 0.2) / 3)
    assert frame["zero_mean"].item() == pytest.approx(0) and frame["zero_std"].item() == pytest.approx(0)
    assert frame["equal_mean"].item() == pytest.approx((1 / 6 + 1 / 30 + 2 / 15) / 3)
    assert len(frame["records"].item().split()) == 2
    record(tmp_path / "other", "dm", 0)
    assert planted_frame(load_runs(tmp_path / "other"), ("dm",)).empty
