"""From runs to everything that a claim about a stream needs: α and how it moved, and what the stream was worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from common.evaluation.statistics import half_width, mean_std
from results.arms import arm, check_labels
from results.differences import difference
from results.figure_alpha_sentiment.agreement import measures
from results.figure_alpha_sentiment.values import at_best_step
from results.grouping import by_variant, grouped, setting_key
from results.reader import Run, recorded, where
from results.table1_sentiment.configs import LADDER
from results.table9_importance.configs import EQUAL_SIZE, SECONDARY, STUDIED
from results.tables import section_titles

BOTH = "+".join(SECONDARY)
WAYS = ("zero", "mean", "permutation")
"""Of leaving a stream out of the trained model."""
VALUES = ("alpha", "moved", "gradient", "contribution", "projection", *WAYS, "shapley")
TOLD = (*WAYS, "shapley", "retrained")
"""Measures that a verdict rests on: each says what became of the accuracy."""
ALL, SOME, NONE = "all", "some", "none"
"""How many of the measures that are known show that a stream counts."""


def importance_table(runs: Sequence[Run]) -> pd.DataFrame:
    """A section per setting and variant of :data:`STUDIED`, in each a row per stream; for DM also one for both
    secondary ones, where the control of equal parameters has runs. Texts that share out the label in steps have a
    figure of their own, :mod:`results.figure_alpha_sentiment.ladder`.

    Returns:
        columns section, rule, variant (the stream), seeds; for each of :data:`VALUES` ``_mean``, ``_std``, ``_low`` and
        ``_high`` (95 %, Student's t over seeds; NaN for one) and ``_seeds`` (that have it): α, how far it moved from
        its start and the magnitude of its gradient in the first traced step (means over the sites), contribution and
        signed projection, validation accuracy lost without the stream in three ways, its Shapley value; ``retrained``,
        test accuracy minus that of the model retrained without the stream, with :data:`results.differences.PARTS`;
        shows (measures whose interval is above zero), known (measures with an interval), verdict; records.
    """
    titles, table = section_titles(runs), []
    for key, group in grouped(runs, setting_key).items():
        if titles[key].split(", ")[0] in LADDER:
            continue
        by_name = by_variant(group)
        for name in STUDIED:
            own = by_name.get(name, [])
            both = (BOTH,) if name == "dm" and EQUAL_SIZE in by_name else ()
            for stream in (*own[0].streams, *both) if own else ():
                table.append({"section": f"{titles[key]}: {name}", **_row(own, stream, by_name)})
    return pd.DataFrame(table)


def _row(runs: Sequence[Run], stream: str, by_name: Mapping[str, Sequence[Run]]) -> dict[str, Any]:
    row: dict[str, Any] = {"rule": runs[0].name, "variant": stream, "seeds": len(runs)}
    for name in VALUES:
        row |= _summary(name, [found[name] for run in runs if name in (found := _measured(run, stream))])
    without = by_name.get(_without(runs[0], stream), [])
    row |= _retrained(runs, without)
    known = [name for name in TOLD if not math.isnan(row[f"{name}_low"])]
    shows = [name for name in known if row[f"{name}_low"] > 0]
    return row | {
        "shows": " ".join(shows), "known": " ".join(known), "verdict": _verdict(len(shows), len(known)),
        "records": recorded([*runs, *without]),
    }  # fmt: skip


def _verdict(shows: int, known: int) -> str:
    if not known:
        return ""
    return NONE if not shows else SOME if shows < known else ALL


def _measured(run: Run, stream: str) -> dict[str, float]:
    """What one run says of one stream; what it does not have is left out."""
    found = {name: of[stream] for name, of in measures(run).items() if name in VALUES and stream in of}
    alphas = where(run.alphas, quantity="alpha", stream=stream)
    if alphas.empty:
        return found
    start = where(alphas, step=alphas["step"].min()).set_index("site")["value"]
    best = where(at_best_step(run), quantity="alpha", stream=stream).set_index("site")["value"]
    slopes = where(run.alphas, quantity="gradient", stream=stream)
    found |= {"alpha": float(best.mean()), "moved": float((best - start).abs().mean())}
    if not slopes.empty:
        first = where(slopes, step=slopes.loc[slopes["value"] != 0, "step"].min())["value"]
        found["gradient"] = float(first.abs().mean())
    return found


def _without(run: Run, stream: str) -> str:
    """The variant that was trained without `stream`; of both secondary ones that of equal parameters."""
    if stream == BOTH:
        return EQUAL_SIZE
    return f"{run.name}[{'+'.join(name for name in run.streams if name != stream)}]"


def _retrained(runs: Sequence[Run], without: Sequence[Run]) -> dict[str, float]:
    if not without:
        return difference("retrained", {}, {})
    whole, less = arm(runs[0].name, runs), arm(without[0].name, without)
    check_labels(whole.labels, less.labels, f"{whole.name} and {less.name}")
    own, other = (dict(zip(one.seeds, one.correct(one.seeds).astype(float), strict=True)) for one in (whole, less))
    return difference("retrained", own, other)


def _summary(name: str, values: Sequence[float]) -> dict[str, float]:
    mean, std = mean_std(values)
    half = half_width(std, len(values))
    ends = {f"{name}_low": mean - half, f"{name}_high": mean + half}
    return {f"{name}_mean": mean, f"{name}_std": std, **ends, f"{name}_seeds": len(values)}
