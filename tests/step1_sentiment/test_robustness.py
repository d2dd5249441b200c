"""A tiny run on perturbed texts: what is written, what absent streams do, and what is refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from results.collect import collect
from results.reader import load_run
from step1_sentiment.__main__ import COMMAND
from step1_sentiment.predict import load_run as load_model
from step1_sentiment.robustness import LeftOutTask, conditions, data_of, robustness, secondary_sets

OPTIONS = ["--kinds", "typo", "phonetic", "--rates", "0.5", "1", "--draws", "2", "--device", "cpu"]
SETS = {"phonetic", "morphological", "phonetic+morphological"}


@pytest.fixture(scope="module")
def evaluated(finished_run, tmp_path_factory):
    folder = shutil.copytree(finished_run, tmp_path_factory.mktemp("robust") / "step1_sentiment" / finished_run.name)
    assert COMMAND.main(["robustness", "--run", str(folder), *OPTIONS]) == 0
    return folder


def test_clean_predictions_are_those_of_the_run(evaluated):
    run = load_run(evaluated)
    summary, frame = run.robustness
    clean = frame[(frame["kind"] == "clean") & (frame["without"] == "")]
    recorded = run.predictions("test").filter(regex=r"^p_\d+$").to_numpy().argmax(1)
    assert np.array_equal(clean.sort_values("example")["predicted"], recorded)
    assert summary["clean_agreement"] == 1 and summary["conditions"][0]["changed"] == 0
    assert summary["conditions"][0]["accuracy"] == pytest.approx(run.final["test_accuracy"])


@pytest.mark.usefixtures("auto_asked_once")
def test_a_run_in_the_machines_number_format_is_evaluated_in_the_recorded_one(finished_run, tmp_path):
    folder = shutil.copytree(finished_run, tmp_path / "run")
    head = json.loads((folder / "config.json").read_text())
    head["config"]["train"]["precision"] = "auto"
    (folder / "config.json").write_text(json.dumps(head))
    run = load_run(folder)
    assert run.number_format == "fp32"
    text = data_of(run)
    assert robustness(run, text, conditions(text, ["typo"], [1.0], 1), "cpu")["clean_agreement"] == 1


def test_every_condition_is_there_once_and_its_accuracy_is_that_of_its_rows(evaluated):
    summary, frame = load_run(evaluated).robustness
    keys = ["kind", "rate", "draw", "without"]
    assert not frame.duplicated([*keys, "example"]).any()
    right = (frame["label"] == frame["predicted"]).groupby([frame[key] for key in keys]).mean()
    assert len(right) == (1 + 2 * 2 * 2) * (1 + len(SETS))
    for row in summary["conditions"]:
        place = row["kind"], row["rate"], row["draw"]
        assert set(row["without"]) == SETS and row["changed"] <= row["eligible"] <= row["words"]
        for without, accuracy in ({"": row["accuracy"]} | row["without"]).items():
            assert right.loc[(*place, without)] == pytest.approx(accuracy)
        changed = frame[(frame[keys[:3]] == place).all(axis=1) & (frame["without"] == "")]["changed"].sum()
        assert changed == row["changed"]
    assert max(row["changed"] for row in summary["conditions"]) > 0


def test_an_absent_stream_contributes_nothing(finished_run):
    model, processor, _ = load_model(finished_run)
    task = LeftOutTask(model.eval(), secondary_sets(model.integration.names))
    assert set(task.left_out) == SETS
    batch = processor(["a fine film", "one dull , lifeless sequel"]) | {"labels": torch.tensor([0, 1])}
    with torch.no_grad():
        before = task.predict_forward(batch)
        for name, gone in task.left_out.items():
            other = dict(batch)
            for stream in gone:
                other[f"{stream}_pieces"] = batch[f"{stream}_pieces"].flip(0)
            after = task.predict_forward(other)
            torch.testing.assert_close(after[name], before[name], rtol=0, atol=0)
            assert not torch.equal(after["logits"], before["logits"])
    torch.testing.assert_close(before["logits"], model(**batch).logits)


def test_something_is_always_left():
    assert secondary_sets(["meaning"]) == {} == secondary_sets(["phonetic"])
    assert set(secondary_sets(["phonetic", "morphological"])) == {"phonetic", "morphological"}
    assert secondary_sets(["meaning", "phonetic"]) == {"phonetic": ("phonetic",)}


def test_it_becomes_part_of_the_record_and_a_second_time_replaces_it(evaluated, tmp_path, capsys):
    before = (evaluated / "robustness.parquet").read_bytes()
    assert COMMAND.main(["robustness", "--run", str(evaluated), *OPTIONS]) == 0
    assert "typo 0.5: " in capsys.readouterr().out
    assert (evaluated / "robustness.parquet").read_bytes() == before
    assert not list(evaluated.glob(".*.tmp"))
    (record,) = collect(evaluated.parent.parent, tmp_path)
    digests = json.loads((record / "digests.json").read_text())
    assert {"robustness.json", "robustness.parquet"} <= set(digests)
    pd.testing.assert_frame_equal(load_run(record).robustness[1], load_run(evaluated).robustness[1])


def test_all_models_read_the_same_texts(finished_run):
    run = load_run(finished_run)
    first, second = (conditions(data_of(run), ["typo"], [0.5], 1) for _ in range(2))
    assert [one.counts for one in first] == [one.counts for one in second]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kinds", "noise"], "kinds are derivation"),
        (["--rates", "1.5"], "rates above 0"),
        (["--draws", "0"], "draws at least 1"),
    ],
)
def test_wrong_options_are_one_error(finished_run, arguments, said, capsys):
    assert COMMAND.main(["robustness", "--run", str(finished_run), *arguments]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and said in message and message.count("\n") == 1


@pytest.mark.parametrize("damage", ["none", "model", "unfinished", "data", "predictions"])
def test_runs_that_cannot_be_evaluated_are_named(finished_run, tmp_path, damage, capsys):
    folder = tmp_path / "run"
    if damage != "none":
        shutil.copytree(finished_run, folder)
    if damage == "model":
        shutil.rmtree(folder / "model")
    if damage == "unfinished":
        (folder / "status.json").write_text('{"status": "running"}')
    if damage == "data":
        (folder / "environment.json").write_text('{"data_fingerprint": "other"}')
    if damage == "predictions":
        frame = pd.read_parquet(folder / "predictions_test.parquet")
        frame.assign(p_0=frame["p_1"], p_1=frame["p_0"]).to_parquet(folder / "predictions_test.parquet")
    assert COMMAND.main(["robustness", "--run", str(folder), "--kinds", "typo", "--rates", "1"]) == 2
    (message,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    said = {
        "none": "there is no folder", "model": "holds no trained model", "unfinished": "is not finished",
        "data": "the data have changed", "predictions": "of the test texts as its record says",
    }[damage]  # fmt: skip
    assert said in message
    assert not (folder / "robustness.json").exists()
