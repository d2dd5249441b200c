"""ELMo's scalar mix: one softmax over all streams at all depths."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from common.integration.base import IntegrationConfig, Site, register
from common.integration.dm import DirectMixing
from common.integration.mixing_weights import initial_alpha


@register("scalar_mix")
class ScalarMix(DirectMixing):
    """Scalar mix: ``z = g · Σ_{l,i} w_{l,i} n(P_i s_{l,i})`` with w a softmax over all sites and streams.

    Peters et al. 2018 ("Deep contextualized word representations", eq. 1) over several streams. The partial sum travels
    in the state. `equal` is the published start; `preserving` puts 0.99 on the last reference.
    """

    has_inner = False
    preserves = "nearly"
    inits = frozenset({"preserving", "equal"})
    options = frozenset({"scale", "init"})

    def constrained(self) -> str:
        return "softmax"

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        if sites > 1 and self.preserves == "exactly":
            self.preserves = "nearly"

    def initial_weights(self) -> dict[str, Tensor]:
        position = None if self.reference is None else self.names.index(self.reference)
        last = None if position is None else (self.sites - 1) * len(self.names) + position
        logits = initial_alpha(self.sites * len(self.names), last, self.config.init, "softmax")
        return {"alpha": logits.view(self.sites, len(self.names)), "mix_scale": torch.ones(())}

    def alphas(self, streams: Mapping[str, Tensor], site: Site) -> dict[str, Tensor]:
        weights = self.mixing["alpha"].flatten().softmax(0).view(self.sites, -1)[site.index]
        if site.index == self.sites - 1:
            weights = weights * self.mixing["mix_scale"]
        return dict(zip(self.names, weights.unbind(0), strict=True))

    def gamma(self, site: int) -> Tensor:
        scale = self.mixing["mix_scale"]
        return scale if site == self.sites - 1 else torch.ones_like(scale)
