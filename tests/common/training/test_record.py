"""A run's files are whole at any moment, and one folder holds one run."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from common.files import remove_leftovers, write_atomic, write_text
from common.training import RunRecord, is_finished
from common.training.record import settings_of_run
from tests.common.training import toy


def test_a_run_is_read_by_its_own_step(tmp_path):
    RunRecord(tmp_path / "run", "toy", "mlp", {"width": 2})
    with pytest.raises(FileNotFoundError, match="no trained model; name the folder of a finished run of toy"):
        settings_of_run(tmp_path / "run", "toy")
    write_text(tmp_path / "run" / "model" / "config.json", "{}")
    assert settings_of_run(tmp_path / "run", "toy") == {"width": 2}
    with pytest.raises(FileNotFoundError, match="holds a run of toy; .* run of game"):
        settings_of_run(tmp_path / "run", "game")
    write_text(tmp_path / "run" / "config.json", "[]")
    with pytest.raises(ValueError, match="is damaged"):
        settings_of_run(tmp_path / "run", "toy")


def write_for_ever(folder: Path) -> None:
    count = 0
    record = RunRecord(folder, "toy", "mlp", {})
    while True:
        count += 1
        record.metric(count, count, "train", {"loss": 0.5})
        record.trace(count, [("alpha", "meaning", 0, 1.0)])
        record.flush()
        record.status("running", step=count)


def test_killed_writers_leave_whole_files(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.common.training.toy"])
    for attempt in range(4):
        folder = tmp_path / str(attempt)
        process = context.Process(target=write_for_ever, args=(folder,))
        process.start()
        deadline = time.monotonic() + 60
        while not (folder / "status.json").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05 + 0.03 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        status = json.loads((folder / "status.json").read_text())
        metrics = pd.read_csv(folder / "metrics.csv")
        assert list(metrics.step) == list(range(1, len(metrics) + 1)) and len(metrics) >= status["step"] > 0
        assert len(pd.read_csv(folder / "alphas.csv")) in (len(metrics), len(metrics) - 1)
        with RunRecord(folder, "toy", "mlp", {}).running():
            assert not list(folder.rglob(".*.tmp"))


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, fail)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    target = tmp_path / "last.ckpt"
    write_text(target, "old")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100))

    def torn(path):
        path.write_text("ne")
        raise RuntimeError("unexpected pos 41024 vs 40918")

    with pytest.raises(OSError, match="no room on the disk for .*last.ckpt; make some"):
        write_atomic(target, torn)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_leftovers_are_removed(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / ".last.ckpt.1.tmp").write_text("half")
    (tmp_path / "metrics.csv").write_text("whole")
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["metrics.csv"]


def test_folder_of_another_config_is_refused(tmp_path):
    RunRecord(tmp_path, "toy", "mlp", {"a": 1})
    RunRecord(tmp_path, "toy", "mlp", {"a": 1})
    with pytest.raises(ValueError, match="holds the run of another config"):
        RunRecord(tmp_path, "toy", "mlp", {"a": 2})


def test_status_follows_the_run(tmp_path):
    record = RunRecord(tmp_path, "toy", "mlp", {})

    def status() -> tuple[str, str]:
        content = json.loads((tmp_path / "status.json").read_text())
        return content["status"], content["message"]

    with pytest.raises(ZeroDivisionError), record.running():
        assert status() == ("running", "")
        raise ZeroDivisionError("by zero")
    assert status() == ("failed", "ZeroDivisionError: by zero")
    for stop in (KeyboardInterrupt, SystemExit):
        with pytest.raises(KeyboardInterrupt), record.running():
            raise stop
        assert status()[0] == "interrupted"
    with pytest.raises(KeyboardInterrupt), record.running():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    assert status()[0] == "interrupted" and not is_finished(tmp_path)
    with record.running(), record.running():
        record.final["test_accuracy"] = 0.5
    assert is_finished(tmp_path) and json.loads((tmp_path / "final.json").read_text()) == {"test_accuracy": 0.5}


def test_history_returns_to_the_checkpoint():
    record = toy.RunRecord.__new__(toy.RunRecord)
    record._metrics, record._traces = [], []
    record.metric(1, 0.33333, "train", {"loss": 1.0})
    state = record.state_dict()
    record.metric(2, 0.66666, "train", {"loss": 0.5})
    record.load_state_dict(state)
    assert record.state_dict()["metrics"] == [(1, 0.3333, "train", "loss", 1.0)]
