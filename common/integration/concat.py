"""Early fusion: concatenate and let a small network sort it out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.base import Combined, Integration, IntegrationConfig, Site, register
from common.integration.scaling import normalised
from common.integration.split import gelu_gain


@register("concat")
class Concat(Integration):
    """Concat + MLP: ``z = s_ref + W_2 GELU(W_1 [s_1; …; s_N] + b)``, streams at RMS 1, W_2 = 0 at first.

    Last site only. Early fusion as in Baltrušaitis et al. 2019 ("Multimodal Machine Learning", section 6), on a
    residual path so that it starts as the backbone. Without a reference there is no residual and W_2 is random.
    """

    last_site_only = True
    options = frozenset({"hidden"})

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        columns = [torch.randn(config.hidden, d) / math.sqrt(d * len(widths)) for d in widths.values()]
        self.up = nn.Parameter(torch.cat(columns, dim=1))  # [h, Σ D_i]
        self.bias = nn.Parameter(torch.zeros(config.hidden))
        down = torch.randn(width, config.hidden) / math.sqrt(config.hidden)
        self.down = nn.Parameter(down if reference is None else torch.zeros_like(down))

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        inputs = [normalised(streams[name]) for name in self.names]
        inner = F.linear(torch.cat(inputs, dim=-1), self.up, self.bias)  # [B, T, h]
        state = F.linear(F.gelu(inner), self.down)
        if self.reference is not None:
            state = state + streams[self.reference]
        terms = None
        if site.report:
            gain = gelu_gain(inner)
            columns = self.up.split([self.widths[name] for name in self.names], dim=1)
            parts = [F.linear(x, up) * gain for x, up in zip(inputs, columns, strict=True)]
            terms = {name: F.linear(part, self.down) for name, part in zip(self.names, parts, strict=True)}
            if self.reference is not None:
                terms[self.reference] = terms[self.reference] + streams[self.reference]
        return Combined(state, terms, None)
