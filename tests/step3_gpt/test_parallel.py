"""Two processes on half batches give what one gives on whole ones, whole or sharded, also after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.common.data.language.texts import write_folder
from tests.conftest import REPOSITORY

OPTIONS = [
    "--variant", "dm_b", "--size.width", "32", "--size.layers", "2", "--size.heads", "2", "--data.name", "folder",
    "--data.vocab-size", "400", "--train.epochs", "1", "--train.max-length", "32", "--train.precision", "fp32",
    "--train.checkpoint-every", "3", "--train.lr-backbone", "0.002", "--runtime.no-progress",
    "--runtime.device", "cpu", "--runtime.threads", "1",
]  # fmt: skip


def start(folder, cache, runs, batch, *more):
    command = [
        sys.executable, "-m", "step3_gpt", *OPTIONS, "--data.path", str(folder), "--runtime.cache-dir", str(cache),
        "--runtime.runs-dir", str(runs), "--train.batch-size", str(batch), *more,
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=runs, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def finish(process, runs):
    _, error = process.communicate(timeout=240)
    assert process.returncode == 0, error[-3000:]
    (path,) = runs.glob("step3_gpt/*/final.json")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("parallel") / "texts")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def alone(folder, cache, tmp_path_factory):
    runs = tmp_path_factory.mktemp("alone")
    return finish(start(folder, cache, runs, 8), runs)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_reach_the_loss_of_one(folder, cache, alone, tmp_path, strategy):
    pair = finish(start(folder, cache, tmp_path, 4, "--runtime.devices", "2", "--runtime.strategy", strategy), tmp_path)
    assert pair["steps"] == alone["steps"]
    for split in ("validation", "test"):
        assert pair[f"{split}_loss"] == pytest.approx(alone[f"{split}_loss"], rel=1e-4)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_sharded_run_resumes_after_a_kill(folder, cache, alone, tmp_path):
    sharded = ("--runtime.devices", "2", "--runtime.strategy", "fsdp")
    process = start(folder, cache, tmp_path, 4, *sharded)
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("*/*/checkpoints/last.ckpt")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()[1][-3000:]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    resumed = finish(start(folder, cache, tmp_path, 4, *sharded), tmp_path)
    assert resumed["test_loss"] == pytest.approx(alone["test_loss"], rel=1e-4)
