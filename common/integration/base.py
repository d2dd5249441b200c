"""The one interface behind which every integration rule and every baseline fusion stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import ClassVar, Literal, NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.integration.config import IntegrationConfig
from common.integration.regularisers import balance_penalty
from common.integration.scaling import Seen
from common.integration.site import Ahead, Site
from common.registry import Registry

RECURRENT = "state"
"""Name under which the recurrent term ``γ·z_{l-1}`` appears among the contributions."""


class Integrated(NamedTuple):
    """What one site returns.

    state: ``[B, T, D]``, the integrated state ``z_l`` before the backbone's own bias and norm.
    alphas: stream -> α as ``[]`` (scalar), ``[D]`` (channel) or ``[B, T]`` (token), detached; None for rules without α.
    contributions: stream (and ``state``) -> ``‖term‖ / Σ‖term‖`` as ``[B, T]``; None unless asked for.
    projections: likewise ``⟨term, Σterms⟩ / ‖Σterms‖²``, signed: a term that works against the others is below zero.
    penalty: ``[]``, this site's balance penalty times its weight, to be added to the loss; None when it is off.
    """

    state: Tensor
    alphas: dict[str, Tensor] | None
    contributions: dict[str, Tensor] | None
    projections: dict[str, Tensor] | None = None
    penalty: Tensor | None = None


class Combined(NamedTuple):
    """What a rule hands back to :class:`Integration`: the new state and its additive terms."""

    state: Tensor  # [B, T, D]
    terms: dict[str, Tensor] | None  # name -> [B, T, D]; only needed when report is True
    alphas: dict[str, Tensor] | None


class Integration(nn.Module, ABC):
    """All sites of one integration rule.

    Args:
        config: see :class:`IntegrationConfig`.
        widths: stream name -> channels of the raw stream; the order is the order of the streams.
        width: channels D of the integrated state.
        sites: number of sites (depths) L.
        reference: the backbone's own stream, or None when it is not integrated. Its width must be D.
    """

    last_site_only: bool = False
    """True for fusions that join the streams once, at the output; earlier sites are skipped by the model."""
    preserves: Literal["exactly", "nearly", "no"] = "exactly"
    """Whether the start equals the plain backbone. On the class: at best; on an instance: with its config."""
    attends: ClassVar[bool] = False
    """True for rules in which a position reads other positions of the secondary streams."""
    permutable: ClassVar[bool] = True
    """Whether permuting the streams only permutes the weights."""
    needs_reference: ClassVar[bool] = False
    """True for rules that are defined as a change of the backbone's own stream."""
    inits: ClassVar[frozenset[str]] = frozenset({"preserving"})
    """Values of the config's `init` that the rule knows."""
    options: ClassVar[frozenset[str]] = frozenset()
    """Fields of the config that the rule reads besides rule, stream_dropout and balance_penalty."""

    def __init__(
        self, config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
    ) -> None:
        super().__init__()
        if not widths:
            raise ValueError("an integration needs at least one stream")
        if RECURRENT in widths:
            raise ValueError(f"{RECURRENT!r} is the name of the recurrent term; give the stream another name")
        if reference is not None and widths.get(reference) != width:
            raise ValueError(f"reference stream {reference!r} must be one of {dict(widths)} and {width} wide")
        if reference is None and self.needs_reference:
            raise ValueError(f"rule {config.rule!r} changes the reference stream and needs one; keep it or use 'dm'")
        if sites < 1:
            raise ValueError("an integration needs at least one site")
        self._refuse_unread_options(config)
        self.config = config
        self.names = tuple(widths)
        self.secondary = tuple(name for name in widths if name != reference)
        self.widths = dict(widths)
        self.width = width
        self.sites = sites
        self.reference = reference
        self.seen = Seen()
        # Without a recurrent term nothing of an earlier site reaches the output: its parameters would be dead.
        self.last_site_only = self.last_site_only or not config.recurrent
        if config.init != "preserving" or config.activation != "identity" or reference is None:
            self.preserves = "no"

    @abstractmethod
    def combine(self, streams: dict[str, Tensor], state: Tensor | None, site: Site) -> Combined:
        """Join masked raw streams ``[B, T, D_i]`` and the state ``[B, T, D]`` at one site."""

    def work_ahead(
        self, sites: Sequence[Mapping[str, Tensor]], present: Mapping[str, Tensor] | None = None
    ) -> Sequence[Ahead] | None:
        """What can be had of the secondary streams before the reference is known; for passes without gradient.

        Args:
            sites: of every site that is integrated, name -> raw secondary stream ``[B, T, D_i]``.
            present: name -> bool ``[B]``.

        Returns:
            One per site, to be handed to :meth:`forward` as `ahead`; None where it would save nothing.
        """
        return None

    def after_norm(self, hidden: Tensor) -> Tensor:
        """Applied to ``[B, T, D]`` after the backbone's own final norm (LI's φ); the identity for most rules."""
        return hidden

    def activate(self, x: Tensor) -> Tensor:
        """φ of the config."""
        if self.config.activation == "relu":
            return F.relu(x)
        return F.gelu(x) if self.config.activation == "gelu" else x

    def forward(
        self,
        streams: Mapping[str, Tensor],
        state: Tensor | None = None,
        present: Mapping[str, Tensor] | None = None,
        site: int = 0,
        report: bool = True,
        mask: Tensor | None = None,
        scale_like: Tensor | None = None,
        causal: bool = False,
        ahead: Ahead | None = None,
    ) -> Integrated:
        """Integrate the streams of one site.

        Args:
            streams: name -> raw stream ``[B, T, D_i]``.
            state: ``z_{l-1}`` as ``[B, T, D]``, None at the first site.
            present: name -> bool ``[B]``; a stream missing from the dict is present everywhere.
            site: 0-based depth.
            report: also compute contributions and projections (costs a norm and a product per term).
            mask: bool ``[B, T]``, True at real tokens; read by the rules that attend and by the balance penalty.
            scale_like: reference stream ``[B, T, D]`` that sets the scale of the others in place of the one given, for
                analyses that replace the reference and want the other terms as they were.
            causal: whether position t may read positions up to t only. Of a rule that attends, the secondary streams
                and `mask` may then be longer than the reference, which stands at their end.
            ahead: this site's part of what :meth:`work_ahead` made of these streams; no use with `report`.
        """
        if set(self.names) != set(streams):
            raise ValueError(f"expected the streams {list(self.names)}, got {list(streams)}")
        unknown = set(present or {}) - set(self.names)
        if unknown:
            raise ValueError(f"presence of unknown streams {sorted(unknown)}; there are {list(self.names)}")
        first = self.sites - 1 if self.last_site_only else 0
        if not first <= site < self.sites:
            raise ValueError(f"site {site} is not integrated; this rule runs at sites {first} to {self.sites - 1}")
        if site == 0 and state is not None:
            raise ValueError("the first site has no state below it")
        self.seen.enter(site)
        masked = {
            name: self.seen.blanked(name, stream, present[name]) if present and name in present else stream
            for name, stream in ((name, streams[name]) for name in self.names)
        }
        state_in = None if self.last_site_only else state
        weight = self.config.balance_penalty if self.training else 0.0
        place = Site(site, present or None, mask, report or weight > 0, scale_like, causal, ahead)
        combined = self.combine(masked, state_in, place)
        if site == self.sites - 1:
            self.seen.clear()  # nothing may keep a graph alive
        penalty = None
        if weight > 0 and combined.terms is not None:
            penalty = weight * balance_penalty({name: combined.terms[name] for name in self.names}, present, mask)
        contributions = projections = None
        if report and combined.terms is not None:
            contributions, projections = shares(combined.terms), signed_shares(combined.terms)
        alphas = {name: alpha.detach() for name, alpha in combined.alphas.items()} if combined.alphas else None
        return Integrated(combined.state, alphas, contributions, projections, penalty)

    def _refuse_unread_options(self, config: IntegrationConfig) -> None:
        always = {"rule", "stream_dropout", "balance_penalty"}
        for field in fields(config):
            if field.name in always or field.name in self.options:
                continue
            if getattr(config, field.name) != field.default:
                raise ValueError(
                    f"rule {config.rule!r} has no option {field.name!r} "
                    f"(it reads {sorted(self.options) or 'none'}); leave it at {field.default!r}"
                )
        if config.init not in self.inits:
            raise ValueError(f"rule {config.rule!r} has no init {config.init!r}; it knows {sorted(self.inits)}")


