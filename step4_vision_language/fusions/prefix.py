"""ClipCap (Mokady et al. 2021): the pooled picture, mapped to a few tokens in front of the text."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from step4_vision_language.fusion_config import FusionConfig
from step4_vision_language.fusions.base import Fusion, Pictures, Shape, register_fusion


@register_fusion("prefix_mlp")
class PrefixMLP(Fusion):
    """``Linear → tanh → Linear`` to K tokens; the inner layer is half as wide as the result, as in ClipCap."""

    replaces = True

    def __init__(self, config: FusionConfig, shape: Shape) -> None:
        super().__init__(config, shape)
        out = config.tokens * shape.width
        self.map = nn.Sequential(nn.Linear(shape.pooled_width, out // 2), nn.Tanh(), nn.Linear(out // 2, out))

    @property
    def tokens(self) -> int:
        return self.config.tokens

    def embed(self, pictures: Pictures) -> Tensor:
        return self.map(pictures.pooled).unflatten(-1, (self.config.tokens, self.shape.width))


@register_fusion("prefix_transformer")
class PrefixTransformer(Fusion):
    """K learned constants read the pooled picture, spread over as many tokens, in a small transformer."""

    replaces = True

    def __init__(self, config: FusionConfig, shape: Shape) -> None:
        super().__init__(config, shape)
        width = config.width
        self.spread = nn.Linear(shape.pooled_width, config.tokens * width)
        self.constants = nn.Parameter(torch.randn(config.tokens, width) / width**0.5)
        layer = nn.TransformerEncoderLayer(
            width, config.heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.mapper = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.out = nn.Linear(width, shape.width)

    @property
    def tokens(self) -> int:
        return self.config.tokens

    def embed(self, pictures: Pictures) -> Tensor:
        batch, count, _ = pictures.pooled.shape
        read = self.spread(pictures.pooled).view(batch * count, self.config.tokens, -1)
        joined = torch.cat([read, self.constants.expand_as(read)], dim=1)  # [BI, 2K, d]
        mapped = self.mapper(joined)[:, self.config.tokens :]
        return self.out(mapped).unflatten(0, (batch, count))
