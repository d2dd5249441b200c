"""A run that is killed at any step and started again ends as if nothing had happened."""

import json
import math
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from common.training import FolderBusy, RunRecord, TrainingFailed, is_finished, module, precision
from common.training.checkpoint import CheckpointError, Checkpoints
from common.training.precision import cpu_prefers_bf16
from tests.common.training import toy

OPTIONS = {"evaluations_per_epoch": 2, "examples": 100}
MEASURED = ("step_time_ms", "train_seconds")


@pytest.fixture(scope="module")
def processes():
    """Processes forked off a clean server that has torch loaded already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.common.training.toy"])
    return context


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return toy.run(toy.toy_config(tmp_path_factory.mktemp("whole"), **OPTIONS))


def in_process(processes, config) -> int:
    process = processes.Process(target=toy.run, args=(config,))
    process.start()
    process.join(60)
    return process.exitcode


def assert_same_result(folder: Path, other: Path) -> None:
    """All but the times is equal to the last bit."""
    finals = [json.loads((path / "final.json").read_text()) for path in (folder, other)]
    for final in finals:
        for name in MEASURED:
            assert final.pop(name) > 0
    assert finals[0] == finals[1]
    for name in ("metrics.csv", "alphas.csv"):
        assert (folder / name).read_text() == (other / name).read_text()
    for split in ("validation", "test"):
        tables = [pd.read_parquet(path / f"predictions_{split}.parquet") for path in (folder, other)]
        pd.testing.assert_frame_equal(*tables, check_exact=True)
    weights = [torch.load(path / "checkpoints" / "last.ckpt")["task"] for path in (folder, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("step", [1, 6, 9, 14, 26])
def test_killed_run_resumes_bit_equal(tmp_path, processes, whole, step):
    config = toy.toy_config(tmp_path, kill=step, **OPTIONS)
    assert in_process(processes, config) == -signal.SIGKILL
    folder = toy.run(config)
    assert is_finished(folder)
    assert_same_result(folder, whole)


def test_killed_twice_with_accumulation(tmp_path, processes):
    options = OPTIONS | {"accumulate": 3, "checkpoint_every": 2, "epochs": 3}
    config = toy.toy_config(tmp_path / "killed", kill=11, **options)
    for _ in range(2):
        assert in_process(processes, config) == -signal.SIGKILL
        (toy.RunRecord.open(config.runtime.runs_dir, "toy", "mlp", config).folder / "killed").unlink()
        config = toy.toy_config(tmp_path / "killed", kill=11, **options)
    (toy.RunRecord.open(config.runtime.runs_dir, "toy", "mlp", config).folder / "killed").write_text("enough")
    assert_same_result(toy.run(config), toy.run(toy.toy_config(tmp_path / "whole", **options)))


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    """One bit of a weight."""
    middle = content.index(b"\x00\x00\x00\x3f", 2000)  # 0.5 in fp32
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flip])
def test_damaged_last_checkpoint_falls_back(tmp_path, processes, whole, damage):
    config = toy.toy_config(tmp_path, kill=18, **OPTIONS)
    assert in_process(processes, config) == -signal.SIGKILL
    last = toy.RunRecord.open(tmp_path, "toy", "mlp", config).folder / "checkpoints" / "last.ckpt"
    last.write_bytes(damage(last.read_bytes()))
    with pytest.warns(UserWarning, match="damaged checkpoint.*resuming from.*previous"):
        folder = toy.run(config)
    assert_same_result(folder, whole)


def test_no_readable_checkpoint_is_an_error(tmp_path):
    (tmp_path / "last.ckpt").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="no readable checkpoint.*Delete"):
        Checkpoints(tmp_path).load()
    for content in (None, b"nothing"):
        if content is not None:
            (tmp_path / "best.ckpt").write_bytes(content)
        with pytest.raises(CheckpointError, match="best.ckpt is (missing|damaged). Delete"):
            Checkpoints(tmp_path).best(1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_interrupts_and_the_run_resumes(tmp_path, processes, number):
    options = {"epochs": 400, "examples": 64, "evaluations_per_epoch": 1, "checkpoint_every": 100000}
    config = toy.toy_config(tmp_path, **options)
    record = RunRecord.open(tmp_path, "toy", "mlp", config)
    process = processes.Process(target=toy.run, args=(config,))
    process.start()
    deadline = time.monotonic() + 60
    while not (record.folder / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, number)
    process.join(60)
    status = json.loads((record.folder / "status.json").read_text())
    assert status["status"] == "interrupted" and status["step"] > 0
    assert torch.load(record.folder / "checkpoints" / "last.ckpt")["step"] >= status["step"]


def signal_at(monkeypatch, number):
    """Send SIGTERM during the evaluation `number` (from 1 on); all evaluations find the same."""
    seen = []

    def evaluated(*arguments):
        seen.append(arguments)
        if len(seen) == number:
            signal.raise_signal(signal.SIGTERM)
        return {}, {"accuracy": 0.5}

    monkeypatch.setattr(module, "evaluate", evaluated)


def test_a_signal_during_the_evaluation_that_ends_the_training_is_kept(tmp_path, monkeypatch):
    config = toy.toy_config(tmp_path, patience=1, epochs=5)
    signal_at(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        toy.run(config)
    folder = RunRecord.open(tmp_path, "toy", "mlp", config).folder
    assert json.loads((folder / "status.json").read_text())["status"] == "interrupted"
    assert is_finished(toy.run(config))


def test_a_resumed_run_keeps_the_precision_that_auto_was(tmp_path, monkeypatch):
    config = toy.toy_config(tmp_path, precision="auto")
    with monkeypatch.context() as patch:
        signal_at(patch, 1)
        patch.setattr(precision, "matmul_seconds", lambda kinds: {torch.bfloat16: 2.0, torch.float32: 1.0})
        cpu_prefers_bf16.cache_clear()
        with pytest.raises(KeyboardInterrupt):
            toy.run(config)
    monkeypatch.setattr(precision, "matmul_seconds", lambda kinds: {torch.bfloat16: 0.1, torch.float32: 1.0})
    cpu_prefers_bf16.cache_clear()
    record = RunRecord.open(tmp_path, "toy", "mlp", config)
    task = toy.ToyTask(config, record.folder)
    used = toy.fit(task, toy.toy_loaders(config), config.train, config.runtime, record.folder, record)
    cpu_prefers_bf16.cache_clear()
    assert is_finished(record.folder)
    assert used == json.loads((record.folder / "environment.json").read_text())["precision"] == "fp32"


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [("world_size", 2, "--runtime.devices 2"), ("precision_name", "bf16", "--train.precision bf16")],
)
def test_other_settings_are_refused_with_advice(tmp_path, monkeypatch, name, value, advice):
    config = toy.toy_config(tmp_path)
    with monkeypatch.context() as patch:
        signal_at(patch, 1)
        with pytest.raises(KeyboardInterrupt):
            toy.run(config)
    path = RunRecord.open(tmp_path, "toy", "mlp", config).folder / "checkpoints" / "last.ckpt"
    torch.save(torch.load(path) | {name: value}, path)
    with pytest.raises(ValueError, match=f"has {name} {value}, this run .*{advice} again.*delete .*checkpoints"):
        toy.run(config)


def test_nan_loss_fails_naming_step_and_checkpoint(tmp_path):
    config = toy.toy_config(tmp_path, poison=8, **OPTIONS)
    with pytest.raises(TrainingFailed, match=r"loss is nan at step 8.*checkpoints/last\.ckpt") as error:
        toy.run(config)
    assert error.value.step == 8
    folder = RunRecord.open(tmp_path, "toy", "mlp", config).folder
    status = json.loads((folder / "status.json").read_text())
    assert status["status"] == "failed" and status["step"] == 8
    assert status["last_good_checkpoint"] == "checkpoints/last.ckpt"
    state = torch.load(folder / "checkpoints" / "last.ckpt")
    assert state["step"] == 6 and all(torch.isfinite(value).all() for value in state["task"].values())
    assert not is_finished(folder)


def test_nan_before_any_checkpoint(tmp_path):
    with pytest.raises(TrainingFailed, match="step 1; last good checkpoint: none was written yet"):
        toy.run(toy.toy_config(tmp_path, poison=1))


@pytest.mark.parametrize(("values", "step"), [((math.nan, 0.5), 13), ((0.5, math.inf), 26)])
def test_a_validation_metric_that_is_not_finite_fails_and_says_what_to_do(tmp_path, monkeypatch, values, step):
    scores = iter(values)
    monkeypatch.setattr(toy.ToyTask, "metrics", lambda self, outputs: {"score": next(scores), "loss": 1.0})
    config = toy.toy_config(tmp_path, select_metric="score")
    with pytest.raises(TrainingFailed, match=rf"metric score is (nan|inf) at step {step}; .*--train.select-metric"):
        toy.run(config)
    folder = RunRecord.open(tmp_path, "toy", "mlp", config).folder
    status = json.loads((folder / "status.json").read_text())
    assert (status["status"], status["step"]) == ("failed", step) and not is_finished(folder)


def hold(config, ready):
    with RunRecord.open(config.runtime.runs_dir, "toy", "mlp", config).running():
        ready.set()
        time.sleep(60)


def test_one_process_per_folder_and_dead_holders_let_go(tmp_path, processes):
    config = toy.toy_config(tmp_path, epochs=1)
    ready = processes.Event()
    process = processes.Process(target=hold, args=(config, ready))
    process.start()
    assert ready.wait(60)
    with pytest.raises(FolderBusy, match=f"process {process.pid}"):
        toy.run(config)
    process.kill()
    process.join()
    assert is_finished(toy.run(config))


def test_changed_data_is_refused(tmp_path, processes):
    config = toy.toy_config(tmp_path, kill=9, **OPTIONS)
    assert in_process(processes, config) == -signal.SIGKILL
    record = RunRecord.open(tmp_path, "toy", "mlp", config)
    loaders = toy.toy_loaders(toy.toy_config(tmp_path, examples=60))
    with pytest.raises(ValueError, match="bring back the training data that give 26 steps, or delete .*checkpoints"):
        toy.fit(toy.ToyTask(config, record.folder), loaders, config.train, config.runtime, record.folder, record)
