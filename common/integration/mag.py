"""Multimodal Adaptation Gate."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.base import Combined, Integration, IntegrationConfig, Site, register
from common.integration.scaling import EPS, normalised


@register("mag")
class MultimodalAdaptationGate(Integration):
    """MAG: ``z = s_ref + a · H``, ``H = Σ_i relu(G_i [s_i; s_ref]) ⊙ W_i s_i``, ``a = min(‖s_ref‖/‖H‖, 1)``.

    Last site only. Rahman et al. 2020 ("Integrating Multimodal Information in Large Pretrained Transformers", eqs. 1–4,
    β = 1). Streams enter at RMS 1, without biases, and W_i starts at zero, so that it starts as the backbone.
    """

    last_site_only = True
    needs_reference = True

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        narrow = [widths[name] for name in self.secondary]
        self.gates = nn.ParameterList(torch.randn(width, d + width) / math.sqrt(d + width) for d in narrow)
        self.shifts = nn.ParameterList(torch.zeros(width, d) for d in narrow)

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        assert self.reference is not None
        reference = streams[self.reference]
        if not self.secondary:
            return Combined(reference, {self.reference: reference}, None)
        normal = normalised(reference)
        shifts = []
        for name, gate, shift in zip(self.secondary, self.gates, self.shifts, strict=True):
            stream = normalised(streams[name])
            opened = F.linear(torch.cat([stream, normal], dim=-1), gate).relu()
            shifts.append(opened * F.linear(stream, shift))  # [B, T, D]
        total = torch.stack(shifts).sum(0)
        limit = _norm(reference) / _norm(total)
        scale = limit.clamp_max(1.0).to(total.dtype)  # [B, T, 1]
        terms = None
        if site.report:
            terms = {self.reference: reference}
            terms |= {name: scale * shift for name, shift in zip(self.secondary, shifts, strict=True)}
        return Combined(reference + scale * total, terms, None)


def _norm(x: Tensor) -> Tensor:
    return (x.float().square().sum(-1, keepdim=True) + EPS).sqrt()
