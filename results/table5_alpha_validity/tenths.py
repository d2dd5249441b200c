"""How measured shares follow a share that is planted in steps of 10 %, from 0 to 100 %: curves, and their slopes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.grouping import by_variant
from results.reader import Run, where
from results.style import LINES, OKABE_ITO
from results.table5_alpha_validity.configs import DRAWN, SCOPES, VARIANTS
from results.table5_alpha_validity.figure import against_planted
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
    rows: list[dict[str, object]] = []
    keys = ["kind", "variant", "seed", "record", "accuracy", "measure"]
    for key, part in values.groupby(keys, sort=False):
        curves = [_statistics(curve) for _, curve in part.groupby("count")]
        size = {"settings": len(part), "streams": int(part["count"].sum())}
        named = dict(zip(["scope", *keys[1:]], tuple(key), strict=True))  # pyright: ignore[reportArgumentType]
        rows.append(named | size | {name: float(np.mean([one[name] for one in curves])) for name in STATISTICS})
    frame, parts = pd.DataFrame(rows), []
    names = [name for name in dict.fromkeys([*VARIANTS, *values["variant"]]) if name in set(values["variant"])]
    for statistic, called in STATISTICS.items():
        for kind in [kind for kind in SCOPES if rows and kind in set(frame["scope"])]:
            part = validity_frame(frame, statistic, kind, names)
            unmarked = part.loc[:, [name for name in part.columns if not name.endswith("_mark")]]
            parts.append(unmarked.assign(section=f"{called}, {SCOPES[kind]}"))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=pd.Index(["section", "variant"]))


def curves_figure(values: pd.DataFrame, variants: Sequence[str] = DRAWN) -> Figure | None:
    """A row per variant, a panel per measure, a line per kind of information and count of streams: means over seeds.

    Args:
        values: of :func:`followed`.
    """
    lines = list(values[["kind", "count"]].drop_duplicates().itertuples(index=False, name=None))

    def draw(axis: Axes, rows: pd.DataFrame) -> None:
        for k, (kind, count) in enumerate(lines):
            part = where(rows, kind=kind, count=count)
            curve = pd.DataFrame(part.groupby("truth", as_index=False)["share"].mean())
            axis.plot(
                curve["truth"], curve["share"], color=OKABE_ITO[k], linestyle=LINES[k], linewidth=1.0,
                label=f"{kind}, {count} streams",
            )  # fmt: skip

    return against_planted(values, variants, draw)


def _statistics(curve: pd.DataFrame) -> dict[str, float]:
    """Of the points of one curve that are known."""
    known = curve.dropna(subset=["share"])
    if len(known) < LEAST:
        return dict.fromkeys(STATISTICS, math.nan)
    gaps = (known["share"] - known["truth"]).abs()
    return {"slope": float(np.polyfit(known["truth"], known["share"], 1)[0]), "calibration_error": float(gaps.mean())}
