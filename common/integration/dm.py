"""Direct Mixing: one learned number α per stream; and DM-linear, whose recurrent term passes through a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.base import RECURRENT, Combined, Integration, IntegrationConfig, Site, register
from common.integration.mixing_weights import MixingWeights, constrain, initial_alpha
from common.integration.scaling import Projection, normalised, without_autocast
from common.integration.site import Ahead


@register("dm")
class DirectMixing(Integration):
    """DM: ``z_l = φ(γ_l z_{l-1} + Σ_i α_{l,i} n(P_i s_{l,i}) + b_l)``, with ``n(P s) = s`` for the reference stream."""

    has_inner: ClassVar[bool] = True
    """Whether γ and a bias of its own join in between the sites."""
    inits = frozenset({"preserving", "equal", "predecessor"})
    options = frozenset({
        "scope", "granularity", "constraint", "activation", "scale", "init", "recurrent", "train_alpha", "alpha_noise",
    })  # fmt: skip

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        self.rows = 1 if config.scope == "shared" or self.last_site_only else sites
        # Neither a γ at the first site nor a bias at the last: there the backbone's own bias follows.
        self.inner_rows = 0 if sites == 1 or self.last_site_only or not self.has_inner else max(self.rows - 1, 1)
        self.project = Projection({name: widths[name] for name in self.secondary}, width, config.scale)
        self.mixing = MixingWeights(config.train_alpha, **self.initial_weights())
        if self.inner_rows:
            self.bias = nn.Parameter(torch.zeros(self.inner_rows, width))
        reachable = not self.constrained() or (self.constrained() == "softmax" and len(widths) == 1)
        if not reachable and self.preserves == "exactly":
            self.preserves = "nearly"
        if config.alpha_noise:
            self.preserves = "no"

    def constrained(self) -> str:
        """The constraint α stands under, or an empty string."""
        return "" if self.config.constraint == "free" else self.config.constraint

    def initial_weights(self) -> dict[str, Tensor]:
        """Initial mixing weights: α ``[R, N]`` or ``[R, N, D]``, γ ``[R - 1]``, token directions ``[R, Σ D_i]``."""
        config = self.config
        position = None if self.reference is None else self.names.index(self.reference)
        constraint = self.constrained() or "free"
        alpha = initial_alpha(len(self.names), position, config.init, constraint, config.alpha_noise, self.rows)
        weights = {"alpha": alpha}
        if config.granularity == "channel":
            weights["alpha"] = alpha.unsqueeze(-1).repeat(1, 1, self.width)
        if config.granularity == "token":
            weights["direction"] = torch.zeros(self.rows, sum(self.widths.values()))
        if self.inner_rows:
            weights["gamma"] = torch.full((self.inner_rows,), self.initial_gamma())
        return weights

    def initial_gamma(self) -> float:
        return 0.2 if self.config.init == "predecessor" else 0.0

    def row(self, site: int) -> int:
        """Row of the α in use at a site."""
        return 0 if self.rows == 1 else site

    def inner_row(self, position: int) -> int:
        """Row of the `position`-th γ, U or bias in use."""
        return 0 if self.inner_rows == 1 else position

    def alphas(self, streams: Mapping[str, Tensor], site: Site) -> dict[str, Tensor]:
        """stream -> α in fp32: ``[]``, ``[D]`` or ``[B, T]``."""
        alpha = self.mixing["alpha"][self.row(site.index)]  # [N] or [N, D]
        if self.config.granularity == "channel":
            alpha = constrain(alpha.T, self.config.constraint).T
        elif self.config.granularity == "token":
            directions = self.mixing["direction"][self.row(site.index)].split(list(self.widths.values()))
            moved = [token_score(streams[n], v) for n, v in zip(self.names, directions, strict=True)]
            logits = alpha + torch.stack(moved, dim=-1)  # [B, T, N]
            if self.config.constraint == "softmax":
                logits = hide_absent(logits, self.names, site.present)
            return dict(zip(self.names, constrain(logits, self.config.constraint).unbind(-1), strict=True))
        else:
            alpha = constrain(alpha, self.config.constraint)
        return dict(zip(self.names, alpha.unbind(0), strict=True))

    def carried(self, state: Tensor, site: int) -> Tensor:
        """The recurrent term ``[B, T, D]`` without its weight."""
        return state

    def gamma(self, site: int) -> Tensor:
        """Weight ``[]`` of the recurrent term."""
        return self.mixing["gamma"][self.inner_row(site - 1)]

    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        if site.ahead is not None and not site.report:
            return self._complete(site.ahead, streams, state, site)
        alphas = self.alphas(streams, site)
        direct = self.direct_terms(streams, alphas, state, site.index)
        total = self.inner_bias(site.index)
        terms = {name: wide * weight for name, (wide, weight) in direct.items()} if site.report else None
        if self.secondary:
            inputs, weight = self.scaled(streams, alphas, site), self.project.weighted(alphas)
            total = F.linear(torch.cat(list(inputs.values()), dim=-1), weight, total)
            if terms is not None:
                matrices = self.project.split(weight)
                terms |= {name: F.linear(narrow, matrices[name]) for name, narrow in inputs.items()}
        return Combined(self.activate(add_weighted(total, list(direct.values()))), terms, alphas)

    def work_ahead(
        self, sites: Sequence[Mapping[str, Tensor]], present: Mapping[str, Tensor] | None = None
    ) -> Sequence[Ahead] | None:
        """``Σ_i α_{l,i} P_i s_{l,i}`` of all sites, at RMS 1 each unless the scale is `none`.

        While tokens are fewer than a stream's channels, reading P costs more than multiplying by it: every P_i is read
        once for all sites, and no term waits for the reference.
        """
        kind = type(self)
        static = kind.alphas is DirectMixing.alphas and kind.combine is DirectMixing.combine
        if not static or not self.secondary or self.config.granularity == "token" or torch.is_grad_enabled():
            return None
        first = sites[0][self.secondary[0]]
        if first.shape[:-1].numel() >= min(self.widths[name] for name in self.secondary):
            return None
        # [N, R] or [N, R, D]
        alpha = constrain(self.mixing["alpha"].movedim(1, -1), self.config.constraint).movedim(-1, 0)
        mixed: Tensor | None = None
        for name, weight in zip(self.names, alpha.unbind(0), strict=True):
            if name == self.reference:
                continue
            stream = torch.stack([site[name] for site in sites])  # [L, B, T, D_i]
            if present and name in present:
                stream = torch.where(present[name].view(-1, 1, 1), stream, stream.new_zeros(()))
            term = self.project.wide(name, stream) * weight.view(len(weight), 1, 1, -1)
            mixed = term if mixed is None else mixed + term
        assert mixed is not None
        rows = [dict(zip(self.names, row.unbind(0), strict=True)) for row in alpha.unbind(1)]
        gammas = self.mixing["gamma"].unbind(0) if self.inner_rows else ()
        return [
            Ahead(
                one, rows[self.row(site)], gammas[self.inner_row(site - 1)] if site and gammas else None,
                self.inner_bias(site),
            )
            for site, one in enumerate(mixed.unbind(0), self.sites - len(sites))
        ]  # fmt: skip

    def _complete(self, ahead: Ahead, streams: Mapping[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        """The state, given what was worked ahead."""
        target = self.target(streams, site)
        if target is None:
            total = ahead.mixed.clone() if ahead.bias is None else ahead.mixed + ahead.bias
        else:
            total = ahead.mixed * target if ahead.bias is None else torch.addcmul(ahead.bias, ahead.mixed, target)
        direct = [] if self.reference is None else [(streams[self.reference], ahead.alphas[self.reference])]
        if state is not None:
            assert ahead.gamma is not None, "a state comes from a site below"
            direct.append((self.carried(state, site.index), ahead.gamma))
        return Combined(self.activate(add_weighted(total, direct)), None, dict(ahead.alphas))

    def direct_terms(
        self, streams: Mapping[str, Tensor], alphas: Mapping[str, Tensor], state: Tensor | None, site: int
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Terms that need no projection, as (tensor ``[B, T, D]``, weight): the reference and the recurrent term."""
        direct = {}
        if self.reference is not None:
            alpha = alphas[self.reference]
            direct[self.reference] = (streams[self.reference], alpha.unsqueeze(-1) if alpha.dim() == 2 else alpha)
        if state is not None:
            direct[RECURRENT] = (self.carried(state, site), self.gamma(site))
        return direct

    def inner_bias(self, site: int) -> Tensor | None:
        """``b_l [D]``; None at the last site."""
        return self.bias[self.inner_row(site)] if self.inner_rows and site < self.sites - 1 else None

    def scaled(self, streams: Mapping[str, Tensor], alphas: Mapping[str, Tensor], site: Site) -> dict[str, Tensor]:
        """Narrow secondary streams with the scale of their projection and, unless it is per channel, their α."""
        return self.project.scaled(streams, self.target(streams, site), alphas, self.seen)

    def target(self, streams: Mapping[str, Tensor], site: Site) -> Tensor | None:
        """RMS ``[B, T, 1]`` that the projected streams are brought to; None means 1."""
        if self.reference is None or self.config.scale != "reference" or not self.secondary:
            return None
        return site.scale(streams[self.reference], self.reference)


