"""Bring streams of different widths to one width and one scale: ``n(P_i s_i)``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

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
    """RMS of every token ``[B, T, 1]`` in fp32 or wider, detached; 1 in samples (`present` bool ``[B]``) without it."""
    kind = torch.promote_types(reference.dtype, torch.float32)
    norm = torch.linalg.vector_norm(reference.detach(), dim=-1, keepdim=True, dtype=kind)
    rms = norm / math.sqrt(reference.shape[-1])
    return rms if present is None else torch.where(present.view(-1, 1, 1), rms, torch.ones_like(rms))


def without_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Autocast off; nothing where it is off already, since entering costs as much as a small operation."""
    if not torch.is_autocast_enabled(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


class Seen:
    """What the sites of one pass have in common: ``P^T P``, and of a depth that several of them read the stream with
    absent samples blanked, and its factor.

    It lives as long as a pass: a site that is not above the last one begins another, in which parameters may differ.
    """

    def __init__(self) -> None:
        self.clear()

    def enter(self, site: int) -> None:
        """Go on to `site`."""
        if site <= self._site or self._site < 0:
            self.clear()
        self._site = site

    def blanked(self, name: str, stream: Tensor, present: Tensor) -> Tensor:
        """The stream ``[B, T, D_i]``, zero in samples (`present` bool ``[B]``) without it."""
        kept = self._blanked.get(name)
        if kept is None or kept[0] is not stream or kept[1] is not present:
            # where, not a product: an absent stream may hold NaN, and its gradient must be exactly zero.
            kept = stream, present, torch.where(present.view(-1, 1, 1), stream, stream.new_zeros(()))
            self._blanked[name] = kept
        return kept[2]

    def factor(self, name: str, stream: Tensor) -> Tensor | None:
        """``1/rms(P_i s_i)`` as ``[B, T, 1]`` if it was kept for this very tensor."""
        kept = self._factors.get(name)
        return kept[1] if kept is not None and kept[0] is stream else None

    def keep(self, name: str, stream: Tensor, factor: Tensor, gram: Tensor | None) -> None:
        """Keep the factor in place of that of an earlier depth."""
        self._factors[name] = (stream, factor)
        self.grams[name] = gram

    def clear(self) -> None:
        """Forget everything."""
        self._site = -1
        self.grams: dict[str, Tensor | None] = {}
        self._factors: dict[str, tuple[Tensor, Tensor]] = {}
        self._blanked: dict[str, tuple[Tensor, Tensor, Tensor]] = {}


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

    def split(self, weight: Tensor) -> dict[str, Tensor]:
        """name -> its columns ``[D, D_i]`` of a weight ``[D, Σ D_i]``."""
        return dict(zip(self.widths, weight.split(list(self.widths.values()), dim=1), strict=True))

    def scaled(
        self,
        streams: Mapping[str, Tensor],
        target: Tensor | None,
        alphas: Mapping[str, Tensor] | None = None,
        seen: Seen | None = None,
    ) -> dict[str, Tensor]:
        """Narrow streams ``[B, T, D_i]`` times the factor that gives ``P_i s_i`` its scale, and times α.

        Args:
            target: RMS ``[B, T, 1]`` that projected streams get under scale `reference`; None means 1.
            alphas: name -> α as ``[]`` or ``[B, T]``; α per channel ``[D]`` is left to :meth:`weighted`. None: all 1.
            seen: what the site below computed, to be read and brought up to date. None computes it anew.
        """
        scaled = {}
        for name, matrix in self.split(self.weight).items() if self.widths else ():
            stream = streams[name]
            alpha = None if alphas is None or alphas[name].dim() == 1 else alphas[name]
            with without_autocast(stream.device):
                factor = None if self.scale == "none" else self._factor(name, stream, matrix, target, seen)
                if alpha is not None:
                    alpha = alpha.unsqueeze(-1) if alpha.dim() == 2 else alpha
                    factor = alpha if factor is None else factor * alpha
                scaled[name] = stream if factor is None else (stream * factor).to(stream.dtype)
        return scaled

    def _factor(self, name: str, stream: Tensor, matrix: Tensor, target: Tensor | None, seen: Seen | None) -> Tensor:
        """``1/rms(P s)``, times the target where the scale is `reference`: ``[B, T, 1]`` in fp32."""
        factor = None if seen is None else seen.factor(name, stream)
        if factor is None:
            gram = None if seen is None else seen.grams.get(name)
            if gram is None and matrix.shape[1] < min(matrix.shape[0], stream.shape[:-1].numel()):
                gram = _gram(matrix)
            factor = torch.rsqrt(_mean_square(stream.float(), matrix.float(), gram) + EPS)
            if seen is not None:
                seen.keep(name, stream, factor, gram)
        return factor * target if target is not None and self.scale == "reference" else factor

    def forward(self, streams: Mapping[str, Tensor], target: Tensor | None) -> dict[str, Tensor]:
        """Projected and scaled streams, each ``[B, T, D]``."""
        if not self.widths:
            return {}
        matrices = self.split(self.weight)
        return {name: F.linear(narrow, matrices[name]) for name, narrow in self.scaled(streams, target).items()}

    def wide(self, name: str, stream: Tensor) -> Tensor:
        """``P_i s_i`` of ``[…, D_i]`` as ``[…, D]`` in fp32, at RMS 1 unless the scale is `none`."""
        with without_autocast(stream.device):
            projected = F.linear(stream.float(), self.split(self.weight)[name].float())
            if self.scale == "none":
                return projected
            return projected * torch.rsqrt(projected.square().mean(-1, keepdim=True) + EPS)

    def weighted(self, alphas: Mapping[str, Tensor]) -> Tensor:
        """``[P_1 | P_2 | …]`` as ``[D, Σ D_i]``, times α where it is per channel."""
        if all(alphas[name].dim() != 1 for name in self.widths):
            return self.weight
        columns = [matrix * alphas[name].unsqueeze(1) for name, matrix in self.split(self.weight).items()]
        return torch.cat(columns, dim=1).to(self.weight.dtype)


def _gram(matrix: Tensor) -> Tensor:
    """``P^T P`` as ``[D_i, D_i]`` in fp32. It saves work where P is narrower than wide and tokens are many."""
    matrix = matrix.float()
    return matrix.T @ matrix


def _mean_square(stream: Tensor, matrix: Tensor, gram: Tensor | None) -> Tensor:
    """Mean square of ``P s`` per token, ``[B, T, 1]``."""
    if gram is None:
        return F.linear(stream, matrix).square().mean(-1, keepdim=True)
    return ((stream @ gram) * stream).sum(-1, keepdim=True).clamp_min(0.0) / matrix.shape[0]


def sum_terms(terms: Iterable[Tensor], start: Tensor | None = None) -> Tensor | None:
    """Sum of ``[B, T, D]`` terms, in their order, onto a ``[D]`` bias or nothing."""
    total = start
    for term in terms:
        total = term if total is None else total + term
    return total
