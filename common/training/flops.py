"""Floating-point operations of a model, counted by torch itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from common.training.evaluate import eval_mode
from common.training.loader import BucketedLoader
from common.training.precision import autocast
from common.training.task import Batch, Task, to_device

BACKWARD_FACTOR = 3
"""FLOPs of a training step over those of its forward: backward takes about twice the forward (Kaplan et al. 2020)."""


@torch.enable_grad()  # without it, views of parameters ask for a gradient and have none, which the counter refuses
def counted(forward: Callable[[], object]) -> int:
    """FLOPs of a call (matrix products and convolutions, a multiply-add as two)."""
    counter = FlopCounterMode(display=False)
    # The plain attention kernel is made of matrix products, so it counts the same on every device; torch's fused
    # transformer layers would not be counted at all.
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), counter:
            forward()
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return counter.get_total_flops()


def forward_flops(task: Task, batch: Batch) -> int:
    """FLOPs of one forward of `batch`, padding included."""
    with eval_mode(task):
        return counted(lambda: task.predict_forward(batch))


def flops_per_token(task: Task, batch: Batch) -> float:
    """Forward FLOPs per position of ``batch["input_ids"] [B, T]``; compare models on one and the same batch."""
    return forward_flops(task, batch) / batch["input_ids"].numel()


def loader_flops_per_token(task: Task, loader: BucketedLoader[Any], precision: str) -> float:
    """Forward FLOPs per position of the first items of `loader`, where the task is, in the precision of training."""
    return loader_flops(task, loader, precision)["flops_per_token"]


@torch.no_grad()
def loader_flops(task: Task, loader: BucketedLoader[Any], precision: str) -> dict[str, float]:
    """Forward FLOPs of the first items of `loader` by position (``flops_per_token``) and by row (``flops_per_text``).

    Models that give one text different numbers of positions, as ways of showing a picture do, compare by text only.
    """
    device = next(task.parameters()).device
    batch = to_device(loader.collate(list(loader.items[: loader.batch_size])), device)
    with autocast(precision, device):
        flops = forward_flops(task, batch)
    rows, positions = batch["input_ids"].shape
    return {"flops_per_token": flops / (rows * positions), "flops_per_text": flops / rows}
