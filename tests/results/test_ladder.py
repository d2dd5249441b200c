"""Measures against a label that moves from the meaning of words to their sound, with slopes known by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from results.figure_alpha_sentiment.ladder import LEAST, followed, ladder_figure, slopes, sound_share
from results.figure_alpha_sentiment.make import make
from results.reader import load_run, load_runs
from results.table6_universality.domains import domains

STREAMS = ("meaning", "phonetic", "morphological")
SHARES = (0.0, 0.3, 0.5, 1.0)


@pytest.fixture
def rung(record):
    """Makes a run whose α is blind, and which loses without a stream what was planted in it."""

    def made(root, name, seed, share, planted=None):
        folder = record(root, name, seed, 0.8, dataset="planted", classes=2)
        content = json.loads((folder / "config.json").read_text())
        parts = [["meaning", 1 - share], ["phonetic", share]] if planted is None else planted
        content["config"]["data"]["planted_shares"] = [part for part in parts if part[1]]
        (folder / "config.json").write_text(json.dumps(content))
        if name == "meaning":
            return folder
        alphas = pd.read_csv(folder / "alphas.csv")
        alphas.loc[alphas["quantity"] == "alpha", "value"] = -1.0
        alphas.to_csv(folder / "alphas.csv", index=False)
        importance = json.loads((folder / "importance.json").read_text())
        lost = (0.4 * (1 - share), 0.4 * share, -0.01)
        left = [importance["accuracy_full"] - one for one in lost]
        importance["leave_one_out"]["zero"] = dict(zip(STREAMS, left, strict=True))
        (folder / "importance.json").write_text(json.dumps(importance))
        return folder

    return made


@pytest.fixture
def root(tmp_path, rung):
    for k, share in enumerate(SHARES):
        for name in ("dm_equal", "meaning"):
            for seed in range(2):
                rung(tmp_path / f"{k}", name, seed, share)
    return tmp_path


def runs_of(root):
    return [run for folder in sorted(root.iterdir()) if folder.is_dir() for run in load_runs(folder)]


def test_slopes_are_those_planted(root):
    runs = runs_of(root)
    points = followed(runs, ("dm_equal", "li"))
    frame = slopes(points).set_index("variant")
    assert list(frame.index) == ["dm_equal"] and frame.loc["dm_equal", ["seeds", "shares"]].tolist() == [2, 4]
    assert frame.loc["dm_equal", "alpha_mean"] == pytest.approx(0) and frame.loc[
        "dm_equal", "zero_mean"
    ] == pytest.approx(1)
    accuracies = [run.final["test_accuracy"] for run in runs if run.name == "dm_equal"]
    assert frame.loc["dm_equal", "accuracy_mean"] == pytest.approx(np.mean(accuracies))
    assert set(frame.loc["dm_equal", "records"].split()) == {run.folder.name for run in runs if run.name == "dm_equal"}
    alpha = points.loc[points["measure"] == "alpha", "share"]
    assert np.allclose(alpha, 1 / 3) and ladder_figure(points, ("dm_equal",)) is not None


def test_a_seed_that_lacks_a_share_is_left_out(root, rung):
    rung(root / "0", "dm_equal", 2, 0.0)
    assert set(followed(runs_of(root), ("dm_equal",))["seed"]) == {0, 1}


def test_few_shares_are_no_ladder(root):
    runs = [run for run in runs_of(root) if sound_share(run) != 1.0]
    assert len({sound_share(run) for run in runs}) < LEAST and followed(runs, ("dm_equal",)).empty


def test_other_divisions_and_data_are_no_rung(root, record, rung):
    joint = rung(root / "9", "dm_equal", 0, 0.5, [["meaning=phonetic", 1.0]])
    three = rung(root / "8", "dm_equal", 0, 0.5, [["meaning", 0.5], ["phonetic", 0.3], ["morphological", 0.2]])
    other = record(root / "7", "dm_equal", 0)
    assert [sound_share(load_run(folder)) for folder in (joint, three, other)] == [None, None, None]


def test_files_are_written_and_no_domain_of_table_6(root, rung, tmp_path):
    for k, share in enumerate(SHARES):
        rung(root / f"{k}", "dm", 0, share)
    runs = runs_of(root)
    written = {str(path.relative_to(tmp_path / "out")) for path in make(runs, tmp_path / "out")}
    assert {"ladder.png", "ladder/points.csv", "ladder/table.csv", "ladder/table.md"} <= written
    assert [one.title for one in domains(runs)] == ["sentiment: planted phonetic 1, minilm"]
