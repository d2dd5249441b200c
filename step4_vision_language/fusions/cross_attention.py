"""Flamingo (Alayrac et al. 2022): a Perceiver resampler, and tanh-gated cross-attention behind every layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.mixing_weights import MixingWeights
from step4_vision_language.fusion_config import FusionConfig
from step4_vision_language.fusions.base import Fusion, Pictures, Shape, register_fusion


class Resampler(nn.Module):
    """K latents read patches and one another: ``[N, P, C]`` to ``[N, K, d]``."""

    def __init__(self, config: FusionConfig, narrow: int) -> None:
        super().__init__()
        width = config.width
        self.inward = nn.Linear(narrow, width)
        self.latents = nn.Parameter(torch.randn(config.tokens, width) / width**0.5)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * config.layers))
        self.attention = nn.ModuleList(
            nn.MultiheadAttention(width, config.heads, bias=False, batch_first=True) for _ in range(config.layers)
        )
        self.mlp = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )
            for _ in range(config.layers)
        )  # fmt: skip
        self.norm = nn.LayerNorm(width)

    def forward(self, patches: Tensor) -> Tensor:
        media = self.inward(patches)
        latents = self.latents.expand(len(media), -1, -1)
        for depth, (attention, mlp) in enumerate(zip(self.attention, self.mlp, strict=True)):
            own = self.norms[2 * depth](latents)
            read = torch.cat([self.norms[2 * depth + 1](media), own], dim=1)
            latents = latents + attention(own, read, read, need_weights=False)[0]
            latents = latents + mlp(latents)
        return self.norm(latents)


class GatedCrossAttention(nn.Module):
    """Text ``[B, T, D]`` reads latents ``[B, I, K, d]``; both gates start at zero."""

    def __init__(self, width: int, narrow: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, narrow, bias=False)
        self.key_value = nn.Linear(narrow, 2 * narrow, bias=False)
        self.out = nn.Linear(narrow, width, bias=False)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * narrow), nn.GELU(), nn.Linear(4 * narrow, width)
        )
        self.gates = MixingWeights(attention=torch.zeros(()), mlp=torch.zeros(()))

    def forward(self, hidden: Tensor, latents: Tensor, seen: Tensor) -> Tensor:
        key, value = self.key_value(latents.flatten(1, 2)).chunk(2, dim=-1)  # [B, IK, d]
        # A text reads the last picture before it, as in Flamingo.
        last = seen & ~F.pad(seen[..., 1:], (0, 1))  # [B, T, I]
        mask = last.repeat_interleave(latents.shape[2], dim=-1)[:, None]  # [B, 1, T, IK]
        some = mask.any(-1, keepdim=True)  # a text before its first picture has nothing to read
        q, k, v = (
            x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in (self.query(self.norm(hidden)), key, value)
        )
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=mask | ~some) * some
        read = self.out(read.transpose(1, 2).flatten(-2))
        there = some[:, 0].to(hidden.dtype)
        hidden = hidden + self.gates["attention"].tanh().to(hidden.dtype) * read.to(hidden.dtype)
        return hidden + self.gates["mlp"].tanh().to(hidden.dtype) * there * self.mlp(hidden).to(hidden.dtype)


@register_fusion("cross_attention")
class CrossAttention(Fusion):
    """The resampled picture is read behind every layer of the language model."""

    joins_layers = True

    def __init__(self, config: FusionConfig, shape: Shape) -> None:
        super().__init__(config, shape)
        self.resample = Resampler(config, shape.patch_width)
        self.sites = nn.ModuleList(
            GatedCrossAttention(shape.width, config.width, config.heads) for _ in range(shape.sites)
        )

    def prepare(self, pictures: Pictures) -> Tensor:
        return self.resample(pictures.patches.flatten(0, 1)).unflatten(0, pictures.patches.shape[:2])

    def attend(self, site: int, hidden: Tensor, prepared: Tensor, seen: Tensor) -> Tensor:
        return self.sites[site](hidden, prepared, seen)
