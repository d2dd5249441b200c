"""α and contribution over training: columns are streams, lines sites, on a logarithmic axis of steps.

Records have them after 0, 1, 2, 4, 8, … updates, and after each evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from results.figure_alpha_sentiment.sites import ROWS, missing
from results.figure_alpha_sentiment.values import training_values
from results.reader import Run, where
from results.style import LINES, ordered, panels, shown

TONES = ("#B8C4D6", "#7A97BF", "#3C659E", "#0B2A5B", "#000000")
"""Light to dark: early to late sites, in grey too."""


def alpha_over_training(runs: Sequence[Run], sites_shown: int) -> Figure | None:
    """The runs of one variant; None when they have no trace of several streams.

    Args:
        runs: seeds of one variant.
        sites_shown: most sites drawn: the first, the last and evenly between; at most five.
    """
    frame = training_values([run for run in runs if len(run.streams) > 1])
    if frame.empty:
        return None
    streams = ordered(frame["stream"].tolist())
    sites = sorted(frame["site"].unique())
    count = min(len(sites), sites_shown, len(TONES))
    sites = [sites[place] for place in np.linspace(0, len(sites) - 1, count).round().astype(int)]
    tones = (
        [TONES[place] for place in np.linspace(0, len(TONES) - 2, count).round().astype(int)]
        if count > 1
        else [TONES[2]]
    )
    style: dict[int, tuple[str, Any]] = {site: (tones[k], LINES[len(sites) - 1 - k]) for k, site in enumerate(sites)}
    quantities = [name for name in ("alpha", "contribution") if name in set(frame["quantity"])]
    figure, axes = panels(len(quantities), len(streams), height=1.8, sharex=True, sharey="row")
    for column, stream in enumerate(streams):
        axes[0][column].set_title(shown(stream))
        axes[-1][column].set_xlabel("optimiser step")
        for row, quantity in enumerate(quantities):
            part = where(frame, stream=stream, quantity=quantity)
            _panel(axes[row][column], part, style)
            if part.empty:
                missing(axes[row][column], f"no {ROWS[quantity].splitlines()[0]}")
    for row, quantity in enumerate(quantities):
        axes[row][0].set_ylabel(ROWS[quantity])
    axes[-1][0].set_ylim(0, 1)
    handles = [
        Line2D([], [], color=style[site][0], linestyle=style[site][1], label=f"site {site + 1}") for site in sites
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    figure.align_ylabels()
    return figure


def _panel(axis: Axes, part: pd.DataFrame, style: dict[int, tuple[str, Any]]) -> None:
    axis.set_xscale("symlog", linthresh=1, linscale=0.4)  # step 0, the start, has no logarithm
    axis.xaxis.set_major_locator(FixedLocator([0, 1, 10, 100, 1000, 10_000, 100_000]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(
        FuncFormatter(lambda step, _: f"{int(step):,}" if step < 10_000 else f"{step / 1000:g}k")
    )
    for site, (color, line) in style.items():
        rows = where(part, site=site)
        if rows.empty:
            continue
        # Seeds may stop at different steps; a band needs every seed, so a step that one lacks is not drawn.
        values = rows.groupby("step")["value"].agg(["mean", "min", "max", "count"])
        values = values.loc[values["count"] == len(set(rows["seed"]))]
        axis.fill_between(values.index, values["min"], values["max"], color=color, alpha=0.25, linewidth=0)
        axis.plot(values.index, values["mean"], color=color, linestyle=line)
