"""α, effective weight and contribution by site: rows are quantities, columns variants, lines streams."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.figure_alpha_sentiment.values import site_values
from results.reader import Run, where
from results.style import Look, legend, looks, ordered, panels, shown

ROWS = {
    "alpha": "α",
    "effective": "effective weight\nα · Πγ of later sites",
    "contribution": "contribution\n(share of norms)",
}
"""Quantity -> label of its axis (all without unit)."""


def alpha_by_site(runs: Sequence[Run]) -> Figure | None:
    """One column per variant, in the order of `runs`; None when no run joins several streams.

    Lines are means over seeds, bands reach from the lowest seed to the highest.
    """
    several = [run for run in runs if len(run.streams) > 1 and not run.alphas.empty]
    if not several:
        return None
    frame = site_values(several)
    # What joins at fewer sites than others does so at the last ones: the output is a site of every model.
    frame["site"] += frame["site"].max() - frame.groupby("variant")["site"].transform("max")
    variants = list(dict.fromkeys(run.name for run in several))
    quantities = [name for name in ROWS if name == "contribution" or name in set(frame["quantity"])]
    streams = ordered(frame["stream"].tolist())
    figure, axes = panels(len(quantities), len(variants), max(6.7, 1.5 * len(variants)), 1.7, sharex=True, sharey="row")
    for column, variant in enumerate(variants):
        seeds = len({run.seed for run in several if run.name == variant})
        axes[0][column].set_title(f"{shown(variant)} ({seeds} seed{'s' * (seeds != 1)})")
        axes[-1][column].set_xlabel("site (first to last)")
        for row, quantity in enumerate(quantities):
            part = where(frame, variant=variant, quantity=quantity)
            _panel(axes[row][column], part, looks(streams))
            if part.empty:
                missing(axes[row][column], f"not defined\nfor {shown(variant)}")
    for row, quantity in enumerate(quantities):
        axes[row][0].set_ylabel(ROWS[quantity])
    axes[-1][0].set_ylim(0, 1)
    legend(figure, streams)
    figure.align_ylabels()
    return figure


def missing(axis: Axes, text: str) -> None:
    """Say in the middle of an empty panel why it is empty."""
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", color="#555555")
    axis.grid(False)


def _panel(axis: Axes, part: pd.DataFrame, look: dict[str, Look]) -> None:
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    for stream, style in look.items():
        rows = where(part, stream=stream)
        if rows.empty:
            continue
        values = rows.groupby("site")["value"].agg(["mean", "min", "max"])
        sites = values.index + 1
        axis.fill_between(sites, values["min"], values["max"], color=style.color, alpha=0.2, linewidth=0)
        axis.plot(sites, values["mean"], color=style.color, linestyle=style.line, marker=style.marker)
