"""Two folders of records side by side: what one lacks, and where their runs differ beyond chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from common.evaluation.false_discovery import benjamini_hochberg
from common.evaluation.statistics import holm
from results.diff.compared import Compared, metric_of, value_of
from results.diff.pairing import Pair, setting_of
from results.differences import compare, effect_shown, enough
from results.grouping import grouped
from results.kinds import SIGNIFICANT
from results.reader import Run
from results.states import ranges


@dataclass(frozen=True)
class Correction:
    """How p values are corrected for their number."""

    called: str
    header: str
    corrected: Callable[[Sequence[float]], np.ndarray]


HOLM = Correction("Holm's correction", "p Holm", holm)
FALSE_DISCOVERY = Correction("Benjamini and Hochberg's correction", "p BH", benjamini_hochberg)


def lone_rows(alone: Mapping[str, Sequence[Run]], called: Mapping[str, str]) -> pd.DataFrame:
    """Runs without a counterpart, as text: only in, setting, variant, seeds.

    Args:
        alone: side -> its runs.
        called: setting -> what it is called, from :func:`results.diff.pairing.titles`.
    """
    rows = [
        (side, called[setting], group[0].name, ranges([run.seed for run in group]))
        for side, runs in alone.items()
        for setting, of_setting in grouped(runs, setting_of).items()
        for group in grouped(of_setting, lambda run: run.name).values()
    ]
    return pd.DataFrame(rows, columns=pd.Index(["only in", "setting", "variant", "seeds"]))


def run_rows(found: Sequence[Pair]) -> pd.DataFrame:
    """The runs whose main metric differs, as text: setting, variant, seed, metric, first, second, difference."""
    rows = []
    for pair in found:
        metric = metric_of(pair.any_run)
        for one, other in zip(pair.first, pair.second, strict=True):
            values = [value_of(run, metric) for run in (one, other)]
            if values[0] != values[1]:
                shown = [f"{value:.4f}" for value in values]
                gap = f"{values[1] - values[0]:+.4f}"
                rows.append((pair.setting, pair.variant, str(one.seed), metric.called, *shown, gap))
    columns = ["setting", "variant", "seed", "metric", "first", "second", "difference"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def group_frame(every: Sequence[Compared], correction: Correction = HOLM) -> pd.DataFrame:
    """A row per pair: the second folder's mean score minus the first's, over the seeds and examples that both have.

    Returns:
        columns setting, variant, seeds, examples, metric, difference, low, high (95 % interval), p (the largest of
        :class:`results.differences.Tested`), p_corrected (over all rows), detectable (with a power of
        80 %, corrected), significant, better (whether the second is), same (on every example), why (examples cannot be
        compared).
    """
    rows = [_row(one, enough(len(every))) for one in every]
    corrected = correction.corrected([row["p"] for row in rows])
    tested = int(np.isfinite(corrected).sum())
    for row, p in zip(rows, corrected, strict=True):
        row |= {"p_corrected": float(p), "significant": bool(p < SIGNIFICANT)}
        row["detectable"] = effect_shown(*row.pop("errors"), comparisons=tested)
    return pd.DataFrame(rows)


def _row(one: Compared, replicates: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "setting": one.pair.setting, "variant": one.pair.variant, "seeds": ranges([run.seed for run in one.pair.first]),
        "examples": 0, "metric": one.metric.called, "better": False, "same": one.same, "why": one.why,
    }  # fmt: skip
    row |= dict.fromkeys(("difference", "low", "high", "p"), math.nan) | {"errors": (0, math.nan, math.nan, math.nan)}
    if one.why:
        return row
    if one.same:
        same = {"difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0, "errors": (0, 0.0, 0.0, 0.0)}
        return row | same | {"examples": one.first.shape[1]}
    found, scale = compare(one.second, one.first, replicates), one.metric.scale
    gap = found.gap
    values = {"difference": gap.estimate, "low": gap.low, "high": gap.high}
    return row | {name: scale * value for name, value in values.items()} | {
        "errors": (gap.seeds, *(scale * e for e in (gap.standard_error, found.seed_std, found.example_error))),
        "examples": gap.examples, "p": found.p, "better": (gap.estimate < 0) == one.metric.lower_is_better,
    }  # fmt: skip
