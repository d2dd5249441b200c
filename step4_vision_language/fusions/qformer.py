"""Learned queries that read the patches, after the Q-Former of BLIP-2 (Li et al. 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from step4_vision_language.fusion_config import FusionConfig
from step4_vision_language.fusions.base import Fusion, Pictures, Shape, register_fusion


@register_fusion("qformer")
class QueryFormer(Fusion):
    """K queries: self-attention, cross-attention to the patches, MLP; then one matrix to the language model's width.
    Unlike BLIP-2's it starts from random weights and reads no text.
    """

    replaces = True

    def __init__(self, config: FusionConfig, shape: Shape) -> None:
        super().__init__(config, shape)
        width = config.width
        self.inward = nn.Sequential(nn.LayerNorm(shape.patch_width), nn.Linear(shape.patch_width, width))
        self.queries = nn.Parameter(torch.randn(config.tokens, width) / width**0.5)
        layer = nn.TransformerDecoderLayer(
            width, config.heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerDecoder(layer, config.layers, norm=nn.LayerNorm(width))
        self.out = nn.Linear(width, shape.width)

    @property
    def tokens(self) -> int:
        return self.config.tokens

    def embed(self, pictures: Pictures) -> Tensor:
        batch, count = pictures.patches.shape[:2]
        memory = self.inward(pictures.patches).flatten(0, 1)  # [BI, P, d]
        queries = self.queries.expand(len(memory), -1, -1)
        return self.out(self.layers(queries, memory)).unflatten(0, (batch, count))
