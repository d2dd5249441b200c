"""What one forward pass carries from site to site, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from common.integration.site import Ahead


@dataclass
class Pass:
    """What one forward pass carries from site to site."""

    secondary: dict[str, list[Tensor]]
    present: Mapping[str, Tensor] | None
    mask: Tensor
    report: bool
    keep: bool = False
    read: Tensor | None = None
    ahead: Sequence[Ahead] | None = None
    state: Tensor | None = None
    hidden: Tensor | None = None
    raw: list[dict[str, Tensor]] = field(default_factory=list)
    alphas: list[dict[str, Tensor]] = field(default_factory=list)
    contributions: list[dict[str, Tensor]] = field(default_factory=list)
    projections: list[dict[str, Tensor]] = field(default_factory=list)
    penalties: list[Tensor] = field(default_factory=list)


class Soma(nn.Module):
    """Bias and norm behind the last site, kept when the rest of the backbone's layers is not."""

    def __init__(self, norm: nn.Module, bias: nn.Parameter | None) -> None:
        super().__init__()
        self.norm, self.bias = norm, bias


class Collected(NamedTuple):
    """Raw streams of one batch, for analyses that integrate them more than once."""

    sites: list[dict[str, Tensor]]  # per integrated site: stream -> [B, T, D_i]
    mask: Tensor  # bool [B, T]


def biased(state: Tensor, bias: Tensor | None) -> Tensor:
    """The state ``[B, T, D]`` with the backbone's last bias ``[D]``, where it has one."""
    return state if bias is None else state + bias


def stack_sites(sites: list[dict[str, Tensor]]) -> dict[str, Tensor] | None:
    """[{name: x} per site] to {name: ``[S, …]``}; a name missing at a site (the first has no state) counts 0 there."""
    if not sites:
        return None
    names = dict.fromkeys(name for site in sites for name in site)
    like = {name: next(site[name] for site in sites if name in site) for name in names}
    return {name: torch.stack([site.get(name, torch.zeros_like(like[name])) for site in sites]) for name in names}


def mean_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy in nats of logits ``[N, V]`` over those labels ``[N]`` that are not -100. Of none at all it is
    zero with a gradient of zeros, where torch's own mean would be 0/0.
    """
    total = nn.functional.cross_entropy(logits.float(), labels, ignore_index=-100, reduction="sum")
    return total / (labels != -100).sum().clamp_min(1)
