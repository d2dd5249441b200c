"""Static hyper-connections over one block, with the streams as lanes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.base import Combined, Integration, IntegrationConfig, Site, register
from common.integration.mixing_weights import MixingWeights
from common.integration.scaling import EPS, Projection
from common.integration.split import gelu_gain


@register("hyper_connections")
class HyperConnections(Integration):
    """Hyper-connections: ``h = Σ_i a_i u_i``, ``z = Σ_i c_i u_i + d · MLP(h)``, ``u_i = n(P_i s_i)``; last site only.

    Static hyper-connections of Zhu et al. 2025 ("Hyper-Connections"): lanes are read with a, mixed among themselves and
    written back to; since they are summed at the end, c is the column sum of the mixing matrix and d of the writing
    vector. c_ref = 1, other c = 0, a = 1/N and an MLP with zero output weights at first, d = 1.
    """

    last_site_only = True
    options = frozenset({"hidden", "scale"})

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        self.project = Projection({name: widths[name] for name in self.secondary}, width, config.scale)
        count = len(self.names)
        carried = torch.full((count,), 1.0 / math.sqrt(count))
        if reference is not None:
            carried = torch.tensor([float(name == reference) for name in self.names])
        self.mixing = MixingWeights(alpha=carried, read=torch.full((count,), 1.0 / count), write=torch.ones(()))
        self.up = nn.Parameter(torch.randn(config.hidden, width) / math.sqrt(width))
        self.down = nn.Parameter(torch.zeros(width, config.hidden))

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        target = None
        lanes: dict[str, Tensor] = {}
        if self.reference is not None:
            target = site.scale(streams[self.reference], self.reference)
            lanes[self.reference] = streams[self.reference]
        lanes |= self.project(streams, target)
        carried = dict(zip(self.names, self.mixing["alpha"].unbind(0), strict=True))
        read = dict(zip(self.names, self.mixing["read"].unbind(0), strict=True))
        terms = {name: lanes[name] * carried[name] for name in self.names}
        entered = torch.stack([lanes[name] * read[name] for name in self.names]).sum(0)  # [B, T, D]
        factor = torch.rsqrt(entered.float().square().mean(-1, keepdim=True) + EPS)
        inner = F.linear((entered * factor).to(entered.dtype), self.up)  # [B, T, h]
        write = self.mixing["write"]
        state = torch.stack(list(terms.values())).sum(0) + F.linear(F.gelu(inner), self.down) * write
        if site.report:
            gain = gelu_gain(inner)
            for name in self.names:
                part = F.linear((lanes[name] * read[name] * factor).to(entered.dtype), self.up) * gain
                terms[name] = terms[name] + F.linear(part, self.down) * write
        return Combined(state, terms if site.report else None, carried)
