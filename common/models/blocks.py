"""Narrow transformer layers, and the encoder of a secondary stream."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.attend import causal_mask
from common.streams.config import StreamConfig

Past = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Takes the keys and values of new positions ``[B, H, T, D/H]``; gives those of all positions so far."""


class Block(nn.Module):
    """Pre-norm transformer layer on ``[B, T, D]`` with ReLU (Vaswani et al. 2017; Xiong et al. 2020)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, mask: Tensor | None, past: Past | None = None) -> Tensor:
        """x ``[B, T, D]``, mask bool ``[B, 1, T or 1, S]`` (True = readable; None: all is), S = T without a `past`."""
        batch, time, width = x.shape
        qkv = self.qkv(self.norm_attention(x)).view(batch, time, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each [B, H, T, D/H]
        if past is not None:
            k, v = past(k, v)
        x = x + self.out(attend(q, k, v, mask).transpose(1, 2).reshape(batch, time, width))
        return x + self.down(F.relu(self.up(self.norm_mlp(x))))


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax attention ``[B, H, T, D/H]``, in training written out: so narrow, the fused kernel's backward is slower
    on CPUs. Every query must have something that `mask` lets it read: without, kernels differ, and some give NaN.
    """
    if not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # [B, H, T, S]
    if mask is None:
        return scores.softmax(-1).to(value.dtype) @ value
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1).to(value.dtype) @ value


class DepthEncoder(nn.Module):
    """A stack of blocks that hands out its raw residual stream after every depth."""

    def __init__(self, config: StreamConfig) -> None:
        super().__init__()
        distinct = 1 if config.share_depth else config.layers
        self.depths = config.layers
        self.blocks = nn.ModuleList(Block(config.width, config.heads) for _ in range(distinct))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, places: Places, pasts: Sequence[Past] = ()) -> list[Tensor]:
        """``[B, T, D]`` to one ``[B, T, D]`` per depth.

        Args:
            places: where the T positions stand.
            pasts: of a causal encoder, one per depth: what it remembers of the S - T earlier positions.
        """
        x = self.dropout(x + places.code(x.shape[2]).to(x.dtype))
        outputs = []
        for depth in range(self.depths):
            x = self.blocks[depth % len(self.blocks)](x, places.mask, pasts[depth] if pasts else None)
            outputs.append(x)
        return outputs


class Places:
    """What all encoders of one pass have in common: who may attend to whom, and the position code.

    Args:
        attention_mask: ``[B, S]``, zero at padding.
        time: the positions that are encoded, the last T of the S.
        causal: every position reads those up to its own, and places are counted from the first that is not padding.
    """

    def __init__(self, attention_mask: Tensor, time: int, causal: bool) -> None:
        there = attention_mask.bool()
        self.length, self.device = there.shape[1], there.device
        if not causal:
            self.mask = there[:, None, None, :]
        elif time == 1 and bool(there.all()):  # one more token of a text: it reads everything
            self.mask = None
        else:
            self.mask = causal_mask(there, time, self.length, self.device)
        self._own = places_of(there)[:, -time:] if causal else None  # [B, T]
        self._codes: dict[int, Tensor] = {}

    def code(self, width: int) -> Tensor:
        """``[B or 1, T, width]``."""
        if width not in self._codes:
            code = sinusoids(self.length, width, self.device)
            self._codes[width] = code[None] if self._own is None else code[self._own]
        return self._codes[width]


def sinusoids(length: int, width: int, device: torch.device) -> Tensor:
    """Fixed position code ``[T, D]`` (Vaswani et al. 2017)."""
    position = torch.arange(length, device=device, dtype=torch.float32).unsqueeze(1)
    rate = torch.exp(torch.arange(0, width, 2, device=device, dtype=torch.float32) * (-math.log(10_000.0) / width))
    angle = position * rate  # [T, D/2]
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :width]


def places_of(mask: Tensor) -> Tensor:
    """Place of every position of bool ``[B, S]``, counted from the first that is not padding on the left."""
    return (mask.long().cumsum(1) - 1).clamp_min(0)
