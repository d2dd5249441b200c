"""The picture side of a CLIP of open_clip (Ilharco et al. 2021; Radford et al. 2021)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import open_clip
from open_clip.transformer import VisionTransformer
from torch import Tensor

from common.vision.config import RANDOM, VisionConfig
from common.vision.encoder import VisionEncoder, register_encoder


class OpenClipEncoder(VisionEncoder):
    """Patches of the last layers; pooled is the projected embedding that is compared with texts."""

    def __init__(self, config: VisionConfig, visual: VisionTransformer) -> None:
        stated: Any = visual
        super().__init__(config, tuple(stated.image_mean or ()), tuple(stated.image_std or ()))
        self.visual = visual
        width = visual.conv1.out_channels
        self.patch_width, self.pooled_width = width * config.depths, visual.output_dim

    def layers(self, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
        output: Any = self.visual.forward_intermediates(pixels, indices=self.config.depths, output_fmt="NLC")
        return list(output["image_intermediates"]), output["image_features"]


@register_encoder("open_clip")
def build(config: VisionConfig, load: bool, architecture: dict[str, Any]) -> VisionEncoder:
    """``open_clip/MODEL``, such as ``open_clip/ViT-B-32`` with the weights ``laion2b_s34b_b79k``."""
    name = config.name.partition("/")[2]
    if name not in open_clip.list_models():
        raise ValueError(f"open_clip has no model {name!r}; open_clip.list_models() names them")
    tag = config.weights if load and config.weights != RANDOM else None
    if tag is not None and tag not in open_clip.list_pretrained_tags_by_model(name) and not Path(tag).is_file():
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(name))
        raise FileNotFoundError(f"{tag!r} is neither a file nor a tag of {name}; tags are {tags}")
    try:
        model: Any = open_clip.create_model(name, pretrained=tag, force_image_size=config.image_size)
    except OSError as error:
        raise FileNotFoundError(
            f"the weights {tag!r} of open_clip's {name} could not be had; check the network, name a file, or take "
            + RANDOM
        ) from error
    if not isinstance(model.visual, VisionTransformer):
        raise ValueError(f"only open_clip's own vision transformers hand out patches; {name} is none")
    return OpenClipEncoder(config, model.visual)
