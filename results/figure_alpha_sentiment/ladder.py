"""How measures follow a label that moves, text by text, from the meaning of words to their sound: curves and slopes.

The runs differ in nothing but the share of the generated texts whose label the sound tells; the others are told by the
meaning. A measured share is that of the sound among all streams of the model, negative gains counted as 0. It has a
slope over the shares where every share has a run of the seed: 1 where a measure is calibrated, 0 where it is blind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.evaluation.statistics import mean_std
from results.figure_alpha_sentiment.agreement import measures
from results.figure_alpha_sentiment.planted_texts import SHOWN
from results.grouping import by_variant, grouped, setting_key
from results.reader import Run, where
from results.render import Columns, head, spread
from results.style import OKABE_ITO
from results.table5_alpha_validity.figure import against_planted

SOUND, REST = "phonetic", "meaning"
"""The stream whose share is followed, and the one that tells the other texts."""
MEASURES = {
    **{name: title for name, title in SHOWN.items() if name != "shapley"},
    "mean": "set to its mean", "permutation": "of another text",
}  # fmt: skip
"""Measure -> its header; the last three are losses of accuracy."""
LEAST = 4
"""Fewest shares that make a ladder."""
TITLE = "slope of the measured on the planted share of the sound"
NOTE = (
    "Runs that differ in the share of texts whose label the sound tells (the others are told by the meaning); slope of "
    "the least-squares line over these shares, ± over seeds. 1: calibrated, 0: blind, below 0: the wrong way. "
    "Accuracy: mean over the shares."
)
COLUMNS: Columns = {
    **head(),
    "shares": lambda row: str(row["shares"]),
    "accuracy %": lambda row: spread(100 * row["accuracy_mean"], 100 * row["accuracy_std"]),
    **{
        title: lambda row, name=name: spread(row[f"{name}_mean"], row[f"{name}_std"])
        for name, title in MEASURES.items()
    },
}
"""Header -> how a cell is written."""


def followed(runs: Sequence[Run], variants: Sequence[str]) -> pd.DataFrame:
    """A row per variant, seed, planted share and measure of the longest ladder among `runs`.

    Returns:
        columns variant, seed, record, accuracy (test), measure, truth, share: planted and measured share of the sound,
        the latter NaN where the measure is above zero for no stream; of the seeds that have a run on every share.
    """
    steps = [(run, share) for run in runs if (share := sound_share(run)) is not None]
    plain = {id(run): setting_key(_without_shares(run)) for run, _ in steps}
    ladders = grouped((run for run, _ in steps), lambda run: plain[id(run)])
    truth = {id(run): share for run, share in steps}
    longest = max(ladders.values(), key=lambda group: len({truth[id(run)] for run in group}), default=[])
    rungs = {float(share): by_variant(group) for share, group in grouped(longest, lambda run: truth[id(run)]).items()}
    rows: list[tuple[object, ...]] = []
    for name in variants if len(rungs) >= LEAST else ():
        own = {share: {run.seed: run for run in by_name.get(name, [])} for share, by_name in rungs.items()}
        for seed in sorted(set.intersection(*(set(found) for found in own.values()))):
            rows += [row for share in sorted(own) for row in _points(own[share][seed], share)]
    names = ["variant", "seed", "record", "accuracy", "measure", "truth", "share"]
    return pd.DataFrame(rows, columns=pd.Index(names))


def slopes(points: pd.DataFrame) -> pd.DataFrame:
    """A row per variant of :func:`followed`.

    Returns:
        columns section, variant, seeds, shares (how many), accuracy_mean and accuracy_std (of means over the shares),
        for each of :data:`MEASURES` ``_mean`` and ``_std`` of the slope, NaN where a seed lacks a share; records.
    """
    rows: list[dict[str, Any]] = []
    for variant in dict.fromkeys(points["variant"]):
        part = where(points, variant=variant)
        by_seed = {seed: where(part, seed=seed) for seed in part["seed"].unique()}
        row: dict[str, Any] = {
            "section": TITLE,
            "variant": variant,
            "seeds": len(by_seed),
            "shares": part["truth"].nunique(),
        }
        accuracies = [own.drop_duplicates("truth")["accuracy"].mean() for own in by_seed.values()]
        row["accuracy_mean"], row["accuracy_std"] = mean_std(accuracies)
        for name in MEASURES:
            found = [_slope(where(own, measure=name)) for own in by_seed.values()]
            row[f"{name}_mean"], row[f"{name}_std"] = mean_std(found)
        rows.append(row | {"records": " ".join(dict.fromkeys(part["record"]))})
    return pd.DataFrame(rows)


def ladder_figure(points: pd.DataFrame, variants: Sequence[str]) -> Figure | None:
    """A row per variant, a panel per measure that some run has: a dot per seed, a line through their means."""
    there = {name: title for name, title in MEASURES.items() if name in set(points["measure"])}

    def draw(axis: Axes, rows: pd.DataFrame) -> None:
        means = pd.DataFrame(rows.groupby("truth", as_index=False)["share"].mean())
        axis.plot(means["truth"], means["share"], color=OKABE_ITO[0], linewidth=1.0, label="mean over seeds")
        axis.plot(
            rows["truth"], rows["share"], color=OKABE_ITO[1], marker="o", linestyle="none", markersize=3, alpha=0.8,
            label="a seed",
        )  # fmt: skip

    return against_planted(points, variants, draw, there)


def sound_share(run: Run) -> float | None:
    """Planted share of the sound where all else stands in the meaning alone; None for other data."""
    given = run.settings["data"].get("planted_shares") or () if run.dataset == "planted" else ()
    shares: Mapping[str, float] = {name: share for name, share in given}
    return float(shares.get(SOUND, 0.0)) if shares and set(shares) <= {SOUND, REST} else None


def _without_shares(run: Run) -> Run:
    data = {name: value for name, value in run.settings["data"].items() if name != "planted_shares"}
    return replace(run, config=run.config | {"config": run.settings | {"data": data}})


def _points(run: Run, truth: float) -> list[tuple[object, ...]]:
    found = []
    for name, values in measures(run).items():
        gains = {stream: max(value, 0.0) for stream, value in values.items()}
        total = sum(gains.values())
        share = gains[SOUND] / total if SOUND in gains and total > 0 else math.nan
        found.append((run.name, run.seed, run.folder.name, run.final["test_accuracy"], name, truth, share))
    return found


def _slope(points: pd.DataFrame) -> float:
    if points.empty or points["share"].isna().any():
        return math.nan
    return float(np.polyfit(points["truth"], points["share"], 1)[0])
