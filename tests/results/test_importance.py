"""Table 9: a stream is said to count only where everything says so."""

import json
import math

import pandas as pd
import pytest

from results.reader import load_runs, where
from results.table9_importance.make import make
from results.table9_importance.rows import ALL, BOTH, NONE, SOME, importance_table


@pytest.fixture
def root(record, tmp_path):
    """Three seeds of DM, of DM without phonemes (much worse), without morphemes (as good), and of its control."""
    for seed in range(3):
        for name, accuracy in (
            ("dm", 0.8), ("dm[meaning+morphological]", 0.5), ("dm[meaning+phonetic]", 0.8), ("duplicate", 0.4),
        ):  # fmt: skip
            record(tmp_path, name, seed, accuracy, examples=400)
    return tmp_path


def row(frame, stream):
    return where(frame, rule="dm", variant=stream).iloc[0]


def test_verdicts_follow_every_measure(root):
    frame = importance_table(load_runs(root))
    assert list(frame["variant"]) == ["meaning", "phonetic", "morphological", BOTH]
    assert row(frame, "phonetic")["verdict"] == ALL and "retrained" in row(frame, "phonetic")["shows"]
    # Left out of the trained model it costs accuracy, but a model that never had it is as good.
    assert row(frame, "morphological")["verdict"] == SOME and "retrained" not in row(frame, "morphological")["shows"]
    both = row(frame, BOTH)
    assert both["known"] == "retrained" and both["verdict"] == ALL  # against the control of equal parameters


def test_without_any_effect_nothing_counts(root):
    for path in root.rglob("importance.json"):
        importance = json.loads(path.read_text())
        same = {stream: importance["accuracy_full"] for stream in importance["leave_one_out"]["zero"]}
        importance["leave_one_out"] = dict.fromkeys(importance["leave_one_out"], same)
        importance["shapley"] = dict.fromkeys(importance["shapley"], 0.0)
        path.write_text(json.dumps(importance))
    assert row(importance_table(load_runs(root)), "morphological")["verdict"] == NONE


def test_alpha_has_its_interval_and_its_way_from_the_start(root):
    runs = [run for run in load_runs(root) if run.name == "dm"]
    found = row(importance_table(runs), "phonetic")
    by_seed = []
    for run in runs:
        frame = where(run.alphas, quantity="alpha", stream="phonetic")
        by_seed.append(where(frame, step=640)["value"].mean())
        assert (where(frame, step=0)["value"] == 0).all()
    assert found["alpha_mean"] == pytest.approx(sum(by_seed) / 3)
    assert found["moved_mean"] == pytest.approx(found["alpha_mean"], abs=0.02)  # it began at zero and grew
    assert found["alpha_low"] < min(by_seed) and found["alpha_high"] > max(by_seed)
    assert math.isnan(found["gradient_mean"])  # these records have none


def test_one_seed_gives_no_verdict_and_no_interval(record, tmp_path):
    record(tmp_path, "dm", 0, 0.8)
    paths = make(load_runs(tmp_path), tmp_path / "table")
    frame = pd.read_csv(paths[0])
    assert frame["verdict"].isna().all() and "nan" not in paths[1].read_text() and "nan" not in paths[2].read_text()


def test_runs_without_several_streams_have_no_rows(record, tmp_path):
    record(tmp_path, "meaning", 0)
    assert make(load_runs(tmp_path), tmp_path / "table") == []
