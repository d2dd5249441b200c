"""α from attention: every token decides by itself how much of each stream it takes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.base import IntegrationConfig, Site, register
from common.integration.dm import DirectMixing, hide_absent
from common.integration.scaling import normalised


@register("attention")
class AttentionWeighted(DirectMixing):
    """Attention-weighted: ``α = softmax_i(q·k_i/√h + a_i)`` per token, then as DM.

    Keys are ``k_i = K_i s_i/rms(s_i)``, shared by all sites; the query is ``q = Q_l · mean_i k_i``, so that no stream
    is privileged. Q starts at zero: a_i alone decides at first.
    """

    preserves = "nearly"
    inits = frozenset({"preserving", "equal"})
    options = frozenset({"scope", "activation", "scale", "init", "recurrent", "hidden"})

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        self.keys = nn.ParameterList(torch.randn(config.hidden, d) / math.sqrt(d) for d in widths.values())
        self.query = nn.Parameter(torch.zeros(self.rows, config.hidden, config.hidden))

    def constrained(self) -> str:
        return "softmax"

    def alphas(self, streams: Mapping[str, Tensor], site: Site) -> dict[str, Tensor]:
        keys = [F.linear(normalised(streams[n]), k) for n, k in zip(self.names, self.keys, strict=True)]
        key = torch.stack(keys, dim=2).float()  # [B, T, N, h]
        query = F.linear(key.mean(2), self.query[self.row(site.index)]).float()  # [B, T, h]
        logits = (key * query.unsqueeze(2)).sum(-1) / math.sqrt(self.config.hidden)
        logits = hide_absent(logits + self.mixing["alpha"][self.row(site.index)], self.names, site.present)
        return dict(zip(self.names, logits.softmax(-1).unbind(-1), strict=True))
