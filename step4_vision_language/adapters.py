"""LoRA (Hu et al. 2022) on the language model, by `peft`."""

from __future__ import annotations

from typing import Any

from peft import LoraConfig, inject_adapter_in_model
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

TARGETS = (
    "c_attn", "c_proj", "c_fc",  # GPT-2
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",  # Qwen2 and its like
)  # fmt: skip
"""Names of the matrices in a layer that get an adapter."""


def add_adapters(model: PreTrainedModel, rank: int, alpha: int, dropout: float) -> None:
    """Put adapters that start at zero beside all matrices of the layers; everything else in `model` is frozen."""
    matrices: dict[str, Any] = {
        name.rpartition(".")[2]: module for name, module in model.named_modules() if name.rpartition(".")[2] in TARGETS
    }
    transposed = any(isinstance(module, Conv1D) for module in matrices.values())
    config = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=sorted(matrices), fan_in_fan_out=transposed
    )  # pyright: ignore[reportCallIssue]
    inject_adapter_in_model(config, model)
