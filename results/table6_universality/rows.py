"""From a domain to the numbers of its rows: gain over the reference, normalised score, rank, and the control.

- Gain (Δ): mean score minus that of the reference, over the seeds that both have; where there is no model of the
  reference alone, minus that of DM. Intervals, ranks and how often a rule is first come from the same draws of seeds
  and test examples, see :mod:`results.table6_universality.resampling`.
- Normalised: Δ over the Δ of the domain's best row, so the reference is 0 and the best 1. Min-max would put the worst
  row at 0: one bad fusion would then move all others up, and a rule that is no better than the reference could have
  0.9. The unit is the gain as estimated, the same in every replicate. It is the highest of several gains, so chance
  makes it too large. Where no row is shown to be better than the reference (p as in the other tables, Holm over the
  domain) there is no unit and no normalised score: all rows may be at chance, or all at the ceiling, and the best of
  them would have 1 by luck. Such domains are missing from its mean over the domains, which therefore flatters, and the
  notes count largest gains in all domains and in the others. Δ / SE, the gain in standard errors, is there in each.
- Rank: 1 is best; equal scores share the mean of their ranks. Ranks are among the rules of a domain, whose number
  differs: over the domains compare a rule's mean rank with that of DM in the same domains, which stands beside it.
- Beats shuffled: against the rule itself on shuffled streams where the domain has such runs (``dm_linear_shuffled``),
  else against DM on them; over common seeds; p as in the other tables, Holm over the domain. ``not shown`` says that
  the records do not tell them apart, not that they are equal.
- A row of one seed has an interval over examples only. It speaks of that one trained model, and is left out of Δ / SE
  and of ``beats shuffled`` over the domains; its ranks are in, and the column ``domains`` says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from common.evaluation.statistics import holm, mean_std
from results.best import MARK, marks
from results.differences import enough, tested
from results.kinds import SIGNIFICANT
from results.render import SOURCES
from results.table6_universality.configs import CONTROLS, REFERENCE, REFERENCES, SHUFFLED
from results.table6_universality.domains import Domain
from results.table6_universality.resampling import bounds, gains, ranks, wins
from results.tokens import shuffled_twin

BEATS, WORSE, OPEN, UNTESTED = "yes", "worse", "not shown", ""
"""Whether a rule beats the shuffled control: significantly better, worse, neither, or not tested."""


@dataclass(frozen=True)
class Judged:
    """A domain with its numbers."""

    domain: Domain
    frame: pd.DataFrame
    """A row per rule, see :func:`judge`."""
    ranks: Mapping[str, np.ndarray]
    """Rule -> its rank in every replicate ``[R]``."""
    normalised: Mapping[str, np.ndarray]
    """Rule -> its normalised score in every replicate ``[R]``; empty where there is none."""

    @property
    def told_apart(self) -> bool:
        """Whether some rule is shown to be better than the anchor; against DM, better or worse."""
        return bool(self.frame["told_apart"].iloc[0])

    @property
    def better(self) -> list[str]:
        """Rules that are shown to be better than the anchor."""
        shown = (self.frame["gain_p_holm"] < SIGNIFICANT) & (self.frame["difference"] > 0)
        return list(self.frame.loc[shown, "variant"])

    def row(self, rule: str) -> Mapping[str, Any]:
        """The numbers of a rule."""
        return self.frame.set_index("variant").loc[rule].to_dict()


def judge(domain: Domain) -> Judged:
    """The rows of a domain.

    The frame's columns: section, variant, seeds, score_mean, score_std (over seeds), paired_seeds (shared with the
    anchor), anchor (see :attr:`Domain.anchor`), difference (to the anchor) with difference_low, difference_high (95 %
    interval), standard_error and gain_p_holm (of the paired tests, Holm over the domain), in_errors (difference over
    standard error), normalised (the difference over that of the best rule; NaN where there is no reference or none is
    shown to beat it) with normalised_low and normalised_high, rank with
    rank_low and rank_high, rules (how many are ranked), told_apart (whether one is shown to be better than the
    reference, or to differ from DM where there is none), first (share of replicates in which the rule is), control
    (difference to the shuffled control of :func:`control_of`, over control_seeds), control_p, control_p_holm (over the
    domain), beats, mark (of the row by its score), records (names of the row's).
    """
    drawn = gains(domain)
    gained = _gained(domain, drawn.rules)
    better, differing = (gained < SIGNIFICANT) & (drawn.estimates > 0), gained < SIGNIFICANT
    to_reference = domain.anchor == REFERENCE
    unit = float(drawn.estimates.max()) if to_reference and better.any() else math.nan
    ranked = ranks(drawn.replicates)
    low, high = bounds(drawn.replicates)
    rank_low, rank_high = bounds(ranked)
    errors = drawn.standard_errors
    scores = [[values.mean() for values in domain.scores[rule].values()] for rule in drawn.rules]
    beside = pd.DataFrame([_control(domain, rule) for rule in drawn.rules])
    best = marks(domain.scores)
    corrected = holm(beside["control_p"].to_numpy(np.float64))
    frame = pd.DataFrame({
        "section": domain.title, "variant": drawn.rules, "seeds": [len(one) for one in scores],
        "score_mean": [mean_std(one)[0] for one in scores], "score_std": [mean_std(one)[1] for one in scores],
        "paired_seeds": drawn.seeds,
        "anchor": domain.anchor,
        "difference": drawn.estimates, "difference_low": low, "difference_high": high, "standard_error": errors,
        "gain_p_holm": gained,
        "in_errors": drawn.estimates / errors, "normalised": drawn.estimates / unit, "normalised_low": low / unit,
        "normalised_high": high / unit, "rank": ranks(drawn.estimates), "rank_low": rank_low, "rank_high": rank_high,
        "rules": len(drawn.rules), "told_apart": bool((better if to_reference else differing).any()),
        "first": wins(ranked).mean(0), **beside, "control_p_holm": corrected,
        "beats": [_verdict(gap, p) for gap, p in zip(beside["control"], corrected, strict=True)],
        MARK: [best[rule] for rule in drawn.rules],
        SOURCES: [domain.records.get(rule, "") for rule in drawn.rules],
    })  # fmt: skip
    scaled = {} if math.isnan(unit) else dict(zip(drawn.rules, drawn.replicates.T / unit, strict=True))
    return Judged(domain, frame, dict(zip(drawn.rules, ranked.T, strict=True)), scaled)


def _gained(domain: Domain, rules: Sequence[str]) -> np.ndarray:
    """p of each rule's gain over the anchor ``[R]``, Holm over the domain; NaN for the anchor itself."""
    anchor = domain.scores[domain.anchor]
    found = [
        None if rule == domain.anchor else tested(domain.scores[rule], anchor, enough(len(rules))) for rule in rules
    ]
    return holm(np.array([math.nan if one is None else one.p for one in found]))


def control_of(domain: Domain, rule: str) -> str:
    """The rule itself on shuffled streams, where the domain has runs of that; else DM on them."""
    own = shuffled_twin(rule)
    return own if own in domain.scores else SHUFFLED


def _control(domain: Domain, rule: str) -> dict[str, float]:
    """Difference of a rule to its shuffled control over their common seeds, and its p; NaN where nothing is tested."""
    untested = rule in (*REFERENCES, *CONTROLS)
    control = {} if untested else domain.scores.get(control_of(domain, rule), {})
    found = tested(domain.scores[rule], control, enough(len(domain.scores)))
    if found is None:
        return {"control": math.nan, "control_seeds": 0, "control_p": math.nan}
    return {"control": found.gap.estimate, "control_seeds": found.gap.seeds, "control_p": found.p}


def _verdict(gap: float, p: float) -> str:
    if math.isnan(p):
        return UNTESTED
    if p >= SIGNIFICANT:
        return OPEN
    return BEATS if gap > 0 else WORSE
