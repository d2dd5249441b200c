"""Optional regularisers: streams blanked at random, and a penalty on uneven contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def draw_presence(
    names: Sequence[str],
    batch: int,
    p: float,
    present: Mapping[str, Tensor] | None,
    device: torch.device | str,
    generator: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Blank each stream of each sample with probability `p`, but never the last one a sample has.

    Modality dropout of Neverova et al. 2016 ("ModDrop"). Runs on the device without a host synchronisation.

    Args:
        names: all streams.
        batch: samples B.
        p: probability in [0, 1).
        present: streams that are absent already (bool ``[B]`` each); they stay absent.

    Returns:
        name -> bool ``[B]``.
    """
    there = torch.ones(batch, len(names), dtype=torch.bool, device=device)  # [B, N]
    if present:
        there = torch.stack([present.get(name, there[:, i]) for i, name in enumerate(names)], dim=1)
    kept = there & (torch.rand(batch, len(names), device=device, generator=generator) >= p)
    # One stream per sample, uniform among those it has, survives when all were drawn.
    ticket = torch.rand(batch, len(names), device=device, generator=generator).masked_fill(~there, -1.0)
    survivor = torch.zeros_like(there).scatter_(1, ticket.argmax(1, keepdim=True), True) & there
    kept = kept | (survivor & ~kept.any(1, keepdim=True))
    return {name: kept[:, i] for i, name in enumerate(names)}


def balance_penalty(
    terms: Mapping[str, Tensor], present: Mapping[str, Tensor] | None = None, mask: Tensor | None = None
) -> Tensor:
    """Uneven contributions of the streams, ``Σ_i (c_i − 1/n)²`` averaged over tokens; differentiable.

    ``c_i = ‖term_i‖ / Σ_j ‖term_j‖`` over the n streams present in the sample; the recurrent term has no part in it.
    0 when all contribute alike, ``1 − 1/n`` when one does everything. The norms are smoothed, so that a term that is
    exactly zero has gradient zero and not NaN.

    Args:
        terms: name -> ``[B, T, D]``.
        present: name -> bool ``[B]``.
        mask: bool ``[B, T]``, True at the tokens that count.

    Returns:
        ``[]`` in fp32.
    """
    norms = torch.stack([(term.float().square().sum(-1) + 1e-12).sqrt() for term in terms.values()])  # [N, B, T]
    there = torch.ones_like(norms)
    for row, name in enumerate(terms):
        if present and name in present:
            there[row] = there[row] * present[name].view(-1, 1)
    norms = norms * there
    share = norms / norms.sum(0).clamp_min(1e-12)
    even = there / there.sum(0).clamp_min(1.0)
    uneven = (share - even).square().sum(0)  # [B, T]
    if mask is None:
        return uneven.mean()
    return (uneven * mask).sum() / mask.sum().clamp_min(1)
