"""Any image model of timm (Wightman 2019): patch tokens of ViTs, the last feature maps of others (MobileNet, Swin)."""

from __future__ import annotations

from typing import Any

import timm
from timm.data.config import resolve_data_config
from torch import Tensor

from common.vision.config import RANDOM, VisionConfig
from common.vision.encoder import VisionEncoder, as_tokens, read_weights, register_encoder

PRETRAINED = "pretrained"


class TimmEncoder(VisionEncoder):
    """Patches are what the model's own pooling reads; pooled is what its classifier would read."""

    def __init__(self, config: VisionConfig, model: Any) -> None:
        data = resolve_data_config({}, model=model)
        super().__init__(config, data["mean"], data["std"])
        self.model = model
        widths = [layer["num_chs"] for layer in model.feature_info][-config.depths :]
        self.patch_width = sum(widths[:-1]) + model.num_features
        self.pooled_width = model.head_hidden_size

    def layers(self, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
        last = self.model.forward_features(pixels)
        pooled = self.model.forward_head(last, pre_logits=True)
        tokens = self._tokens(last)
        if self.config.depths == 1:
            return [tokens], pooled
        maps = self.model.forward_intermediates(
            pixels, indices=self.config.depths, output_fmt="NCHW", intermediates_only=True
        )
        return [*as_tokens(maps)[:-1], tokens], pooled

    def _tokens(self, last: Tensor) -> Tensor:
        """Tokens ``[N, P, C]`` of a feature map, channels first or last as the model says, or of a sequence."""
        if last.dim() == 3:
            return last[:, getattr(self.model, "num_prefix_tokens", 0) :]
        channels_last = getattr(self.model, "output_fmt", "NCHW") == "NHWC"
        tokens = last.flatten(1, 2) if channels_last else last.flatten(2).transpose(1, 2)
        if tokens.shape[-1] != self.model.num_features:
            raise ValueError(
                f"{self.config.name} hands out a feature map {tuple(last.shape)} with its {self.model.num_features} "
                "channels at a place that is not known here; take another model of timm"
            )
        return tokens


@register_encoder("timm")
def build(config: VisionConfig, load: bool, architecture: dict[str, Any]) -> VisionEncoder:
    """``timm/MODEL``; the classifier is left out."""
    name = config.name.partition("/")[2]
    if not timm.is_model(name):
        close = ", ".join(timm.list_models(f"*{name[:8]}*")[:5])
        raise ValueError(f"timm has no model {name!r}" + (f"; did you mean {close}?" if close else ""))
    options: dict[str, Any] = {"pad_type": "same"} if config.same_padding else {}
    known = timm.get_pretrained_cfg(name)
    if known is not None and known.fixed_input_size:  # ViTs: the position embeddings are resized
        options["img_size"] = config.image_size
    try:
        model: Any = timm.create_model(name, pretrained=load and config.weights == PRETRAINED, **options)
    except OSError as error:
        raise FileNotFoundError(
            f"the weights of timm's {name} could not be had; check the network, name a local file as weights, or take "
            + RANDOM
        ) from error
    if load and config.weights not in (RANDOM, PRETRAINED):
        read_weights(model, config.weights, name)
    model.reset_classifier(0)
    return TimmEncoder(config, model)
