"""Scoring a whole split, with or without a trainer around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from common.training.config import TrainConfig
from common.training.loader import BucketedLoader
from common.training.precision import autocast
from common.training.task import Task, to_device


def resolve_device(name: str) -> torch.device:
    """``auto`` is the GPU where there is one. Raises ValueError for a device this machine lacks."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda was asked for, but torch sees no GPU; use device=cpu or auto")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device mps was asked for, but this machine has none; use device=cpu or auto")
    return device


@contextmanager
def eval_mode(task: Task) -> Iterator[None]:
    """Eval mode inside, the mode of before afterwards."""
    before = task.training
    task.eval()
    try:
        yield
    finally:
        task.train(before)


@torch.no_grad()
def evaluate(
    task: Task, loader: BucketedLoader[Any], device: torch.device, precision: TrainConfig | str = "fp32"
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Outputs ``[N, ...]`` of all examples in their own order (floats as float32), and the task's metrics of them.

    Args:
        task: already on `device`.
        loader: gives every example once; its epoch starts anew.
        device: where to compute.
        precision: fp32, bf16, fp16 or auto, or the config that holds it.
    """
    precision = precision.precision if isinstance(precision, TrainConfig) else precision
    collected: dict[str, list[torch.Tensor]] = {}
    loader.set_epoch(loader.epoch)
    order = np.concatenate(loader.indices())
    with eval_mode(task), autocast(precision, device):
        for batch in loader:
            for name, value in task.predict_forward(to_device(batch, device)).items():
                collected.setdefault(name, []).append(value.detach())
    back = np.argsort(order, kind="stable")
    outputs: dict[str, np.ndarray] = {}
    for name, values in collected.items():
        whole = torch.cat(values)
        if len(whole) != len(order):
            raise ValueError(f"predict_forward gave {len(whole)} rows of {name!r} for {len(order)} examples")
        outputs[name] = (whole.float() if whole.is_floating_point() else whole).cpu().numpy()[back]
    return outputs, task.metrics(outputs)
