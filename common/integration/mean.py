"""The mean of the streams: integration that learns nothing about them but their projection."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from common.integration.base import Combined, Integration, IntegrationConfig, Site, register
from common.integration.scaling import Projection


@register("mean")
class Mean(Integration):
    """Mean: ``z = 1/n Σ_i n(P_i s_i)`` over the n streams present in the sample; last site only."""

    last_site_only = True
    preserves = "no"
    options = frozenset({"scale"})

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        self.project = Projection({name: widths[name] for name in self.secondary}, width, config.scale)

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        target = None
        inputs: dict[str, Tensor] = {}
        if self.reference is not None:
            target = site.scale(streams[self.reference], self.reference)
            inputs[self.reference] = streams[self.reference]
        inputs |= self.project(streams, target)
        some = inputs[self.names[0]]
        everywhere = torch.ones(some.shape[0], device=some.device)
        there = torch.stack([(site.present or {}).get(name, everywhere).float() for name in self.names])  # [N, B]
        weight = there.sum(0).clamp_min(1.0).reciprocal().view(-1, 1, 1)
        terms = {name: (inputs[name] * weight).to(some.dtype) for name in self.names}
        return Combined(torch.stack(list(terms.values())).sum(0), terms, None)
