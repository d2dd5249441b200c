"""Over the domains: mean rank, how often a rule is first, normalised scores, and where it beats the control."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.evaluation.aggregates import interquartile_mean
from results.render import SOURCES
from results.table6_universality.configs import DM, REFERENCE, RULES
from results.table6_universality.resampling import bounds
from results.table6_universality.rows import BEATS, UNTESTED, Judged

TITLE = "all domains"


def overall_frame(judged: Sequence[Judged]) -> pd.DataFrame:
    """A row per rule, over the domains that have both it and DM.

    Returns:
        columns section, variant, domains, single (those in which one seed is compared), rank (mean) with
        rank_low, rank_high (95 % interval) and rank_dm (mean rank of DM in the same domains), tasks (how many the
        domains are of), task_rank (mean over tasks of the mean over the domains of each) with task_rank_low,
        task_rank_high and task_rank_dm, first (mean share of
        replicates in which the rule is), in_errors (mean gain over the reference in standard errors), iqm
        (interquartile mean of normalised scores) with iqm_low, iqm_high, iqm_dm and iqm_domains, beats (domains in
        which the rule beats the shuffled control), tested (domains in which that was tested), records (of the rule in
        these domains). The columns in_errors,
        beats and tested leave out comparisons of one seed, as their errors do not know how seeds vary. Empty where no
        two domains have DM.
    """
    shared = [one for one in judged if DM in one.ranks]
    present = [rule for rule in RULES if any(rule in one.ranks for one in shared)]
    if len(shared) < 2:
        return pd.DataFrame()
    return pd.DataFrame([_row(rule, [one for one in shared if rule in one.ranks]) for rule in present])


def _row(rule: str, own: Sequence[Judged]) -> dict[str, Any]:
    rows = pd.DataFrame([one.row(rule) for one in own])
    several = rows["paired_seeds"] > 1
    to_reference = several & np.array([one.domain.anchor == REFERENCE for one in own])
    low, high = bounds(np.mean([one.ranks[rule] for one in own], axis=0))
    verdicts = rows.loc[rows["control_seeds"] > 1, "beats"]
    return {
        "section": TITLE, "variant": rule, "domains": len(own), "single": int((~several).sum()),
        "rank": rows["rank"].mean(), "rank_low": low, "rank_high": high,
        "rank_dm": np.mean([one.row(DM)["rank"] for one in own]), **_by_task(rule, own), "first": rows["first"].mean(),
        "in_errors": rows.loc[to_reference, "in_errors"].mean(), **_interquartile(rule, own),
        "beats": int((verdicts == BEATS).sum()), "tested": int((verdicts != UNTESTED).sum()),
        SOURCES: " ".join(dict.fromkeys(" ".join(one.domain.records.get(rule, "") for one in own).split())),
    }  # fmt: skip


def _by_task(rule: str, own: Sequence[Judged]) -> dict[str, float]:
    """Ranks over tasks that count alike, however many domains each has."""
    tasks = [one.domain.task or one.domain.title for one in own]
    weights = np.array([1 / tasks.count(task) for task in tasks]) / len(set(tasks))
    low, high = bounds(weights @ np.stack([one.ranks[rule] for one in own]))
    mean, dm = (float(weights @ [one.row(name)["rank"] for one in own]) for name in (rule, DM))
    return {
        "tasks": len(set(tasks)), "task_rank": mean, "task_rank_low": low, "task_rank_high": high, "task_rank_dm": dm,
    }  # fmt: skip


def _interquartile(rule: str, own: Sequence[Judged]) -> dict[str, float]:
    scaled = [one for one in own if one.normalised]
    if len(scaled) < 2:
        return {**dict.fromkeys(("iqm", "iqm_low", "iqm_high", "iqm_dm"), math.nan), "iqm_domains": len(scaled)}
    own_mean, dm_mean = (
        float(interquartile_mean([one.row(name)["normalised"] for one in scaled])) for name in (rule, DM)
    )
    low, high = bounds(interquartile_mean([one.normalised[rule] for one in scaled]))
    return {
        "iqm": own_mean, "iqm_low": low, "iqm_high": high, "iqm_dm": dm_mean, "iqm_domains": len(scaled),
    }  # fmt: skip
