"""Training steps of several variants, timed in turn within one process, so that what else runs there falls on all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from common.training.config import TrainConfig
from common.training.memory import keep_freed
from common.training.optimiser import build_optimiser
from common.training.precision import autocast
from common.training.task import Batch, Task, to_device


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How variants are timed in turn, and where that is kept."""

    steps: int = 3
    """Timed steps per variant and round."""
    warm: int = 1
    """Steps before them that are not timed."""
    rounds: int = 2
    """Turns of each variant."""
    device: str = "auto"
    cache: str = "~/.cache/multistream"
    """Folder of corpora, lexicons and features."""
    out: Path | None = None
    """Where the record goes."""


@dataclass(frozen=True)
class Arm:
    """One variant."""

    train: TrainConfig
    """Its optimisation, with the number format that the machine has."""
    make: Callable[[], Task]
    """Builds it anew."""
    loader: Any
    """Of its training batches."""


def step(
    task: Task, optimiser: torch.optim.Optimizer, batch: Batch, config: TrainConfig, device: torch.device
) -> float:
    """Milliseconds of one step: forward, backward, clipping, update."""
    start = time.perf_counter()
    optimiser.zero_grad(set_to_none=True)
    with autocast(config.precision, device):
        loss, _ = task.training_forward(batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(task.parameters(), config.clip)
    optimiser.step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start)


def side_by_side(arms: Mapping[str, Arm], timing: Timing, device: torch.device) -> list[dict[str, Any]]:
    """A row per variant: ``variant``, ``step_ms`` (median over rounds and batches) and ``ratio`` (to the first's); None
    without a round.
    """
    if device.type == "cpu":
        keep_freed()  # as in training
    times: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(timing.rounds):
        for name, arm in arms.items():
            times[name] += _timed(arm, timing, device)
    medians = {name: statistics.median(values) if values else None for name, values in times.items()}
    first = next(iter(medians.values()))
    return [{"variant": name, "step_ms": ms, "ratio": ms and first and ms / first} for name, ms in medians.items()]


def _timed(arm: Arm, timing: Timing, device: torch.device) -> list[float]:
    """Milliseconds of each timed step."""
    torch.manual_seed(0)
    task = arm.make().to(device).train()
    optimiser = build_optimiser(task, task.parts(), arm.train, fused=True)
    arm.loader.set_epoch(0)  # every variant sees the same examples
    batches = [to_device(batch, device) for batch in islice(arm.loader, timing.warm + timing.steps)]
    return [step(task, optimiser, batch, arm.train, device) for batch in batches][timing.warm :]
