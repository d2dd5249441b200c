"""From the patches of pictures to the token grid: the lower end of a vision stream."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from common.models.blocks import attend, sinusoids
from common.streams.config import StreamConfig

VISION = "vision"
"""Kind of the streams that read pictures."""


class VisionComposer(nn.Module):
    """One vector per token from the patches of the pictures that stand before it.

    ``attention``: every token asks with its own input embedding, so that words can look at different places.
    ``pooled``: the mean of the patches. A token before the first picture gets exactly zero.

    Args:
        patch_width: channels C of a patch.
        grid_width: channels of the backbone's input embeddings.
    """

    def __init__(self, config: StreamConfig, patch_width: int, grid_width: int) -> None:
        super().__init__()
        self.name, self.heads, self.pooled = config.label, config.heads, config.alignment == "pooled"
        self.norm = nn.LayerNorm(patch_width)
        self.inward = nn.Linear(patch_width, config.width)
        if not self.pooled:
            self.query = nn.Sequential(nn.LayerNorm(grid_width), nn.Linear(grid_width, config.width))
            self.key_value = nn.Linear(config.width, 2 * config.width)

    def forward(self, inputs: Mapping[str, Tensor], grid: Tensor, attention_mask: Tensor) -> Tensor:
        """Reads ``<name>_patches [B, I, P, C]`` and ``<name>_begin [B, I]``, the place of each picture in the text; the
        grid ``[B, T, G]`` stands at the last T of the S places of `attention_mask` ``[B, S]``.
        """
        patches, begin = inputs[f"{self.name}_patches"], inputs[f"{self.name}_begin"]
        length, queries = attention_mask.shape[1], grid.shape[1]
        time = torch.arange(length - queries, length, device=grid.device)
        seen = (begin[:, None, :] <= time[None, :, None]).repeat_interleave(patches.shape[2], dim=-1)  # [B, T, IP]
        x = self.inward(self.norm(patches))  # [B, I, P, D]
        if self.pooled:
            weight = seen.to(x.dtype)
            return weight @ x.flatten(1, 2) / weight.sum(-1, keepdim=True).clamp_min(1)
        x = x + sinusoids(patches.shape[2], x.shape[-1], x.device).to(x.dtype)
        key, value = self.key_value(x.flatten(1, 2)).chunk(2, dim=-1)  # [B, IP, D]
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (self.query(grid), key, value))
        some = seen.any(-1, keepdim=True)
        read = attend(q, k, v, (seen | ~some)[:, None])  # [B, H, T, D/H]
        return read.transpose(1, 2).flatten(-2) * some
