"""The picture side of a CLIP of `transformers` (Radford et al. 2021): hub name, local folder, or tiny and random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
from transformers.utils.constants import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from common.vision.config import VisionConfig
from common.vision.encoder import VisionEncoder, register_encoder

TINY = "tiny"
TINY_PATCH = 8
"""Pixels a side of a patch of the tiny encoder."""


class TransformersEncoder(VisionEncoder):
    """Patches of the last layers; pooled is the projected embedding that is compared with texts."""

    def __init__(self, config: VisionConfig, model: CLIPVisionModelWithProjection) -> None:
        super().__init__(config, tuple(OPENAI_CLIP_MEAN), tuple(OPENAI_CLIP_STD))
        self.model = model
        self.patch_width = model.config.hidden_size * config.depths
        self.pooled_width = model.config.projection_dim

    def architecture(self) -> dict[str, Any]:
        return self.model.config.to_dict()

    def layers(self, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
        resized = pixels.shape[-1] != self.model.config.image_size
        output = self.model(pixels, output_hidden_states=True, interpolate_pos_encoding=resized)
        return [layer[:, 1:] for layer in output.hidden_states[-self.config.depths :]], output.image_embeds


@register_encoder("")
def build(config: VisionConfig, load: bool, architecture: dict[str, Any]) -> VisionEncoder:
    """``tiny``, a local folder, or a name on the hub such as ``openai/clip-vit-base-patch32``."""
    if architecture:
        return TransformersEncoder(config, CLIPVisionModelWithProjection(CLIPVisionConfig(**architecture)))
    if config.name == TINY:
        tiny = CLIPVisionConfig(
            hidden_size=64, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4, projection_dim=64,
            image_size=config.image_size, patch_size=TINY_PATCH,
        )  # fmt: skip
        return TransformersEncoder(config, CLIPVisionModelWithProjection(tiny))
    if config.name.startswith((".", "/", "~")) and not Path(config.name).expanduser().is_dir():
        raise FileNotFoundError(f"no such folder of a vision encoder: {config.name}")
    try:
        model = CLIPVisionModelWithProjection.from_pretrained(str(Path(config.name).expanduser()))
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            f"vision encoder {config.name!r} is no folder of a CLIP and could not be had from the Hugging Face hub. "
            "Check name and network (or HF_HUB_OFFLINE), or take tiny, timm/MODEL or open_clip/MODEL."
        ) from error
    return TransformersEncoder(config, model)
