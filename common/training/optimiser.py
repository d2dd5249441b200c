"""AdamW with parameter groups made from the types of modules, never from the names of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from common.integration.mixing_weights import MixingWeights
from common.training.config import TrainConfig

PARTS = ("backbone", "streams", "integration", "head", "vision")
ALPHA = "alpha"


def assign_groups(model: nn.Module, parts: Mapping[str, Sequence[nn.Module]]) -> dict[str, list[nn.Parameter]]:
    """Group name (the parts, and ``alpha``) -> its parameters; each parameter of `model` stands in exactly one.

    Raises:
        ValueError: for an unknown part, a parameter of two parts, or one of no part.
    """
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise ValueError(f"unknown parts {sorted(unknown)}; a model's parts are {', '.join(PARTS)}")
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    mixing = {id(p) for module in model.modules() if isinstance(module, MixingWeights) for p in module.parameters()}
    owner: dict[int, str] = {}
    groups: dict[str, list[nn.Parameter]] = {name: [] for name in (*PARTS, ALPHA)}
    for part, modules in parts.items():
        for parameter in (p for module in modules for p in module.parameters()):
            label = names.get(id(parameter), "a parameter outside the model")
            if owner.setdefault(id(parameter), part) != part:
                raise ValueError(f"{label} belongs to two parts: {owner[id(parameter)]} and {part}")
            group = groups[ALPHA if id(parameter) in mixing else part]
            if not any(parameter is other for other in group):
                group.append(parameter)
    left = [name for key, name in names.items() if key not in owner]
    if left:
        raise ValueError(f"these parameters belong to no part, add their modules to parts(): {', '.join(left)}")
    return groups


def undecayed(model: nn.Module) -> set[int]:
    """Ids of the parameters without weight decay: embedding tables, and all vectors and scalars (biases, norms).

    Mixing weights, never decayed either, have a group of their own. DM's biases b_l are the rows of one matrix
    ``[L - 1, D]``, and are decayed like any other.
    """
    tables = {id(p) for module in model.modules() if isinstance(module, nn.Embedding) for p in module.parameters()}
    return tables | {id(parameter) for parameter in model.parameters() if parameter.ndim <= 1}


def freeze_groups(model: nn.Module, parts: Mapping[str, Sequence[nn.Module]], config: TrainConfig) -> None:
    """Set ``requires_grad = False`` on the groups whose learning rate is 0 (before DDP looks at the parameters)."""
    rates = config.learning_rates()
    for name, parameters in assign_groups(model, parts).items():
        if rates[name] == 0:
            for parameter in parameters:
                parameter.requires_grad_(False)


def build_optimiser(
    model: nn.Module, parts: Mapping[str, Sequence[nn.Module]], config: TrainConfig, fused: bool = True
) -> AdamW:
    """AdamW over the parameters that :func:`freeze_groups` and the model itself leave trainable.

    Raises:
        ValueError: when nothing is left to train, or mixing weights are not fp32.
    """
    freeze_groups(model, parts, config)
    rates = config.learning_rates()
    plain = undecayed(model)
    groups: list[dict[str, object]] = []
    for name, parameters in assign_groups(model, parts).items():
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        if name == ALPHA:
            if any(parameter.dtype != torch.float32 for parameter in trained):
                raise ValueError("mixing weights must stay fp32; load the model without a lower dtype")
            split = {0.0: trained}
        else:
            split = {
                config.weight_decay: [p for p in trained if id(p) not in plain],
                0.0: [p for p in trained if id(p) in plain] if config.weight_decay else trained,
            }
        groups += [
            {"name": name, "params": members, "lr": rates[name], "weight_decay": decay}
            for decay, members in split.items()
            if members
        ]
    if not groups:
        raise ValueError("every parameter is frozen: set a learning rate above 0")
    return AdamW(groups, betas=config.betas, eps=1e-8, fused=fused)


def build_scheduler(optimiser: AdamW, config: TrainConfig, total_steps: int) -> LambdaLR:
    """Linear warm-up over the share `warmup` of `total_steps`, then the decay of the config."""
    rising = round(config.warmup * total_steps)

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / (rising + 1)
        return config.decayed(min(1.0, (step - rising) / max(1, total_steps - rising)))

    return LambdaLR(optimiser, factor)
