"""What scaling, constraint and learning rate of α change in how well the measures rank streams."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from common.evaluation.seed_tests import paired_t_test
from common.evaluation.statistics import holm
from results.reader import where
from results.table5_alpha_validity.configs import CONDITIONS, MEASURES, RULES

STATISTIC = "spearman"
PARTS = ("", "_low", "_high", "_p", "_p_holm", "_rules", "_seeds")
"""What follows the name of a measure: mean change, its 95 % interval, its p and that after Holm's correction, and over
how many rules and seeds."""


def condition_frame(values: pd.DataFrame) -> pd.DataFrame:
    """A row per condition: its rank correlation over all settings minus that of the same rules as they are.

    A seed's change is the mean over the rules that have the measure on every seed, with and without the condition;
    where no rule has, seeds that one lacks do not count. A seed draws the same data, weights and order for a rule with
    and without. The seeds are the sample: Student's t, paired; Holm over the conditions of a measure.

    Args:
        values: of :func:`results.table5_alpha_validity.rows.recovered`.

    Returns:
        columns section, variant (the condition), rules and seeds (how many, of the first measure that there is), and
        every measure with :data:`PARTS`; records of the runs under the condition. Conditions without runs are left out.
    """
    known = where(values, scope="all")
    rows: list[dict[str, object]] = []
    for condition in CONDITIONS:
        changes = {measure: _changes(where(known, measure=measure), condition) for measure in MEASURES}
        first = next((one for one in changes.values() if not one.empty), None)
        if first is None:
            continue
        own = where(known, variant=[f"{rule}_{condition}" for rule in first.columns])
        row: dict[str, object] = {
            "section": "change in rank correlation", "variant": condition,
            "rules": first.shape[1], "seeds": len(first), "records": " ".join(own["record"].unique()),
        }  # fmt: skip
        for measure, change in changes.items():
            row |= _tested(measure, change.mean(axis=1).to_numpy(np.float64))
            row |= {f"{measure}_rules": change.shape[1], f"{measure}_seeds": len(change)}
        rows.append(row)
    frame = pd.DataFrame(rows)
    if not rows:
        return frame
    corrected = {f"{measure}_p_holm": holm(frame[f"{measure}_p"].to_numpy(np.float64)) for measure in MEASURES}
    return frame.assign(**corrected)


def _changes(values: pd.DataFrame, condition: str) -> pd.DataFrame:
    """Seeds by rules: change of the statistic, of the rules and seeds that have it with and without the condition."""
    by_seed = values.pivot(index="seed", columns="variant", values=STATISTIC)
    pairs = {rule: (rule, f"{rule}_{condition}") for rule in RULES}
    there = {rule: pair for rule, pair in pairs.items() if set(pair) <= set(by_seed.columns)}
    changes = pd.DataFrame({rule: by_seed[other] - by_seed[plain] for rule, (plain, other) in there.items()})
    on_all = changes.dropna(axis="columns")
    return on_all if on_all.shape[1] else changes.dropna(axis="columns", how="all").dropna()


def _tested(measure: str, change: np.ndarray) -> dict[str, float]:
    cells = dict.fromkeys((f"{measure}{part}" for part in PARTS), math.nan)
    if len(change):
        cells[measure] = float(change.mean())
    if len(change) > 1 and np.ptp(change) > 0:
        found = paired_t_test(change, np.zeros_like(change))
        cells |= {f"{measure}_low": found.low, f"{measure}_high": found.high, f"{measure}_p": found.p}
    return cells
