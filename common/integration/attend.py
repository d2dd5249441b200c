"""Cross-attention from the reference stream to another one, used by two baselines."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.scaling import normalised


class CrossAttend(nn.Module):
    """Multi-head attention (Vaswani et al. 2017) without biases, so that an absent stream adds exactly zero.

    Args:
        width: channels D of the queries and the result.
        narrow: channels D_i of the stream attended to.
        hidden: inner width.
        heads: attention heads; must divide `hidden`.
        zero: start with an output of zero.
    """

    def __init__(self, width: int, narrow: int, hidden: int, heads: int, zero: bool) -> None:
        super().__init__()
        if hidden % heads:
            raise ValueError(f"hidden={hidden} must be a multiple of heads={heads}")
        self.heads = heads
        self.query = nn.Linear(width, hidden, bias=False)
        self.key_value = nn.Linear(narrow, 2 * hidden, bias=False)
        self.out = nn.Linear(hidden, width, bias=False)
        if zero:
            nn.init.zeros_(self.out.weight)

    def forward(self, reference: Tensor, stream: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
        """``[B, T, D]`` attends to ``[B, S, D_i]`` where `mask` ``[B, S]`` is True. `causal`: the reference's positions
        are the last T of the S, and none reads a later one.
        """
        key, value = self.key_value(normalised(stream)).chunk(2, dim=-1)
        split = (self.heads, key.shape[-1] // self.heads)
        q, k, v = (x.unflatten(-1, split).transpose(1, 2) for x in (self.query(normalised(reference)), key, value))
        if causal:
            mask = causal_mask(mask, q.shape[-2], k.shape[-2], q.device)
        elif mask is not None:
            # The first place stays open: a text without real tokens would leave nothing to attend to.
            mask = (mask | (torch.arange(mask.shape[1], device=mask.device) == 0))[:, None, None, :]
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # [B, H, T, h/H]
        return self.out(attended.transpose(1, 2).flatten(-2))


def causal_mask(mask: Tensor | None, queries: int, keys: int, device: torch.device) -> Tensor:
    """Bool ``[T, S]`` or ``[B, 1, T, S]``: of S positions, True in `mask` ``[B, S]``, the last T read those up to their
    own; each reads itself, also where it is padding, which else would have nothing to attend to.
    """
    places = torch.arange(keys, device=device)
    own = places[keys - queries :, None]  # [T, 1]
    if mask is None:
        return places <= own
    return (mask[:, None, None, :] & (places <= own)) | (places == own)
