"""How measured shares follow a share that is planted in steps of 10 %, from 0 to 100 %: curves, and their slopes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from results.grouping import by_variant
from results.reader import Run, where
from results.style import GREY, LINES, OKABE_ITO, panels, shown
from results.table5_alpha_validity.configs import DRAWN, MEASURES, SCOPES
from results.table5_alpha_validity.rows import shares, validity_frame

NAME = re.compile(r"(?P<kind>\w+) (?P<followed>[a-e]+) \d+, (?P<count>\d) streams")
"""Of a setting: kind of information, the streams that have the share, which share in percent, how many streams."""
STATISTICS = {"slope": "slope", "calibration_error": "calibration error"}
"""Statistic of a curve -> what a reader calls it."""
LEAST = 6
"""Fewest of the eleven points of which a curve has a slope."""


def in_tenths(run: Run) -> bool:
    """Whether the run's settings are those of a share in steps of 10 %; they are no setting of the table."""
    names = run.settings.get("settings") or ()
    return bool(names) and all(NAME.fullmatch(name) for name in names)


def followed(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per variant, seed, kind, count of streams, planted share and measure.

    Returns:
        columns variant, seed, record, accuracy, kind, count, measure, truth, share: planted and measured share of the
        streams whose share is given, their mean where they are two. A share is NaN where a measure is not defined or
        is 0 for every stream.
    """
    keys = ["variant", "seed", "record", "accuracy", "kind", "count", "measure", "setting"]
    frames = []
    for name, group in by_variant(runs).items():
        for run in group:
            part = shares(run)
            found = part["setting"].str.extract(NAME)
            chosen = [stream in names for stream, names in zip(part["stream"], found["followed"], strict=True)]
            told = {"variant": name, "seed": run.seed, "record": run.folder.name, "count": found["count"].astype(int)}
            frames.append(part.assign(**told, accuracy=run.final["test_accuracy"]).loc[chosen])
    if not frames:
        return pd.DataFrame(columns=pd.Index([*keys[:-1], "truth", "share"]))
    means = pd.concat(frames).groupby(keys, sort=False, dropna=False)[["truth", "share"]]
    return means.agg(lambda both: both.mean(skipna=False)).reset_index().drop(columns="setting")


def slope_frame(values: pd.DataFrame) -> pd.DataFrame:
    """A section per statistic and kind with the columns of :func:`validity_frame` but for its marks.

    The slope is that of the least-squares line of measured on planted shares: 1 where a measure is calibrated, 0 where
    it does not see the share. It, and the mean gap, are of the points that are known, and means over counts of streams.

    Args:
        values: of :func:`followed`.
    """
    rows = []
    keys = ["kind", "variant", "seed", "record", "accuracy", "measure"]
    for key, part in values.groupby(keys, sort=False):
        curves = [_statistics(curve) for _, curve in part.groupby("count")]
        size = {"settings": len(part), "streams": int(part["count"].sum())}
        known = dict(zip(keys, key, strict=True))  # pyright: ignore[reportArgumentType]
        means = {name: float(np.mean([curve[name] for curve in curves])) for name in STATISTICS}
        rows.append({"scope": known.pop("kind"), **known, **size, **means})
    frame, parts = pd.DataFrame(rows), []
    for statistic, called in STATISTICS.items():
        for kind in [kind for kind in SCOPES if rows and kind in set(frame["scope"])]:
            part = validity_frame(frame, statistic, kind, list(dict.fromkeys(frame["variant"])))
            unmarked = part.loc[:, [name for name in part.columns if not name.endswith("_mark")]]
            parts.append(unmarked.assign(section=f"{called}, {SCOPES[kind]}"))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=pd.Index(["section", "variant"]))


def curves_figure(values: pd.DataFrame, variants: Sequence[str] = DRAWN) -> Figure | None:
    """A row per variant, a panel per measure, a line per kind of information and count of streams: means over seeds.

    Args:
        values: of :func:`followed`.
    """
    variants = [name for name in variants if name in set(values["variant"])]
    if not variants:
        return None
    lines = list(values[["kind", "count"]].drop_duplicates().itertuples(index=False, name=None))
    called = [f"{kind}, {count} streams" for kind, count in lines]
    figure, axes = panels(len(variants), len(MEASURES), 7.4, 1.15, sharex=True, sharey=True)
    for row, variant in zip(axes, variants, strict=True):
        for axis, (measure, title) in zip(row, MEASURES.items(), strict=True):
            axis.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=LINES[3])
            part = where(values, variant=variant, measure=measure)
            for k, (kind, count) in enumerate(lines):
                curve = where(part, kind=kind, count=count).groupby("truth")["share"].mean()
                axis.plot(curve.index, curve, color=OKABE_ITO[k], linestyle=LINES[k], linewidth=1.0, label=called[k])
            if part["share"].isna().all():
                axis.text(0.5, 0.5, "not\ndefined", ha="center", va="center", color=GREY, fontsize=7)
            if variant == variants[0]:
                axis.set_title(title.replace(" ", "\n", 1))
        row[0].set_ylabel(shown(variant))
    axes[0][0].set_xlim(-0.05, 1.05)
    axes[0][0].set_ylim(-0.05, 1.05)
    figure.supxlabel("planted share of the information (Shapley value)", fontsize="medium")
    figure.supylabel("measured share", fontsize="medium")
    figure.legend(axes[0][0].lines[1:], called, loc="outside upper center", ncols=(len(called) + 1) // 2)
    return figure


def _statistics(curve: pd.DataFrame) -> dict[str, float]:
    """Of the points of one curve that are known."""
    known = curve.dropna(subset=["share"])
    if len(known) < LEAST:
        return dict.fromkeys(STATISTICS, math.nan)
    gaps = (known["share"] - known["truth"]).abs()
    return {"slope": float(np.polyfit(known["truth"], known["share"], 1)[0]), "calibration_error": float(gaps.mean())}
