"""Contribution by class of word: one panel per variant, one row of points per class."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from common.evaluation.wordclasses import CLASSES
from results.figure_alpha_sentiment.values import word_values
from results.reader import Run, where
from results.style import dodged, grid_of_panels, legend, looks, ordered, shown


def contribution_by_word_class(runs: Sequence[Run], rare_at: int) -> Figure | None:
    """Points are means over seeds, bars reach from the lowest seed to the highest; None without recorded words."""
    frame = word_values(runs, rare_at)
    if frame.empty:
        return None
    streams = ordered(frame["stream"].tolist())
    classes = [name for name in CLASSES if name in set(frame["word_class"])]
    variants = list(dict.fromkeys(frame["variant"]))
    figure, axes = grid_of_panels(variants, 0.42 * len(classes), "contribution (share of norms)", sharey=True)
    for variant, axis in axes.items():
        part = where(frame, variant=variant)
        here = [stream for stream in streams if stream in set(part["stream"])]
        axis.set_title(shown(variant))
        for place, stream in enumerate(here):
            rows = where(part, stream=stream)
            dodged(axis, rows, ("word_class", "contribution"), classes, (place, len(here)), looks(streams)[stream])
        axis.set_xlim(0, 1)
        axis.set_yticks(range(len(classes)), [_label(frame, name, rare_at) for name in classes])
        axis.set_ylim(len(classes) - 0.5, -0.5)
    legend(figure, streams, lines=False)
    return figure


def _label(frame: pd.DataFrame, name: str, rare_at: int) -> str:
    words = int(frame.loc[frame["word_class"] == name, "words"].max())
    rule = f" (≤ {rare_at}× in training)" if name == "rare" else ""
    return f"{name}{rule}\n{words:,} word{'s' * (words != 1)}"
