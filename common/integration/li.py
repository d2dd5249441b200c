"""Linear Integration: one matrix per stream; and LI-soma, the same without the normalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.base import RECURRENT, Combined, Integration, IntegrationConfig, Site, register


@register("li_soma")
class SomaIntegration(Integration):
    """LI-soma: ``z_l = φ(U_l z_{l-1} + Σ_i W_{l,i} s_{l,i} + b_l)``.

    All matrices of a site are one ``[D, (D +) Σ D_i]`` weight, so that a site is one matrix product. ``W_ref = I + Δ``
    is held as Δ: the start equals the backbone in every precision, and weight decay pulls towards it.
    """

    inits = frozenset({"preserving", "equal"})
    options = frozenset({"activation", "init", "recurrent"})

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        # The identity is added to the reference only where it is the start that is wanted.
        self.residual = reference if config.init == "preserving" else None
        self.joins = nn.ModuleList()
        for site in range(sites - 1 if self.last_site_only else 0, sites):
            columns = [self._initial(name) for name in self.names]
            if self._has_state(site):
                columns.insert(0, torch.zeros(width, width))
            join = nn.Linear(sum(c.shape[1] for c in columns), width, bias=site < sites - 1)
            join.weight = nn.Parameter(torch.cat(columns, dim=1))
            if join.bias is not None:
                nn.init.zeros_(join.bias)
            self.joins.append(join)

    def _has_state(self, site: int) -> bool:
        return site > 0 and not self.last_site_only

    def _initial(self, name: str) -> Tensor:
        """``[D, D_i]``: zero around a reference that passes, else variance-preserving over N independent streams."""
        narrow = self.widths[name]
        if self.residual is not None:
            return torch.zeros(self.width, narrow)
        return torch.randn(self.width, narrow) / math.sqrt(narrow * len(self.names))

    def _join(self, site: int) -> nn.Linear:
        join = self.joins[0 if self.last_site_only else site]
        assert isinstance(join, nn.Linear)
        return join

    def matrices(self, site: int) -> dict[str, Tensor]:
        """name -> ``[D, D_i]``, with U as ``state`` and with the identity in ``W_ref``."""
        names = ([RECURRENT] if self._has_state(site) else []) + list(self.names)
        weight = self._join(site).weight
        parts = dict(zip(names, weight.split([self.widths.get(n, self.width) for n in names], dim=1), strict=True))
        if self.residual is not None:
            identity = torch.eye(self.width, device=weight.device, dtype=weight.dtype)
            parts[self.residual] = parts[self.residual] + identity
        return parts

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        inputs = {name: streams[name] for name in self.names}
        if self._has_state(site.index):
            first = inputs[self.names[0]]
            below = first.new_zeros(*first.shape[:2], self.width) if state is None else state
            inputs = {RECURRENT: below, **inputs}
        join = self._join(site.index)
        total = F.linear(torch.cat(list(inputs.values()), dim=-1), join.weight, join.bias)
        if self.residual is not None:
            total = total + streams[self.residual]
        terms = None
        if site.report:
            terms = {name: F.linear(inputs[name], matrix) for name, matrix in self.matrices(site.index).items()}
        return Combined(self.finish(total, site.index), terms, None)

    def finish(self, total: Tensor, site: int) -> Tensor:
        """From the sum ``[B, T, D]`` to the state."""
        return self.activate(total)


@register("li")
class LinearIntegration(SomaIntegration):
    """LI: ``z_l = φ(Norm(U_l z_{l-1} + Σ_i W_{l,i} s_{l,i} + b_l))``; the last Norm is the backbone's own final one."""

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(0 if self.last_site_only else sites - 1))

    def finish(self, total: Tensor, site: int) -> Tensor:
        if site == self.sites - 1:
            return total
        return self.activate(self.norms[site](total))

    def after_norm(self, hidden: Tensor) -> Tensor:
        return self.activate(hidden)
