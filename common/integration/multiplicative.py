"""Direct Mixing plus products of pairs of streams."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from common.integration.base import RECURRENT, Combined, Site, register
from common.integration.dm import DirectMixing
from common.integration.scaling import EPS, sum_terms


@register("multiplicative")
class Multiplicative(DirectMixing):
    """Multiplicative: DM plus ``Σ_{i<j} β_ij · u_i ⊙ u_j / r``, where ``u_i = n(P_i s_i)``; β starts at zero.

    r is the RMS of the reference stream under scale `reference`, which keeps products at the scale of the streams,
    and 1 otherwise. Half of a product counts as the contribution of either stream.
    """

    options = frozenset({"scope", "activation", "scale", "init", "recurrent", "train_alpha", "alpha_noise"})

    def initial_weights(self) -> dict[str, Tensor]:
        weights = super().initial_weights()
        pairs = len(self.names) * (len(self.names) - 1) // 2
        if pairs:
            weights["beta"] = torch.zeros(self.rows, pairs)
        return weights

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        alphas = self.alphas(streams, site)
        target = self.target(streams, site)
        inputs = self.project(streams, target)
        if self.reference is not None:
            inputs[self.reference] = streams[self.reference]
        terms = {name: inputs[name] * alphas[name] for name in self.names}
        for pair, (one, other) in enumerate(combinations(self.names, 2)):
            factor = self.mixing["beta"][self.row(site.index), pair] / 2
            if target is not None:
                factor = factor / (target + EPS)  # [B, T, 1]
            half = (inputs[one] * inputs[other] * factor).to(inputs[one].dtype)
            terms[one] = terms[one] + half
            terms[other] = terms[other] + half
        if state is not None:
            carried, gamma = self.carried(state, site.index), self.gamma(site.index)
            terms[RECURRENT] = carried * gamma
        total = sum_terms(terms.values(), self.inner_bias(site.index))
        assert total is not None
        return Combined(self.activate(total), terms if site.report else None, alphas)
