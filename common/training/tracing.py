"""α, its gradients and the contributions of the streams, seen in the middle of a training without disturbing it."""

from __future__ import annotations

from typing import Any

import torch

from common.integration.mixing_weights import MixingWeights
from common.training.evaluate import eval_mode
from common.training.loader import BucketedLoader
from common.training.precision import autocast
from common.training.task import Batch, Task, to_device


def trace(
    task: Task, loader: BucketedLoader[Any], precision: str, device: torch.device, sharded: bool
) -> list[tuple[str, str, int, float]]:
    """What ``task.trace()`` gives after one batch of evenly spaced examples.

    Args:
        task: on `device`; its weights, mode and gradients are afterwards as before, but for the gradients of the mixing
            weights, which are None.
        loader: of the examples; one batch of them is read.
        precision: in which the training runs.
        sharded: whether the weights are spread over processes; there are no gradients then, as that of a part of α is
            not that of α.
    """
    spaced = range(0, len(loader.items), max(1, len(loader.items) // loader.batch_size))[: loader.batch_size]
    batch: Batch = to_device(loader.collate([loader.items[k] for k in spaced]), device)
    mixing = [module for module in task.modules() if isinstance(module, MixingWeights)]
    weights = [weight for module in mixing for weight in module.parameters() if weight.requires_grad and not sharded]
    task.tracing = True
    with eval_mode(task), autocast(precision, device), torch.set_grad_enabled(not sharded):
        loss, _ = task.training_forward(batch)
    # autograd.grad, unlike backward, leaves all other gradients alone and does not wake DDP's hooks.
    gradients = torch.autograd.grad(loss, weights, allow_unused=True) if weights else ()
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    rows = task.trace()
    for weight in weights:
        weight.grad = None
    task.tracing = False
    return rows
