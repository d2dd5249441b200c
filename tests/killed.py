"""A run that is killed while it trains, as by a power cut."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def killed_at_its_first_checkpoint(code: str, arguments: list[object], folder: Path) -> None:
    """Start Python `code` with `arguments`, and kill it once a run below `folder` has a checkpoint."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(folder.glob("*/*/checkpoints/last.ckpt")) and process.poll() is None:
        assert time.monotonic() < deadline, "no checkpoint within two minutes"
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def result_of(run: Path) -> dict:
    """final.json but for what a clock measured."""
    final = json.loads((run / "final.json").read_text())
    return {name: value for name, value in final.items() if name not in ("step_time_ms", "train_seconds")}
