"""Gives a model the mixing weights that it is to keep."""

from __future__ import annotations

import torch
from torch import Tensor

from common.integration.dm import DirectMixing
from common.integration.mixing_weights import MixingWeights, initial_alpha
from common.models.assembly import MEANING
from common.models.causal_lm import MultiStreamCausalLM
from common.transfer.config import LearntWeights, TransferConfig


def hold(model: MultiStreamCausalLM, transfer: TransferConfig, seed: int) -> None:
    """Set α, γ, and the feedback's gates where both models have them, as `transfer` says, and freeze them.

    Args:
        model: a DM model; its other parameters stay as they are. Nothing happens where the arm is ``none``.
        transfer: with the weights of its source, see :meth:`TransferConfig.resolved`.
        seed: of the order in the arm ``random``.

    Raises:
        ValueError: the source has another number of sites, or no reference stream.
    """
    if transfer.arm == "none":
        return
    module, learnt = model.integration, transfer.weights
    assert isinstance(module, DirectMixing), "resolved() has refused other rules"
    sites = 1 if module.last_site_only else module.sites
    if len(learnt.alpha) != sites:
        raise ValueError(
            f"{transfer.source} has mixing weights at {len(learnt.alpha)} sites, this model at {sites}; take a source "
            "that joins its streams in as many layers, or train both with the same --size.layers"
        )
    gates = learnt.gate if model.config.feedback else ()
    alpha = by_role(learnt, module.names)[: module.rows]  # one row where sites share α: they are equal then
    values = arranged(alpha, torch.tensor(learnt.gamma), torch.tensor(gates), transfer.arm, seed)
    _set(module.mixing, "alpha", values[0])
    if module.inner_rows:
        _set(module.mixing, "gamma", values[1])
    if gates:
        _set(model.feedback, "gate", values[2])


def by_role(learnt: LearntWeights, names: tuple[str, ...]) -> Tensor:
    """α of the source for the streams `names`, ``[sites, len(names)]``.

    The reference gets that of the reference, a secondary stream that of its namesake, or else the mean over all
    secondary streams of the source. The sign of a stream's α at all sites together is its projection's, which is learnt
    anew: (α, P) and (-α, -P) are one model. So streams that run against the first one are turned around before they
    are averaged; else they would cancel.

    Raises:
        ValueError: the source has no reference stream, or no other.
    """
    column = {name: k for k, name in enumerate(learnt.streams)}
    secondary = [k for name, k in column.items() if name != MEANING]
    if MEANING not in column or not secondary:
        raise ValueError(f"the source joined {', '.join(column)}; transfer needs {MEANING} and another stream")
    alpha = torch.tensor(learnt.alpha, dtype=torch.float64)  # [S, N of the source]
    others = alpha[:, secondary]
    against = (others * others[:, :1]).sum(0) < 0  # [secondary streams]
    mean = torch.where(against, -others, others).mean(-1)
    return torch.stack([alpha[:, column[name]] if name in column else mean for name in names], dim=-1).float()


def arranged(alpha: Tensor, gamma: Tensor, gate: Tensor, arm: str, seed: int) -> tuple[Tensor, ...]:
    """What the arm makes of α ``[R, N]``, γ ``[R']`` and gates ``[S - 1]``, in the same shapes."""
    if arm == "random":
        generator = torch.Generator().manual_seed(seed)
        return tuple(
            one.flatten()[torch.randperm(one.numel(), generator=generator)].view_as(one) for one in (alpha, gamma, gate)
        )
    if arm == "equal":
        rows, count = alpha.shape
        equal = initial_alpha(count, reference=None, init="equal", constraint="free", rows=rows)
        return equal, gamma.mean().expand_as(gamma), gate.mean().expand_as(gate)
    return alpha, gamma, gate


def _set(module: MixingWeights, name: str, value: Tensor) -> None:
    parameter = module.get_parameter(name)
    assert parameter.shape == value.shape, f"{name} is {tuple(parameter.shape)}, got {tuple(value.shape)}"
    with torch.no_grad():
        parameter.copy_(value)
    parameter.requires_grad_(False)
