"""One look for all figures: colours that the colour-blind can tell apart and shapes that survive grey print."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common.files import write_atomic

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Okabe and Ito (2008), darkest tones first; yellow last, as it is hard to see on white."""
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (3, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
GREY = "#777777"

FIRST_STREAMS = ("meaning", "phonetic", "morphological", "duplicate_of_phonetic", "duplicate_of_morphological")
"""Streams with a fixed look in every figure; others follow in the order in which they appear."""
STATE = "state"
"""The recurrent term; always grey, so that it is not taken for a stream."""


class Look(NamedTuple):
    """How a stream is drawn."""

    color: str
    line: Any
    marker: str


def looks(streams: Sequence[str]) -> dict[str, Look]:
    """A look for each stream, the same in every figure for the well-known ones."""
    known = {name: place for place, name in enumerate(FIRST_STREAMS)}
    result: dict[str, Look] = {}
    following = len(known)
    for name in streams:
        if name == STATE:
            result[name] = Look(GREY, LINES[3], "x")
            continue
        place = known.get(name)
        if place is None:
            place, following = following, following + 1
        place %= len(OKABE_ITO)
        result[name] = Look(OKABE_ITO[place], LINES[place], MARKERS[place])
    return result


def ordered(streams: Sequence[str]) -> list[str]:
    """Distinct streams: the well-known ones first, the recurrent term last."""
    distinct = list(dict.fromkeys(streams))
    first = [name for name in FIRST_STREAMS if name in distinct]
    rest = [name for name in distinct if name not in first and name != STATE]
    return first + rest + [STATE] * (STATE in distinct)


def shown(name: str) -> str:
    """A record's name as a reader sees it."""
    return {STATE: "recurrent"}.get(name, name.replace("_", " "))


def paper_style() -> AbstractContextManager[None]:
    """Inside: fonts and lines for a page 17 cm wide."""
    settings: dict[Any, Any] = {
        **seaborn.axes_style("ticks"),
        "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7,
        "legend.fontsize": 8, "legend.frameon": False, "figure.titlesize": 9, "axes.linewidth": 0.6,
        "lines.linewidth": 1.3, "lines.markersize": 4, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
        "axes.grid": True, "grid.color": "#E6E6E6", "grid.linewidth": 0.5, "axes.axisbelow": True,
        "pdf.fonttype": 42, "font.family": ["DejaVu Sans"],
    }  # fmt: skip
    return matplotlib.rc_context(settings)


def panels(
    rows: int, columns: int, width: float = 6.7, height: float = 1.9, **options: object
) -> tuple[Figure, list[list[Axes]]]:
    """Small multiples: a figure and its axes ``[rows][columns]``; `height` is that of one row, both in inches."""
    figure = Figure(figsize=(width, height * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return figure, [list(row) for row in axes]


def grid_of_panels(
    names: Sequence[str], height: float, label: str, columns: int = 3, sharey: bool = False
) -> tuple[Figure, dict[str, Axes]]:
    """A panel per name, at most `columns` in a row of `height` inches, with one `label` for all x axes."""
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    figure, axes = panels(rows, columns, height=height, sharex=True, sharey=sharey)
    figure.supxlabel(label, fontsize="medium")
    flat = [axis for row in axes for axis in row]
    for axis in flat[len(names) :]:
        axis.remove()
    for above in flat[: len(names)][-columns:]:  # the lowest panel of each column, even where the last row is short
        above.tick_params(labelbottom=True)
    return figure, dict(zip(names, flat, strict=False))


def dodged(
    axis: Axes,
    rows: pd.DataFrame,
    columns: tuple[str, str],
    categories: Sequence[str],
    place: tuple[int, int],
    look: Look,
) -> None:
    """Means and ranges of a value over the rows of each category, as points with bars.

    Args:
        axis: categories run down its y axis.
        rows: the rows of one series.
        columns: of the category and of the value.
        categories: from top to bottom.
        place: number of this series and count of all, which moves the points so that series do not cover each other.
        look: of the series.
    """
    category, value = columns
    summary = rows.groupby(category)[value].agg(["mean", "min", "max"]).reindex(list(categories))
    heights = np.arange(len(categories)) + 0.7 * ((place[0] + 0.5) / place[1] - 0.5)
    axis.hlines(heights, summary["min"], summary["max"], color=look.color, linewidth=1.2)
    axis.plot(summary["mean"], heights, color=look.color, linestyle="none", marker=look.marker)


def legend(figure: Figure, streams: Sequence[str], lines: bool = True) -> None:
    """One legend of streams above all panels."""
    handles = [
        Line2D(
            [], [], color=look.color, linestyle=look.line if lines else "none", marker=look.marker, label=shown(name)
        )
        for name, look in looks(streams).items()
    ]
    # Long names would run over the edges of a narrow figure in one row.
    letters = sum(len(shown(name)) for name in streams)
    columns = len(handles) if letters < 60 else (len(handles) + 1) // 2
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def save(figure: Figure, path: Path) -> list[Path]:
    """Write `path` as PDF and as PNG (whatever its suffix), byte-equal for equal figures; returns both paths."""
    seaborn.despine(fig=figure)
    dateless = {"pdf": {"CreationDate": None, "ModDate": None}, "png": {"Software": None}}
    return [
        write_atomic(
            path.with_suffix(f".{kind}"),
            lambda file, kind=kind: figure.savefig(file, format=kind, dpi=200, metadata=dateless[kind]),  # pyright: ignore[reportArgumentType]
        )
        for kind in ("pdf", "png")
    ]
