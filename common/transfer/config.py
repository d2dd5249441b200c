"""What a run is told about mixing weights that it takes, frozen, from a run in another domain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from common.integration.config import IntegrationConfig

MEANT = ("rule", "scope", "granularity", "constraint", "activation", "scale")
"""Fields of the rule on which it depends what a mixing weight means."""


@dataclass(frozen=True)
class LearntWeights:
    """The final mixing weights of a DM model, exactly as fp32 held them."""

    streams: tuple[str, ...] = ()
    """Names of its N streams, in order."""
    alpha: tuple[tuple[float, ...], ...] = ()
    """α ``[sites, N]``."""
    gamma: tuple[float, ...] = ()
    """γ of every site but the first."""
    gate: tuple[float, ...] = ()
    """Gate of the feedback into the reference stream, of every site but the last; empty where it has no feedback."""


@dataclass(frozen=True)
class TransferConfig:
    """Which mixing weights are frozen, and at what. Projections, encoders and backbone are learnt as ever.

    To transfer frozen weights and to compare with frozen random ones is after Yosinski et al. 2014 ("How transferable
    are features in deep neural networks?").
    """

    arm: Literal["none", "transfer", "random", "equal"] = "none"
    """none: learn them. transfer: those of the source, by role. random: the same numbers in a random order (α over
    sites and streams, γ and gates over sites; another order for every training seed), so that the scale is the
    learnt one (after the shuffles of Frankle et al. 2021, "Pruning neural networks at initialization"). equal:
    α = 1/√N everywhere as in init `equal`, γ and gates at their means over the source's sites: at 0, where that init
    starts them, there would be neither recurrence nor feedback."""
    source: str = ""
    """Folder of a finished run, or of its record. In a record: its step, name and hash."""
    weights: Annotated[LearntWeights, tyro.conf.Suppress, tyro.conf.Fixed] = field(default_factory=LearntWeights)
    """What was learnt there; filled in from the source, so that the hash of a run depends on it and not on a path."""

    def __post_init__(self) -> None:
        if self.arm not in ("none", "transfer", "random", "equal"):
            raise ValueError(f"transfer.arm must be none, transfer, random or equal, got {self.arm!r}")
        if self.source and self.arm == "none":
            raise ValueError("transfer.source is read by the rows of transfer; take a variant such as dm_transfer")

    def resolved(self, own: IntegrationConfig) -> TransferConfig:
        """With the weights of the source in place of its path; itself where there is nothing (more) to read.

        Args:
            own: the rule of the model that takes them.

        Raises:
            ValueError: the rules do not agree, or are not DM with one free number per stream.
            FileNotFoundError: the source is no finished run.
        """
        if self.arm == "none" or self.weights.alpha:
            return self
        if own.train_alpha:
            raise ValueError("frozen mixing weights need train_alpha off; take a variant such as dm_transfer")
        if not self.source:
            raise ValueError(
                "frozen mixing weights come from a finished run in another domain; name its folder by --transfer.source"
            )
        from common.transfer.source import read_source

        name, rule, weights = read_source(Path(self.source).expanduser())
        refuse_other_rule(name, rule, own)
        return replace(self, source=name, weights=weights)


def refuse_other_rule(source: str, learnt: IntegrationConfig, own: IntegrationConfig) -> None:
    """Raise ValueError unless weights of the rule `learnt`, from the run `source`, mean the same under the rule `own`.

    Only α that is one free number per stream is offered: it needs no common width. LI has matrices instead; those of
    reference and state would fit a model of the same width, but those of a stream fit that stream's channels alone.
    """
    for where, one in ((source, learnt), ("this model", own)):
        if (one.rule, one.granularity, one.constraint) != ("dm", "scalar", "free"):
            raise ValueError(
                f"transfer is offered for rule dm with scalar, free α and for no other, LI included; {where} has rule "
                f"{one.rule} with {one.granularity}, {one.constraint} α"
            )
    other = [f"{name} {getattr(learnt, name)}" for name in MEANT if getattr(learnt, name) != getattr(own, name)]
    if other:
        raise ValueError(f"{source} was trained with {', '.join(other)}, and this model is not; give both one rule")
