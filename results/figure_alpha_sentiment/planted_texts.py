"""How far α and other measures are from the shares of label information that were planted in generated texts.

The gap is the mean over the streams of the absolute difference of shares, 0 is perfect. What several streams carry has
its Shapley share among the streams that a run has, see :func:`results.figure_alpha_sentiment.agreement.planted_shares`.
A model that has not found its streams (its accuracy says so) is no evidence about its measures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from common.evaluation.importance import validity
from common.evaluation.statistics import mean_std
from results.figure_alpha_sentiment.agreement import measures, planted_shares
from results.grouping import by_variant, grouped, setting_key
from results.kinds import group_of
from results.reader import Run, recorded
from results.render import Columns, head, spread
from results.tables import section_titles

SHOWN = {
    "alpha": "|α|", "effective": "effective α", "contribution": "contribution", "projection": "signed projection",
    "zero": "set to zero", "shapley": "Shapley",
}  # fmt: skip
"""Measure -> its header."""
EQUAL = "equal"
"""In place of a measure: all streams are said to matter alike."""
NOTE = (
    "Gap between planted and measured shares of the streams, a mean over streams, ± over seeds; 0 is perfect. Equal: "
    "what is had by calling all streams alike. A model whose accuracy is no better than that of the most frequent "
    "class has not found its streams, and its gaps say nothing of the measures. Streams joined by = tell the same, by "
    "+ only together. Shapley values: of models trained with stream dropout."
)

COLUMNS: Columns = {
    **head(),
    "accuracy %": lambda row: spread(100 * row["accuracy_mean"], 100 * row["accuracy_std"]),
    **{
        title: lambda row, name=name: spread(row[f"{name}_mean"], row[f"{name}_std"])
        for name, title in ({EQUAL: "equal"} | SHOWN).items()
    },
}
"""Header -> how a cell is written."""


def planted_frame(runs: Sequence[Run], variants: Sequence[str]) -> pd.DataFrame:
    """A section per planted setting, a row per variant of `variants` that is no control.

    Returns:
        columns section, variant, seeds, accuracy_mean, accuracy_std (test), and for :data:`EQUAL` and each of
        :data:`SHOWN` ``_mean`` and ``_std`` of the gap, NaN where no seed has it; records.
    """
    titles, rows = section_titles(runs), []
    for key, group in grouped(runs, setting_key).items():
        by_name = by_variant(group)
        shown = [by_name[name] for name in variants if name in by_name and group_of(name) == "studied"]
        rows += [_row(titles[key], runs) for runs in shown if any(planted_shares(runs[0]).values())]
    return pd.DataFrame(rows)


def _row(title: str, runs: Sequence[Run]) -> dict[str, Any]:
    row: dict[str, Any] = {"section": title, "variant": runs[0].name, "seeds": len(runs)}
    row["accuracy_mean"], row["accuracy_std"] = mean_std([run.final["test_accuracy"] for run in runs])
    gaps = [_gaps(run) for run in runs]
    for name in (EQUAL, *SHOWN):
        known = [gap[name] for gap in gaps if name in gap]
        row[f"{name}_mean"], row[f"{name}_std"] = mean_std(known) if known else (math.nan, math.nan)
    return row | {"records": recorded(runs)}


def _gaps(run: Run) -> dict[str, float]:
    """Of every measure with a value above zero."""
    shares = planted_shares(run)
    found = measures(run) | {EQUAL: dict.fromkeys(shares, 1.0)}
    return {
        name: validity(shares, values)["calibration_error"]
        for name, values in found.items()
        if any(value > 0 for value in values.values())
    }
