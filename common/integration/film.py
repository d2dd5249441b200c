"""Feature-wise linear modulation of the reference stream by the others."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.base import Combined, Integration, IntegrationConfig, Site, register
from common.integration.scaling import normalised


@register("film")
class FiLM(Integration):
    """FiLM: ``z = (1 + Σ_i G_i s_i) ⊙ s_ref + Σ_i B_i s_i``, streams at RMS 1, G = B = 0 at first.

    Last site only. Perez et al. 2018 ("FiLM: Visual Reasoning with a General Conditioning Layer"), conditioned
    token by token.
    """

    last_site_only = True
    needs_reference = True

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        if self.secondary:
            self.modulate = nn.Parameter(torch.zeros(2 * width, sum(widths[name] for name in self.secondary)))

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        assert self.reference is not None
        reference = streams[self.reference]
        if not self.secondary:
            return Combined(reference, {self.reference: reference}, None)
        inputs = [normalised(streams[name]) for name in self.secondary]
        gain, shift = F.linear(torch.cat(inputs, dim=-1), self.modulate).chunk(2, dim=-1)  # [B, T, D] each
        terms = None
        if site.report:
            terms = {self.reference: reference}
            columns = self.modulate.split([self.widths[name] for name in self.secondary], dim=1)
            for name, stream, column in zip(self.secondary, inputs, columns, strict=True):
                own_gain, own_shift = F.linear(stream, column).chunk(2, dim=-1)
                terms[name] = own_gain * reference + own_shift
        return Combined(reference + (gain * reference + shift), terms, None)
