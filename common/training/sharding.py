"""Fully sharded data parallelism (Zhao et al. 2023, "PyTorch FSDP"): each process holds a part of parameters, gradients
and optimiser states. Here through torch's `fully_shard`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def shard(model: nn.Module, mesh: DeviceMesh) -> None:
    """Shard `model` in place: each module of a class that it names in ``_no_split_modules`` is gathered when it runs,
    and what is outside of them as long as the model runs.
    """
    for unit in _units(model, set(getattr(model, "_no_split_modules", None) or ())):
        fully_shard(unit, mesh=mesh)
    fully_shard(model, mesh=mesh)


def _units(module: nn.Module, classes: set[str]) -> list[nn.Module]:
    """The outermost modules of the named classes below `module`."""
    if type(module).__name__ in classes:
        return [module]
    return [unit for child in module.children() for unit in _units(child, classes)]


def is_sharded(model: nn.Module) -> bool:
    """Whether a parameter of `model` is spread over processes."""
    return any(isinstance(parameter, DTensor) for parameter in model.parameters())


def whole(value: Tensor) -> Tensor:
    """All of a tensor, gathered where it is spread over processes; every process must ask."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def weights_of(module: nn.Module) -> dict[str, Any]:
    """State of a module, gathered; every process must ask."""
    if not is_sharded(module):
        return module.state_dict()
    # Gathered on the first process only, which is the one that writes.
    return get_model_state_dict(module, options=WHOLE)


def optimiser_state(module: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """State of an optimiser over the parameters of `module`, gathered; every process must ask."""
    if not is_sharded(module):
        return optimiser.state_dict()
    return get_optimizer_state_dict(module, optimiser, options=WHOLE)


def load_optimiser(module: nn.Module, optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Take over what :func:`optimiser_state` gave."""
    if is_sharded(module):
        set_optimizer_state_dict(module, optimiser, state, options=StateDictOptions(full_state_dict=True))
    else:
        optimiser.load_state_dict(state)
