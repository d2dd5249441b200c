"""α from a sigmoid gate that sees all streams of a token."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.base import IntegrationConfig, Site, register
from common.integration.dm import DirectMixing
from common.integration.scaling import normalised


@register("gated")
class Gated(DirectMixing):
    """Gated: ``α_i = σ(W_g [s_1; …; s_N] + a_i)`` per token, each stream at RMS 1, then as DM. W_g starts at zero."""

    preserves = "nearly"
    inits = frozenset({"preserving", "equal"})
    options = frozenset({"scope", "activation", "scale", "init", "recurrent"})

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        self.gate = nn.Parameter(torch.zeros(self.rows, len(self.names), sum(widths.values())))  # [R, N, Σ D_i]

    def constrained(self) -> str:
        return "sigmoid"

    def alphas(self, streams: Mapping[str, Tensor], site: Site) -> dict[str, Tensor]:
        everything = torch.cat([normalised(streams[name]) for name in self.names], dim=-1)
        logits = (
            F.linear(everything, self.gate[self.row(site.index)]).float() + self.mixing["alpha"][self.row(site.index)]
        )
        return dict(zip(self.names, logits.sigmoid().unbind(-1), strict=True))  # [B, T] each
