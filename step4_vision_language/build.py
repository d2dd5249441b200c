"""Builds the model of a run: language model, vision encoder, fusion, adapters; or takes over those of another run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from common.models.backbones import load_backbone
from common.models.gpt2_size import SCRATCH
from common.models.scratch import random_gpt2
from common.transfer.hold import hold
from common.vision.encoder import VisionEncoder, build_encoder
from step4_vision_language.config import VisionLanguageRunConfig
from step4_vision_language.model import VisionLanguageConfig, VisionLanguageModel
from step4_vision_language.texts import IMAGE

POSITIONS = ".wpe.weight"
"""How the name of GPT-2's table of positions ends."""


def build_model(config: VisionLanguageRunConfig, tokenizer: Any) -> VisionLanguageModel:
    """Language model, vision encoder and fusion as `config` says, with the weights that it names."""
    model = assemble(config, tokenizer, build_encoder(config.vision))
    if config.init_from:
        print(take_over(model, Path(config.init_from).expanduser()))
    hold(model, config.transfer, config.train.seed)
    if config.train.checkpoint_activations:
        model.checkpoint_activations()
    return model


def assemble(config: VisionLanguageRunConfig, tokenizer: Any, encoder: VisionEncoder) -> VisionLanguageModel:
    """The model of `config` around a vision encoder."""
    context = config.train.max_length + config.decode.max_new_tokens
    if config.backbone == SCRATCH:
        room = 4 * max(encoder.patches_of(config.vision.image_size), config.fusion.tokens)
        backbone: Any = random_gpt2(config.size, tokenizer, context + room, config.dropout)
    else:
        backbone = load_backbone(AutoModelForCausalLM, config.backbone)
        if len(tokenizer) > backbone.get_input_embeddings().num_embeddings:
            backbone.resize_token_embeddings(len(tokenizer))
    made = VisionLanguageConfig(
        fusion=asdict(config.fusion), vision=asdict(config.vision), vision_architecture=encoder.architecture(),
        image_token_id=tokenizer.convert_tokens_to_ids(IMAGE), feedback=config.feedback,
        adapters=asdict(config.adapters), backbone=backbone.config.to_dict(), integration=asdict(config.rule),
        streams=[asdict(stream) for stream in config.used],
    )  # fmt: skip
    return VisionLanguageModel(made, backbone, encoder)


def take_over(model: VisionLanguageModel, run: Path) -> str:
    """Copy the weights of the finished run in the folder `run`; says what was loaded, what is new, and what was left.

    Where GPT-2's table of positions has another length, since texts have, the positions of both are copied. Those that
    only this model has stay as they were made, untrained.

    Raises:
        FileNotFoundError: no finished run of this step.
        ValueError: another weight of that run has another shape here.
    """
    folder = run / "model"
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{run} holds no trained model; name the folder of a finished run of step 4")
    # An adapter moves the matrix beside it one module down.
    found, own = (
        {name.replace(".base_layer.", "."): value for name, value in one.state_dict().items()}
        for one in (VisionLanguageModel.from_pretrained(folder), model)
    )
    other = {name for name in found if name in own and found[name].shape != own[name].shape}
    partly = {
        name: min(len(found[name]), len(own[name]))
        for name in sorted(other)
        if name.endswith(POSITIONS) and found[name].shape[1:] == own[name].shape[1:]
    }
    if other := sorted(other - partly.keys()):
        shapes = ", ".join(f"{name} {tuple(found[name].shape)} and {tuple(own[name].shape)}" for name in other[:3])
        raise ValueError(
            f"the model in {run} and this one differ in {len(other)} weights: {shapes}; give both one size"
        )
    loaded = {name: value for name, value in found.items() if name in own}
    with torch.no_grad():
        for name, value in loaded.items():
            rows = slice(partly[name]) if name in partly else ...
            own[name][rows].copy_(value[rows])
    new, left = (sorted({_part(name) for name in names}) for names in (own.keys() - found, found.keys() - own))
    positions = [
        f"of {name} the first {count} positions, "
        + (f"{len(own[name]) - count} new" if len(own[name]) > count else f"{len(found[name]) - count} left behind")
        for name, count in partly.items()
    ]
    told = [f"{len(loaded)} weights loaded", *positions]
    told += [f"new: {', '.join(new) or 'none'}", f"left behind: {', '.join(left) or 'none'}"]
    return f"from {run.name}: {'; '.join(told)}"


def _part(name: str) -> str:
    """``fusion.project.0.weight`` -> ``fusion.project``."""
    return ".".join(name.split(".")[:2])
