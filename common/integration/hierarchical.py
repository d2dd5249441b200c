"""Streams joined one after the other, with a non-linearity between the stages."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from common.integration.base import Combined, Site, register
from common.integration.dm import DirectMixing
from common.integration.scaling import sum_terms
from common.integration.split import gelu_gain


@register("hierarchical")
class Hierarchical(DirectMixing):
    """Hierarchical: ``((s_1, s_2) → z', (z', s_3) → z)``, in the order of the streams.

    ``x_1 = γ z_{l-1} + b + α_1 u_1``, ``x_k = ψ_k(x_{k-1}) + α_k u_k``, ``z = φ(x_N)``. Between stages
    ``ψ(x) = x + η (GELU(x) − x)`` (before the first join: the identity) with a learned η that starts at zero: the start
    is DM's, which the reference stream passes unchanged. With one or two streams there is nothing between: it is DM.
    """

    permutable = False
    options = frozenset({"scope", "activation", "scale", "init", "recurrent", "train_alpha", "alpha_noise"})

    def initial_weights(self) -> dict[str, Tensor]:
        weights = super().initial_weights()
        if len(self.names) > 2:
            weights["eta"] = torch.zeros(self.rows, len(self.names) - 2)
        return weights

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        alphas = self.alphas(streams, site)
        direct = self.direct_terms(streams, alphas, state, site.index)
        joined = {name: wide * weight for name, (wide, weight) in direct.items()}
        if self.secondary:
            matrices = self.project.split(self.project.weighted(alphas))
            inputs = self.scaled(streams, alphas, site)
            joined |= {name: F.linear(narrow, matrices[name]) for name, narrow in inputs.items()}
        # What stands in the running sum, by term: a stage bends all of them by the same gain.
        terms = {name: joined[name] for name in joined if name not in self.names}
        x = sum_terms(terms.values(), self.inner_bias(site.index))
        for stage, name in enumerate(self.names):
            if stage > 1:
                assert x is not None
                gain = 1 + self.mixing["eta"][self.row(site.index), stage - 2] * (gelu_gain(x) - 1)
                x = (x * gain).to(x.dtype)
                if site.report:
                    terms = {earlier: term * gain for earlier, term in terms.items()}
            x = joined[name] if x is None else x + joined[name]
            terms[name] = joined[name]
        assert x is not None
        return Combined(self.activate(x), terms if site.report else None, alphas)