def shares(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Contribution ``‖term_i‖ / Σ_j ‖term_j‖`` per token: name -> ``[B, T]`` in fp32 (0 where all terms vanish)."""
    norms = {name: term.detach().float().norm(dim=-1) for name, term in terms.items()}
    total = torch.stack(list(norms.values())).sum(0).clamp_min(1e-12)
    return {name: norm / total for name, norm in norms.items()}


def signed_shares(terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Signed projection ``⟨term_i, z⟩ / ‖z‖²`` on the sum z of all terms, per token: name -> ``[B, T]`` in fp32.

    They sum to 1 (to 0 where z vanishes).
    """
    exact = {name: term.detach().float() for name, term in terms.items()}
    total = torch.stack(list(exact.values())).sum(0)
    square = total.square().sum(-1).clamp_min(1e-12)
    return {name: (term * total).sum(-1) / square for name, term in exact.items()}


_RULES: Registry[type[Integration]] = Registry("integration rule")


Rule = TypeVar("Rule", bound=type[Integration])


def register(name: str) -> Callable[[Rule], Rule]:
    """Class decorator: make a rule known under `name`."""

    def add(cls: Rule) -> Rule:
        _RULES.add(name, cls)
        return cls

    return add


def rules() -> dict[str, type[Integration]]:
    """All registered rules, by name."""
    return dict(sorted(_RULES.items()))


def build_integration(
    config: IntegrationConfig, widths: Mapping[str, int], width: int, sites: int, reference: str | None
) -> Integration:
    """Build the rule that `config` names. Raises ValueError naming the known rules for an unknown one."""
    return _RULES.named(config.rule)(config, widths, width, sites, reference)
