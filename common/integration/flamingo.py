"""Tanh-gated cross-attention block."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.attend import CrossAttend
from common.integration.base import Combined, Integration, IntegrationConfig, Site, register
from common.integration.mixing_weights import MixingWeights
from common.integration.scaling import EPS
from common.integration.split import gelu_gain


@register("flamingo")
class Flamingo(Integration):
    """Flamingo: ``y = s_ref + Σ_i tanh(g_i) Attention(s_ref → s_i)``, ``z = y + tanh(f) FFN(y)``, gates 0 at first.

    Last site only. Alayrac et al. 2022 ("Flamingo: a Visual Language Model for Few-Shot Learning", section 2.2), with
    a gate per stream. The FFN has inner width 4·hidden, no biases, and reads y at RMS 1.
    """

    last_site_only = True
    attends = True
    needs_reference = True
    options = frozenset({"hidden", "heads"})

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        self.attend = nn.ModuleList(
            CrossAttend(width, widths[name], config.hidden, config.heads, zero=False) for name in self.secondary
        )
        inner = 4 * config.hidden
        self.up = nn.Parameter(torch.randn(inner, width) / math.sqrt(width))
        self.down = nn.Parameter(torch.randn(width, inner) / math.sqrt(inner))
        self.mixing = MixingWeights(gates=torch.zeros(len(widths)))  # one per secondary stream, then the FFN's

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        assert self.reference is not None
        gates = self.mixing["gates"].tanh()
        y = reference = streams[self.reference]
        terms = {self.reference: reference}
        for index, (name, attend) in enumerate(zip(self.secondary, self.attend, strict=True)):
            terms[name] = attend(reference, streams[name], site.mask, site.causal) * gates[index]
            y = y + terms[name]
        factor = torch.rsqrt(y.float().square().mean(-1, keepdim=True) + EPS)
        inner = F.linear((y * factor).to(y.dtype), self.up)  # [B, T, 4h]
        state = y + F.linear(F.gelu(inner), self.down) * gates[-1]
        if site.report:
            gain = gelu_gain(inner)
            for name, term in terms.items():
                part = F.linear((term * factor).to(y.dtype), self.up) * gain
                terms[name] = term + F.linear(part, self.down) * gates[-1]
        return Combined(state, terms if site.report else None, None)
