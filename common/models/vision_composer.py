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

    @property
    def memory_width(self) -> int:
        """Channels of :meth:`remember`."""
        return self.inward.out_features * (1 if self.pooled else 2)

    def remember(self, patches: Tensor) -> Tensor:
        """All that is read of the pictures ``[B, I, P, C]``, whatever the text: ``[B, IP, M]``."""
        x = self.inward(self.norm(patches))  # [B, I, P, D]
        if not self.pooled:
            x = self.key_value(x + sinusoids(patches.shape[2], x.shape[-1], x.device).to(x.dtype))
        return x.flatten(1, 2)

    def forward(self, inputs: Mapping[str, Tensor], grid: Tensor, attention_mask: Tensor) -> Tensor:
        """Reads ``<name>_patches [B, I, P, C]``, or ``<name>_memory`` in their place, and ``<name>_begin [B, I]``, the
        place of each picture in the text; the grid ``[B, T, G]`` stands at the last T of the S places of
        `attention_mask` ``[B, S]``.
        """
        memory, begin = inputs.get(f"{self.name}_memory"), inputs[f"{self.name}_begin"]
        if memory is None:
            memory = self.remember(inputs[f"{self.name}_patches"])
        length, queries = attention_mask.shape[1], grid.shape[1]
        time = torch.arange(length - queries, length, device=grid.device)
        each = memory.shape[1] // begin.shape[1]
        seen = (begin[:, None, :] <= time[None, :, None]).repeat_interleave(each, dim=-1)  # [B, T, IP]
        if self.pooled:
            weight = seen.to(memory.dtype)
            return weight @ memory / weight.sum(-1, keepdim=True).clamp_min(1)
        key, value = memory.chunk(2, dim=-1)  # [B, IP, D]
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (self.query(grid), key, value))
        some = seen.any(-1, keepdim=True)
        read = attend(q, k, v, (seen | ~some)[:, None])  # [B, H, T, D/H]
        return read.transpose(1, 2).flatten(-2) * some