@register("dm_linear")
class LinearDirectMixing(DirectMixing):
    """DM-linear: as DM, with ``γ_l U_l z_{l-1}``. U starts at zero and γ at 1 (`predecessor`: U = I, γ = 0.2)."""

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__(config, widths, width, sites, reference)
        if self.inner_rows:
            start = torch.eye(width) if config.init == "predecessor" else torch.zeros(width, width)
            self.carry_matrix = nn.Parameter(start.repeat(self.inner_rows, 1, 1))  # [R, D, D]

    def initial_gamma(self) -> float:
        return 0.2 if self.config.init == "predecessor" else 1.0

    def carried(self, state: Tensor, site: int) -> Tensor:
        return F.linear(state, self.carry_matrix[self.inner_row(site - 1)])


def token_score(stream: Tensor, direction: Tensor) -> Tensor:
    """``v · s/rms(s)`` per token ``[B, T]`` in fp32."""
    with torch.autocast(stream.device.type, enabled=False):
        return normalised(stream.float()) @ direction


def hide_absent(logits: Tensor, names: tuple[str, ...], present: Mapping[str, Tensor] | None) -> Tensor:
    """Take absent streams out of a softmax: ``[B, T, N]``. A sample without any stream keeps finite weights."""
    if not present:
        return logits
    everywhere = torch.ones(logits.shape[0], dtype=torch.bool, device=logits.device)
    there = torch.stack([present.get(name, everywhere) for name in names], dim=-1)  # [B, N]
    return logits.masked_fill(~there.unsqueeze(1), torch.finfo(logits.dtype).min)


def add_weighted(total: Tensor | None, direct: list[tuple[Tensor, Tensor]]) -> Tensor:
    """``total + Σ tensor · weight`` as ``[B, T, D]``, in the dtype of the first tensor."""
    if not direct:
        assert total is not None, "an integration has at least one term"
        return total
    # Autocast would first copy all three operands of addcmul to fp32; the kernel promotes them itself.
    with without_autocast(direct[0][0].device):
        wide, weight = direct[0]
        if total is not None and total.dim() == 3:
            # Where dtypes differ, adding it at the end would copy it all the same and be one more pass over memory.
            joined = total.to(wide.dtype)
        else:  # a bias alone, or nothing
            joined, direct = wide * weight.to(wide.dtype), direct[1:]
            joined = joined if total is None else joined.add_(total)
        # In place: on a CPU, touching new memory of this size costs more than the sum.
        for wide, weight in direct:
            joined.addcmul_(wide, weight.to(wide.dtype))
        return joined
