"""Whole runs of step 1: the record they leave, resuming after a kill, predicting."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from common.data.text import DataConfig
from common.integration import DM, IntegrationConfig
from common.training.loader import BucketedLoader
from step1_sentiment.__main__ import COMMAND
from step1_sentiment.analysis import importance
from step1_sentiment.data import build_data
from step1_sentiment.predict import load_run, predict
from step1_sentiment.run import folder_of, run
from tests.step1_sentiment.conftest import runtime, tiny

REPOSITORY = Path(__file__).parents[2]


def test_record_is_complete(finished_run):
    assert json.loads((finished_run / "status.json").read_text())["status"] == "finished"
    final = json.loads((finished_run / "final.json").read_text())
    predictions = pd.read_parquet(finished_run / "predictions_test.parquet")
    probabilities = predictions.filter(regex=r"^p_\d+$")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    accuracy = (probabilities.to_numpy().argmax(1) == predictions["label"]).mean()
    assert final["test_accuracy"] == pytest.approx(accuracy)
    assert final["flops_per_token"] > 0 and final["parameters_integration"] > 0
    alphas = pd.read_csv(finished_run / "alphas.csv")
    assert {"alpha", "gamma", "contribution"} <= set(alphas["quantity"])
    assert not (finished_run / "checkpoints").exists()  # several times the size of the weights in model/
    start = alphas[(alphas["step"] == 0) & (alphas["quantity"] == "alpha")].groupby("stream")["value"].mean()
    assert start["meaning"] == 1 and start["phonetic"] == 0


@pytest.mark.usefixtures("auto_asked_once")
def test_what_follows_training_is_computed_in_its_number_format(tmp_path):
    config = tiny()
    train = replace(config.train, epochs=1, precision="auto")
    folder = run(replace(config, train=train), runtime(tmp_path))
    assert json.loads((folder / "environment.json").read_text())["precision"] in ("bf16", "fp32")


def test_a_share_of_the_data_is_trained_on_as_long_and_said(finished_run, tmp_path):
    config = tiny()
    folder = run(replace(config, data=replace(config.data, train_fraction=0.25)), runtime(tmp_path))
    whole, part = (
        {name: json.loads((one / f"{name}.json").read_text()) for name in ("final", "environment")}
        for one in (finished_run, folder)
    )
    assert (part["environment"]["data_train_examples"], part["environment"]["data_train_examples_whole"]) == (24, 96)
    assert whole["environment"]["data_train_examples"] == whole["environment"]["data_train_examples_whole"] == 96
    assert part["final"]["steps"] == whole["final"]["steps"] == 6
    counted = [pd.read_parquet(one / "words.parquet")["train_count"].max() for one in (folder, finished_run)]
    assert counted[0] < counted[1]  # what the model never saw is not counted, and repeats are no occurrences


def test_texts_that_are_cut_are_said(tmp_path):
    config = tiny()
    short = replace(config, train=replace(config.train, max_length=4))
    said, silent = (build_data(one, runtime(tmp_path)).text for one in (short, config))
    assert said.source == f"{silent.source}; texts are read up to 4 tokens, 40 of 40 test texts have more"
    assert said.fingerprint == silent.fingerprint


def test_shapley_values_are_of_a_model_that_knows_absent_streams(finished_run, tmp_path):
    assert "shapley" not in json.loads((finished_run / "importance.json").read_text())
    config = tiny(integration=DM(stream_dropout=0.3), name="dm_dropout")
    result = json.loads((run(config, runtime(tmp_path)) / "importance.json").read_text())
    names = {"meaning", "phonetic", "morphological"}
    assert set(result["shapley"]) == names and len(result["subsets"]) == 8
    gain = result["accuracy_full"] - result["subsets"]["none"]
    assert sum(result["shapley"].values()) == pytest.approx(gain)
    assert result["leave_one_out"]["zero"]["phonetic"] == result["subsets"]["meaning+morphological"]


def test_word_contributions_sum_to_one(finished_run):
    words = pd.read_parquet(finished_run / "words.parquet")
    total = words.groupby("word")["contribution"].sum()
    np.testing.assert_allclose(total, 1, atol=1e-4)


def test_no_path_of_this_machine_in_the_record(finished_run):
    for name in ("config.json", "environment.json", "final.json", "status.json"):
        assert str(finished_run.parents[2]) not in (finished_run / name).read_text()


def test_finished_run_is_left_alone(finished_run):
    before = (finished_run / "final.json").stat().st_mtime_ns
    assert run(tiny(), runtime(finished_run.parents[2])) == finished_run
    assert (finished_run / "final.json").stat().st_mtime_ns == before


KILLED = """
import json, sys
from common.training.config import RuntimeConfig
from step1_sentiment.run import run
from tests.step1_sentiment.conftest import runtime, tiny
from dataclasses import replace
from pathlib import Path
config = tiny()
config = replace(config, train=replace(config.train, epochs=3), dropout=0.1)
run(config, runtime(Path(sys.argv[1])))
"""


def start(folder):
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], env=environment, cwd=REPOSITORY)


def test_killed_run_resumes_to_the_uninterrupted_result(tmp_path):
    assert start(tmp_path / "whole").wait(timeout=180) == 0
    config = tiny()
    config = replace(config, train=replace(config.train, epochs=3), dropout=0.1)
    folder = folder_of(config, runtime(tmp_path / "killed"))
    process = start(tmp_path / "killed")
    deadline = time.monotonic() + 120
    while not list(folder.glob("checkpoints/*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "final.json").exists(), "the run ended before it could be killed"
    assert start(tmp_path / "killed").wait(timeout=180) == 0
    whole = folder_of(config, runtime(tmp_path / "whole"))
    for name in ("predictions_test.parquet", "predictions_validation.parquet", "words.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(folder / name), pd.read_parquet(whole / name), check_exact=True)
    assert (folder / "alphas.csv").read_text() == (whole / "alphas.csv").read_text()


def test_predictions_of_the_saved_model_equal_the_record(finished_run):
    from common.data import load_text

    texts = load_text(tiny().data).splits["test"].texts
    predictions = predict(finished_run, list(texts))
    recorded = pd.read_parquet(finished_run / "predictions_test.parquet").filter(regex=r"^p_\d+$").to_numpy()
    ours = np.array([list(p.probabilities.values()) for p in predictions])
    np.testing.assert_allclose(ours, recorded, atol=1e-5)
    shares = predictions[0].shares
    assert set(shares) == {"meaning", "phonetic", "morphological", "state"}
    np.testing.assert_allclose(sum(shares.values()), 1, atol=1e-5)


def test_a_stream_of_another_example_is_one_of_any_label(finished_run):
    """Where a file is sorted by label, a batch has one: streams taken from another of its examples would keep it."""
    from common.data import load_text

    model, processor, _ = load_run(finished_run)
    texts = list(load_text(tiny().data).splits["test"].texts)
    gap = torch.diff(model(**processor(texts)).logits).flatten()  # [B]
    first, second = texts[int(gap.argmin())], texts[int(gap.argmax())]
    with torch.no_grad():
        model.backbone.classifier.bias[1] -= (gap.min() + gap.max()) / 2  # so that it tells these two apart
    items = [(processor.encode(text), label) for label, text in enumerate((first, second)) for _ in range(64)]
    loader = BucketedLoader(
        items, lambda rows: processor.collate([row[0] for row in rows], [row[1] for row in rows]), batch_size=32
    )
    found = importance(model, loader, torch.device("cpu"))
    assert found["accuracy_full"] == 1.0
    assert 0.25 < found["leave_one_out"]["permutation"]["meaning"] < 0.75


def test_predict_command_takes_odd_texts_and_writes_a_page(finished_run, tmp_path, capsys):
    page = tmp_path / "new" / "page.html"
    texts = ["a fine film", "", "<b>42</b> 😀 日本語", "x" * 10_000]
    assert COMMAND.main(["predict", "--run", str(finished_run), "--html", str(page), *texts]) == 0
    content = page.read_text()
    assert "&lt;" in content and "<b>42" not in content
    assert len(re.findall(r"<h2>", content)) == len(texts)
    assert "fine" in capsys.readouterr().out


def test_predict_from_a_file(finished_run, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("one line\n\nanother line\n", encoding="utf-8")
    assert (
        COMMAND.main(["predict", "--run", str(finished_run), "--html", str(tmp_path / "p.html"), "--file", str(lines)])
        == 0
    )
    assert (tmp_path / "p.html").read_text().count("<h2>") == 2


def test_errors_of_the_command_line_are_one_line(tmp_path, capsys):
    assert COMMAND.main(["predict", "--run", str(tmp_path), "text"]) == 2
    assert "holds no trained model" in " ".join(capsys.readouterr().err.split())
    assert COMMAND.main(["run", "--variant", "nonsense"]) == 2
    assert "unknown variant" in capsys.readouterr().err


def test_table_command_skips_finished_runs_and_draws(tmp_path, capsys):
    options = [
        "table", "--variants", "meaning", "dm", "--seeds", "0", "1", "--backbone", "tiny-bert", "--data.planted-sizes",
        "96", "40", "40", "--train.epochs", "1", "--runtime.runs-dir", str(tmp_path / "runs"),
        "--runtime.cache-dir", str(tmp_path / "cache"), "--runtime.no-progress", "--runtime.threads", "1",
    ]  # fmt: skip
    assert COMMAND.main(options) == 0
    first = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("final.json")}
    assert len(first) == 4
    out = capsys.readouterr().out
    assert "meaning" in out and "figure:" in out
    assert list((tmp_path / "runs" / "figures").glob("*.png"))
    assert COMMAND.main(options) == 0
    assert first == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("final.json")}


def test_each_run_of_a_table_is_made_once(tmp_path, monkeypatch):
    launched = []
    monkeypatch.setattr("common.command.launch", lambda configs, *_, **options: launched.extend(configs) or [])
    options = ["--runtime.runs-dir", str(tmp_path)]
    assert COMMAND.main(["table", "--variants", "dm", "li", "dm", "--seeds", "1", "1", *options]) == 1
    assert [(config.name, config.train.seed) for config in launched] == [("dm", 1), ("li", 1)]


def folder_data(folder, word="good"):
    folder.mkdir(exist_ok=True)
    for split in ("train", "validation", "test"):
        rows = [f"{split} {k} {word},1\n{split} {k} bad,0\n" for k in range(8)]
        (folder / f"{split}.csv").write_text("text,label\n" + "".join(rows))
    return DataConfig(name="folder", path=str(folder))


@pytest.mark.parametrize("state", ["finished", "interrupted"])
def test_data_that_changed_since_the_run_began_are_refused(tmp_path, state):
    config = tiny(data=folder_data(tmp_path / "data"), streams=(), integration=IntegrationConfig(rule="reference"))
    folder = run(config, runtime(tmp_path))
    kept = (folder / "environment.json").read_text()
    if state == "interrupted":
        (folder / "final.json").unlink()
        (folder / "status.json").write_text(json.dumps({"status": "running"}))
    folder_data(tmp_path / "data", word="great")
    with pytest.raises(ValueError, match="the data have changed since"):
        run(config, runtime(tmp_path))
    assert (folder / "environment.json").read_text() == kept
    folder_data(tmp_path / "data")
    assert run(config, runtime(tmp_path)) == folder


def test_a_finished_run_outlives_its_data(tmp_path):
    config = tiny(data=folder_data(tmp_path / "data"), streams=(), integration=IntegrationConfig(rule="reference"))
    folder = run(config, runtime(tmp_path))
    shutil.rmtree(tmp_path / "data")
    assert run(config, runtime(tmp_path)) == folder


@pytest.mark.parametrize("damage", ["weights", "names", "environment", "lexicon"])
def test_a_damaged_run_is_named(finished_run, tmp_path, damage, capsys):
    folder = shutil.copytree(finished_run, tmp_path / "run")
    file = {
        "weights": folder / "model" / "model.safetensors",
        "lexicon": next((folder / "model").glob("lexicon-*.bin")),
    }.get(damage, folder / "environment.json")
    content = file.read_bytes()
    file.write_bytes(b"{}" if damage == "names" else content[: len(content) // 2])
    assert COMMAND.main(["predict", "--run", str(folder), "text"]) == 2
    assert "is damaged" in " ".join(capsys.readouterr().err.split())


def test_a_run_of_another_step_is_named_and_left_alone(finished_run, tmp_path, capsys):
    folder = shutil.copytree(finished_run, tmp_path / "run")
    head = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(head | {"step": "step4_vision_language"}))
    (folder / "environment.json").write_text("{}")  # other steps have no names of labels
    before = sorted(folder.rglob("*"))
    assert COMMAND.main(["predict", "--run", str(folder), "text"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "a run of step4_vision_language; name the folder of a finished run of step1_sentiment" in told
    assert "damaged" not in told and "delete" not in told and sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("content", [None, b"caf\xe9"])
def test_a_file_of_texts_that_cannot_be_read_is_named(finished_run, tmp_path, content, capsys):
    file = tmp_path / "texts"
    file.mkdir() if content is None else file.write_bytes(content)
    assert COMMAND.main(["predict", "--run", str(finished_run), "--file", str(file)]) == 2
    assert str(file) in "".join(capsys.readouterr().err.split("\n"))


def test_load_run_restores_config(finished_run):
    model, processor, labels = load_run(finished_run)
    assert len(labels) == model.config.num_labels
    assert [asdict(stream) for stream in processor.streams] == model.config.streams
