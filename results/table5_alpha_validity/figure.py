"""Calibration: the share that a measure gives a stream against the share that was planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.grouping import by_variant
from results.reader import Run, where
from results.style import GREY, LINES, MARKERS, OKABE_ITO, panels, shown
from results.table5_alpha_validity.configs import MEASURES
from results.table5_alpha_validity.rows import shares

COLUMNS = ("variant", "setting", "kind", "stream", "measure", "truth", "share")


def calibration(runs: Sequence[Run], variants: Sequence[str]) -> pd.DataFrame:
    """Columns :data:`COLUMNS`: shares of each stream, mean over seeds."""
    by_name = by_variant(run for run in runs if run.name in variants)
    frames = [shares(run).assign(variant=name) for name, group in by_name.items() for run in group]
    if not frames:
        return pd.DataFrame(columns=pd.Index(COLUMNS))
    keys = [name for name in COLUMNS if name != "share"]
    means = (
        where(pd.concat(frames), measure=list(MEASURES)).groupby(keys, sort=False, as_index=False)["share"].agg("mean")
    )
    return pd.DataFrame(means).loc[:, list(COLUMNS)]


def calibration_figure(values: pd.DataFrame, variants: Sequence[str]) -> Figure | None:
    """A row per variant, a panel per measure; a marker per stream of a setting, its shape by the setting's kind."""
    kinds = list(dict.fromkeys(values["kind"]))

    def draw(axis: Axes, rows: pd.DataFrame) -> None:
        for k, kind in enumerate(kinds):
            part = where(rows, kind=kind)
            axis.plot(
                part["truth"], part["share"], color=OKABE_ITO[k], marker=MARKERS[k], linestyle="none", markersize=3,
                alpha=0.8, label=kind,
            )  # fmt: skip

    return against_planted(values, variants, draw)


def against_planted(
    values: pd.DataFrame,
    variants: Sequence[str],
    draw: Callable[[Axes, pd.DataFrame], None],
    measures: Mapping[str, str] = MEASURES,
) -> Figure | None:
    """A row per variant, a panel per measure of measured against planted shares, with the line of a calibrated one.

    Args:
        values: columns variant, measure, truth and share.
        variants: rows; those without values are left out.
        draw: puts the values of one variant and measure into a panel, the same labels into each.
        measures: name of each in `values` -> title of its panels.
    """
    variants = [name for name in variants if name in set(values["variant"])]
    if not variants:
        return None
    figure, axes = panels(len(variants), len(measures), 7.4, 1.15, sharex=True, sharey=True)
    for row, variant in zip(axes, variants, strict=True):
        for axis, (measure, title) in zip(row, measures.items(), strict=True):
            axis.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=LINES[3])
            own = where(values, variant=variant, measure=measure)
            draw(axis, own)
            if own["share"].isna().all():
                box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
                axis.text(0.5, 0.5, "not\ndefined", ha="center", va="center", color=GREY, fontsize=7, bbox=box)
            if variant == variants[0]:
                axis.set_title(title.replace(" ", "\n", 1))
        row[0].set_ylabel(shown(variant))
    axes[0][0].set_xlim(-0.05, 1.05)
    axes[0][0].set_ylim(-0.05, 1.05)
    figure.supxlabel("planted share of the information (Shapley value)", fontsize="medium")
    figure.supylabel("measured share", fontsize="medium")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(3, len(handles)))
    return figure
