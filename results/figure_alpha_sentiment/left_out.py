"""Accuracy with each stream left out: one panel per variant, one row of points per stream."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from results.figure_alpha_sentiment.values import left_out_values
from results.reader import Run, where
from results.style import GREY, OKABE_ITO, Look, dodged, grid_of_panels, ordered, shown

WAYS = {
    "zero": Look(OKABE_ITO[0], "-", "o"),
    "mean": Look(OKABE_ITO[1], "-", "s"),
    "permutation": Look(OKABE_ITO[2], "-", "^"),
}
WAY_LABELS = {"zero": "set to zero", "mean": "replaced by its mean", "permutation": "taken from another example"}


def accuracy_left_out(runs: Sequence[Run]) -> Figure | None:
    """Points are means over seeds, bars reach from the lowest seed to the highest; None without importance records."""
    frame = left_out_values(runs)
    if frame.empty:
        return None
    frame = frame.assign(**{name: 100 * frame[name].astype(float) for name in ("accuracy", "full", "chance")})
    variants = list(dict.fromkeys(frame["variant"]))
    streams = ordered(frame["stream"].tolist())
    figure, axes = grid_of_panels(variants, 1.5, "validation accuracy (%)")
    for variant, axis in axes.items():
        part = where(frame, variant=variant)
        here = [stream for stream in streams if stream in set(part["stream"])]
        axis.set_title(shown(variant))
        axis.axvline(part["full"].mean(), color="black", linewidth=1)
        if not part["chance"].hasnans:
            axis.axvline(part["chance"].mean(), color=GREY, linewidth=1, linestyle=":")
        for place, (way, look) in enumerate(WAYS.items()):
            dodged(axis, where(part, way=way), ("stream", "accuracy"), here, (place, len(WAYS)), look)
        axis.set_yticks(range(len(here)), [f"without\n{shown(stream)}" for stream in here])
        axis.set_ylim(len(here) - 0.5, -0.5)
    handles = [
        *(
            Line2D([], [], color=look.color, linestyle="none", marker=look.marker, label=WAY_LABELS[way])
            for way, look in WAYS.items()
        ),
        Line2D([], [], color="black", linewidth=1, label="all streams"),
        Line2D([], [], color=GREY, linewidth=1, linestyle=":", label="largest class"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure
