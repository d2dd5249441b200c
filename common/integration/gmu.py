"""Gated Multimodal Unit."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.base import Combined, Integration, IntegrationConfig, Site, register
from common.integration.scaling import normalised


@register("gmu")
class GatedMultimodalUnit(Integration):
    """GMU: ``z = s_ref + O Σ_i σ(G_i [s_1; …; s_N]) ⊙ tanh(W_i s_i)``, streams at RMS 1, O = 0 at first.

    Last site only. Arevalo et al. 2017 ("Gated Multimodal Units for Information Fusion", the form for more than two
    modalities); the residual and O are added so that it starts as the backbone. Without a reference there is no
    residual and O is random.
    """

    last_site_only = True
    options = frozenset({"hidden"})

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        hidden, total = config.hidden, sum(widths.values())
        self.inputs = nn.ParameterList(torch.randn(hidden, d) / math.sqrt(d) for d in widths.values())
        self.gates = nn.Parameter(torch.randn(len(widths) * hidden, total) / math.sqrt(total))
        out = torch.randn(width, hidden) / math.sqrt(hidden)
        self.out = nn.Parameter(out if reference is None else torch.zeros_like(out))

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        inputs = [normalised(streams[name]) for name in self.names]
        gates = F.linear(torch.cat(inputs, dim=-1), self.gates).sigmoid().chunk(len(inputs), dim=-1)  # [B, T, h] each
        parts = [g * F.linear(x, w).tanh() for g, x, w in zip(gates, inputs, self.inputs, strict=True)]
        state = F.linear(torch.stack(parts).sum(0), self.out)
        if self.reference is not None:
            state = state + streams[self.reference]
        terms = None
        if site.report:
            terms = {name: F.linear(part, self.out) for name, part in zip(self.names, parts, strict=True)}
            if self.reference is not None:
                terms[self.reference] = terms[self.reference] + streams[self.reference]
        return Combined(state, terms, None)
