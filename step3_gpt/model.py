"""The model of step 3: GPT-2 with integrated streams, and plain ones of equal size or cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from common.integration import IntegrationConfig
from common.models.backbones import load_backbone
from common.models.causal_lm import MultiStreamGPT2Config, MultiStreamGPT2LMHeadModel
from common.models.gpt2_size import SCRATCH, SizeConfig
from common.models.scratch import random_gpt2
from common.training.flops import counted
from common.transfer.hold import hold
from step3_gpt.config import GPTConfig

TOLERANCE = 0.01
"""Largest share by which a matched model may miss its aim."""


def build_model(config: GPTConfig, tokenizer: Any, vocabularies: Mapping[str, int]) -> MultiStreamGPT2LMHeadModel:
    """Backbone, secondary streams and integration rule as `config` says."""
    if config.match != "none":
        size = matched_size(config, tokenizer, vocabularies)
        # The plain GPT-2: without `match`, the config's own rule would join the one stream that is left.
        reference = IntegrationConfig(rule="reference")
        config = replace(config, name="", match="none", streams=(), integration=reference, option="a", size=size)
    if config.backbone == SCRATCH:
        backbone = random_gpt2(config.size, tokenizer, config.train.max_length, config.dropout)
    else:
        backbone = load_backbone(AutoModelForCausalLM, config.backbone)
        for name in ("embd_pdrop", "resid_pdrop", "attn_pdrop"):
            setattr(backbone.config, name, config.dropout)
        for module in backbone.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = config.dropout
        longest = backbone.config.n_positions
        if config.train.max_length > longest:
            raise ValueError(f"{config.backbone} reads {longest} tokens at most; lower train.max_length")
    made = MultiStreamGPT2Config(
        feedback=config.feedback, backbone=backbone.config.to_dict(), integration=asdict(config.rule),
        streams=[asdict(stream) for stream in config.used], vocabularies=vocabularies if config.used else {},
    )  # fmt: skip
    model = MultiStreamGPT2LMHeadModel(made, backbone)
    if config.used and config.option == "a" and not model.integration.last_site_only:
        raise ValueError(f"rule {config.integration.rule!r} reads every layer; take option b")
    hold(model, config.transfer, config.train.seed)
    if config.train.checkpoint_activations:
        model.checkpoint_activations()
    return model


def parameters_of(size: SizeConfig, vocabulary: int, context: int) -> int:
    """Parameters of a plain GPT-2, the head's matrix being the embeddings."""
    width, inner = size.width, size.inner or 4 * size.width
    layer = 4 * width * width + 2 * width * inner + 9 * width + inner
    return (vocabulary + context + 2) * width + size.layers * layer


def flops_of(size: SizeConfig, vocabulary: int, context: int) -> int:
    """FLOPs per token of the forward pass of a plain GPT-2 on a full window; a multiply-add counts as two."""
    width, inner = size.width, size.inner or 4 * size.width
    layer = 2 * (4 * width * width + 2 * width * inner) + 4 * context * width
    return 2 * vocabulary * width + size.layers * layer


def matched_size(config: GPTConfig, tokenizer: Any, vocabularies: Mapping[str, int]) -> SizeConfig:
    """Width and inner width of the plain GPT-2 that costs as much as the model of `config` with its streams.

    Among the sizes that hit the aim it is the one whose MLPs are nearest to four times the width.

    Raises:
        ValueError: no size comes within 1 %.
    """
    context, vocabulary = config.train.max_length, len(tokenizer)
    model = build_model(replace(config, match="none"), tokenizer, vocabularies)
    if config.match == "parameters":
        aim, cost = sum(p.numel() for p in model.parameters()), parameters_of
    else:
        aim, cost = _forward_flops(model, context) // context, flops_of
    found = []
    base = config.size
    for width in range(base.width, 2 * base.width + 1, base.heads):
        low = cost(replace(base, width=width, inner=1), vocabulary, context)
        step = cost(replace(base, width=width, inner=2), vocabulary, context) - low
        inner = max(1, round((aim - low) / step) + 1)
        size = replace(base, width=width, inner=inner)
        if abs(cost(size, vocabulary, context) / aim - 1) <= TOLERANCE:
            found.append(size)
    if not found:
        raise ValueError(f"no width of a plain GPT-2 has the {config.match} of this config; change size or streams")
    return min(found, key=lambda size: abs(size.inner / (4 * size.width) - 1))


def _forward_flops(model: MultiStreamGPT2LMHeadModel, context: int) -> int:
    """FLOPs of one window of distinct words of one piece each."""
    ids = torch.zeros(1, context, dtype=torch.long)
    inputs: dict[str, torch.Tensor] = {}
    for label, stream in model.secondary.configs.items():
        pieces = torch.full((context, max(1, stream.max_pieces // 4)), 3)
        if stream.kind == "duplicate":
            continue
        if stream.alignment == "word":
            inputs |= {f"{label}_pieces": pieces, f"{label}_index": torch.arange(context)[None]}
        else:
            owner = torch.arange(context).repeat_interleave(pieces.shape[1])[None]
            inputs |= {f"{label}_sequence": pieces.reshape(1, -1), f"{label}_owner": owner}
    model.eval()
    return counted(lambda: model(ids, **inputs))
