"""Accuracy against the share of changed words: a panel per kind, a line per variant."""

from __future__ import annotations

from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from results.style import LINES, MARKERS, OKABE_ITO, grid_of_panels, shown
from results.table8_robustness.configs import KINDS, VARIANTS

TITLE = 34
"""Characters that fit over a panel."""


def robustness_figure(frame: pd.DataFrame) -> Figure:
    """One setting; the bars are standard deviations over seeds, and the share 0 is the clean text."""
    kinds = list(dict.fromkeys(frame["kind"]))
    figure, axes = grid_of_panels(kinds, 2.2, "share of the eligible words that are changed (%)", sharey=True)
    for kind, axis in axes.items():
        for k, name in enumerate(VARIANTS):
            rows = frame.loc[(frame["kind"] == kind) & (frame["variant"] == name) & (frame["seeds"] > 0)]
            if rows.empty:
                continue
            clean = rows.iloc[0]
            means = 100 * pd.Series([clean["clean_mean"], *rows["accuracy_mean"]])
            spreads = 100 * pd.Series([clean["clean_std"], *rows["accuracy_std"]]).fillna(0.0)
            axis.errorbar(
                [0.0, *(100 * rows["rate"])], means, yerr=spreads, label=shown(name), color=OKABE_ITO[k],
                linestyle=LINES[k], marker=MARKERS[k], elinewidth=0.6,
            )  # fmt: skip
        axis.set_title(fill(KINDS.get(kind, kind), TITLE), fontsize="small")
    figure.supylabel("accuracy (%)", fontsize="medium")
    handles, labels = next(iter(axes.values())).get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(VARIANTS))
    return figure
