"""Bring streams of different widths to one width and one scale: ``n(P_i s_i)``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPS = 1e-8
"""Added to a mean square before its root; far below that of any stream that carries something."""


def normalised(x: Tensor) -> Tensor:
    """``x / rms(x)`` over the last axis, with statistics in fp32; zero stays zero."""
    square = x.float().square().mean(-1, keepdim=True)
    return (x * torch.rsqrt(square + EPS)).to(x.dtype)


def reference_rms(reference: Tensor, present: Tensor | None) -> Tensor:
    """RMS of every token ``[B, T, 1]`` in fp32, detached; 1 in samples (`present` bool ``[B]``) without it."""
    norm = torch.linalg.vector_norm(reference.detach(), dim=-1, keepdim=True, dtype=torch.float32)
    rms = norm / math.sqrt(reference.shape[-1])
    return rms if present is None else torch.where(present.view(-1, 1, 1), rms, torch.ones_like(rms))


class Projection(nn.Module):
    """``P_i`` of every secondary stream, bias-free, with the scale n. The reference stream needs none.

    The streams are scaled while they are narrow, so that their weighted sum is one matrix product and no projected
    stream is ever stored: ``rms(P s)² = sᵀ(PᵀP)s / D`` needs no wide tensor either.

    Args:
        widths: secondary stream -> channels.
        width: channels D of the result.
        scale: `reference` or `rms` or `none`, see ``IntegrationConfig.scale``.
    """

    def __init__(self, widths: Mapping[str, int], width: int, scale: str) -> None:
        super().__init__()
        self.widths = dict(widths)
        self.width = width
        self.scale = scale
        if self.widths:
            columns = [torch.randn(width, narrow) / math.sqrt(narrow) for narrow in self.widths.values()]
            self.weight = nn.Parameter(torch.cat(columns, dim=1))  # [D, Σ D_i] = [P_1 | P_2 | …]

    def matrices(self) -> dict[str, Tensor]:
        """name -> ``P_i [D, D_i]``."""
        if not self.widths:
            return {}
        return dict(zip(self.widths, self.weight.split(list(self.widths.values()), dim=1), strict=True))

    def scaled(
        self,
        streams: Mapping[str, Tensor],
        target: Tensor | None,
        seen: dict[str, tuple[Tensor, Tensor]] | None = None,
    ) -> dict[str, Tensor]:
        """Narrow streams ``[B, T, D_i]`` times the factor that gives ``P_i s_i`` its scale.

        Args:
            target: RMS ``[B, T, 1]`` that projected streams get under scale `reference`; None means 1.
            seen: name -> (stream, its ``1/rms(P_i s_i)``) of the site below, to be read and brought up to date: sites
                that read the same depth of a stream have this factor in common. None computes it anew.
        """
        if self.scale == "none":
            return {name: streams[name] for name in self.widths}
        scaled = {}
        for name, matrix in self.matrices().items():
            stream = streams[name]
            with torch.autocast(stream.device.type, enabled=False):
                if seen is not None and name in seen and seen[name][0] is stream:
                    factor = seen[name][1]
                else:
                    factor = torch.rsqrt(_mean_square(stream.float(), matrix.float()) + EPS)  # [B, T, 1]
                if seen is not None:
                    seen[name] = (stream, factor)
                if target is not None and self.scale == "reference":
                    factor = factor * target
                scaled[name] = (stream * factor).to(stream.dtype)
        return scaled

    def forward(self, streams: Mapping[str, Tensor], target: Tensor | None) -> dict[str, Tensor]:
        """Projected and scaled streams, each ``[B, T, D]``."""
        matrices = self.matrices()
        return {name: F.linear(narrow, matrices[name]) for name, narrow in self.scaled(streams, target).items()}

    def weighted(self, scaled: Mapping[str, Tensor], alphas: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
        """(narrow input, matrix) per stream, whose products are the terms ``α_i · n(P_i s_i)``.

        α per token ``[B, T]`` goes to the input; α as ``[]`` or ``[D]`` goes to the matrix.
        """
        pairs = []
        for name, matrix in self.matrices().items():
            alpha, narrow = alphas[name], scaled[name]
            if alpha.dim() == 2:
                pairs.append(((narrow * alpha.unsqueeze(-1)).to(narrow.dtype), matrix))
            else:
                pairs.append((narrow, (matrix * alpha.reshape(-1, 1)).to(matrix.dtype)))
        return pairs


def _mean_square(stream: Tensor, matrix: Tensor) -> Tensor:
    """Mean square of ``P s`` per token, ``[B, T, 1]``."""
    wide, narrow = matrix.shape
    if narrow >= wide:
        return F.linear(stream, matrix).square().mean(-1, keepdim=True)
    gram = matrix.T @ matrix  # [D_i, D_i]
    return ((stream @ gram) * stream).sum(-1, keepdim=True).clamp_min(0.0) / wide


def sum_terms(terms: Iterable[Tensor], start: Tensor | None = None) -> Tensor | None:
    """Sum of ``[B, T, D]`` terms, in their order, onto a ``[D]`` bias or nothing."""
    total = start
    for term in terms:
        total = term if total is None else total + term
    return total
