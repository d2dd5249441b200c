"""Reading records: what is there, what is missing, what is broken."""

import shutil

import numpy as np
import pytest

from results.reader import RecordError, load_run, load_runs


def test_a_run_comes_back(records):
    run = next(run for run in load_runs(records) if run.name == "dm" and run.dataset == "sst5")
    assert (run.seed, run.backbone, run.streams) == (0, "minilm", ("meaning", "phonetic", "morphological"))
    assert run.correct("test").mean() == pytest.approx(run.final["test_accuracy"])
    assert {"alpha", "contribution"} <= set(run.alphas["quantity"]) and len(run.metrics) == 3
    assert run.words is not None and run.importance is not None
    assert np.array_equal(run.predictions("test").index, np.arange(120))


def test_only_finished_runs_unless_asked(records):
    assert all(run.status["status"] == "finished" for run in load_runs(records))
    assert any(run.name == "li_soma" for run in load_runs(records, finished_only=False))


def test_saved_models_are_not_taken_for_runs(tmp_path, record):
    folder = record(tmp_path, "dm", 0)
    (folder / "model").mkdir()
    (folder / "model" / "config.json").write_text("{}")
    assert len(load_runs(tmp_path)) == 1


@pytest.mark.parametrize("name", ["config.json", "final.json"])
@pytest.mark.parametrize("content", [None, "{ half", "[]"])
def test_broken_json_is_named(tmp_path, record, name, content):
    folder = record(tmp_path, "dm", 0)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(RecordError, match=f"{name}.*run its config again"):
        load_runs(tmp_path)


@pytest.mark.parametrize("name", ["alphas.csv", "words.parquet", "predictions_test.parquet"])
def test_broken_tables_are_named(tmp_path, record, name):
    folder = record(tmp_path, "dm", 0)
    (folder / name).write_bytes(b"\x00 no table")
    run = load_run(folder)
    with pytest.raises(RecordError, match=name):
        _ = run.alphas, run.words, run.predictions("test")


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(RecordError, match="no folder"):
        load_runs(tmp_path / "absent")


def test_what_is_still_being_collected_is_no_record(tmp_path, record):
    folder = record(tmp_path, "dm", 0)
    shutil.copytree(folder, folder.with_name(folder.name + ".tmp"))
    assert [run.folder for run in load_runs(tmp_path)] == [folder]
