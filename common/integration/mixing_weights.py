"""The one module type that holds mixing weights, so that optimiser groups can be built by type."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class MixingWeights(nn.Module):
    """α, γ and their like: few numbers that say how much of each term goes into the sum.

    They are trained at a learning rate of their own, never decayed (decay would pull streams out), and read in fp32.

    Args:
        trainable: False freezes all of them at their initial values.
        initial: name -> initial value.
    """

    def __init__(self, trainable: bool = True, **initial: Tensor) -> None:
        super().__init__()
        for name, value in initial.items():
            self.register_parameter(name, nn.Parameter(value.float(), requires_grad=trainable))

    def __getitem__(self, name: str) -> Tensor:
        return getattr(self, name).float()  # a model that writes asks often: `get_parameter` would parse the name

    def __contains__(self, name: str) -> bool:
        return name in self._parameters


NEAR = 0.99
"""What a constrained α that should be 1 starts from: its bound is out of reach, and close to it gradients vanish."""


def initial_alpha(
    count: int, reference: int | None, init: str, constraint: str, noise: float = 0.0, rows: int = 1
) -> Tensor:
    """Initial α ``[rows, count]``, as logits where a constraint follows.

    Args:
        count: streams N.
        reference: position of the reference stream.
        init: `preserving` (α_ref = 1, others 0; without a reference the same as `equal`), `equal` (1/√N; 1/N under
            softmax) or `predecessor` (1).
        constraint: `free`, `softmax` or `sigmoid`. Constrained, preserving is only approached (0.99 and 0.01).
        noise: standard deviation of what is added.

    Raises:
        ValueError: `predecessor` with a constraint: α = 1 for all is out of its reach.
    """
    if init == "predecessor" and constraint != "free":
        raise ValueError(f"init 'predecessor' sets every α to 1, which constraint {constraint!r} cannot; use 'free'")
    alpha = torch.full((rows, count), 1.0 if init == "predecessor" else 1.0 / math.sqrt(count))
    if init == "preserving" and reference is not None:
        alpha = torch.zeros(rows, count)
        alpha[:, reference] = 1.0
    if constraint == "sigmoid":
        alpha = torch.logit(alpha.clamp(1.0 - NEAR, NEAR))
    elif constraint == "softmax":
        held_back = (1.0 - NEAR) / max(count - 1, 1)
        starts = init == "preserving" and reference is not None
        alpha = torch.where(alpha == 1.0, NEAR, held_back).log() if starts else torch.zeros_like(alpha)
    return alpha + noise * torch.randn(rows, count)


def constrain(logits: Tensor, constraint: str) -> Tensor:
    """α from its parameter; streams stand on the last axis."""
    if constraint == "softmax":
        return logits.softmax(-1)
    return logits.sigmoid() if constraint == "sigmoid" else logits
