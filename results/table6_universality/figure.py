"""Normalised scores: a panel per domain, a marker with its 95 % interval per rule."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from results.style import GREY, LINES, OKABE_ITO, panels
from results.table6_universality.configs import CONTROLS, REFERENCES, RULES, STUDIED
from results.table6_universality.rows import BEATS, Judged

COLUMNS = 3
TITLE = 24
"""Characters that a title has room for on a line."""
LOOKS = {
    "the study's rules": (OKABE_ITO[0], "o"), "other fusions": (OKABE_ITO[1], "^"),
    "controls": (GREY, "s"), "reference": (OKABE_ITO[6], "D"),
}  # fmt: skip
"""Family of rules -> colour and marker."""


def universality_figure(judged: Sequence[Judged]) -> Figure:
    """Filled markers beat the shuffled control. Where no rule beats the reference there is no normalised score, and the
    gain is drawn in standard errors."""
    most = max(len(one.ranks) for one in judged)
    rows = -(-len(judged) // COLUMNS)
    figure, axes = panels(rows, min(COLUMNS, len(judged)), 7.2, 0.5 + 0.11 * most)
    flat = [axis for row in axes for axis in row]
    for axis in flat[len(judged) :]:
        axis.remove()
    for axis, one in zip(flat, judged, strict=False):
        _panel(axis, one)
    figure.supxlabel(
        "gain over the reference alone (0), in units of the best rule's gain unless said", fontsize="medium"
    )
    handles = [_key(label, color, marker, False) for label, (color, marker) in LOOKS.items()]
    handles.append(_key("beats shuffled", OKABE_ITO[6], "o", True))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _panel(axis: Axes, one: Judged) -> None:
    rules = [rule for rule in RULES if rule in one.ranks]
    axis.set_yticks(range(len(rules)), rules, fontsize="small")
    axis.set_ylim(len(rules) - 0.5, -0.5)
    frame = one.frame.assign(place=[rules.index(rule) for rule in one.frame["variant"]])
    names = ("normalised", "normalised_low", "normalised_high")
    points = frame.loc[:, list(names)].set_axis(["value", "low", "high"], axis=1)
    label = f"best: {frame.loc[frame['rank'].idxmin(), 'variant']}"
    if points["value"].isna().all():
        gains = frame.loc[:, ["difference", "difference_low", "difference_high"]]
        points = gains.div(frame["standard_error"], axis=0).set_axis(["value", "low", "high"], axis=1).fillna(0.0)
        label = f"standard errors, from {one.domain.anchor}"
    else:
        axis.axvline(1, color=GREY, linewidth=0.8, linestyle=LINES[3])
    axis.axvline(0, color=GREY, linewidth=0.8, linestyle=LINES[1])
    for row, point in zip(frame.to_dict("records"), points.to_dict("records"), strict=True):
        color, marker = LOOKS[_family(row["variant"])]
        axis.hlines(row["place"], point["low"], point["high"], color=color, linewidth=1.0)
        fill = color if row["beats"] == BEATS else "white"
        if row["paired_seeds"] == 1:
            place = (point["high"], row["place"])
            axis.annotate("1 seed", place, (4, 0), textcoords="offset points", va="center", fontsize=5, color=GREY)
        axis.plot(point["value"], row["place"], color=color, marker=marker, markerfacecolor=fill, markersize=4)
    _limits(axis, points)
    parts = one.domain.title.replace(": ", ":\n", 1).split("\n")
    axis.set_title("\n".join(line for part in parts for line in textwrap.wrap(part, TITLE)))
    axis.set_xlabel(label, fontsize="small")


def _limits(axis: Axes, points: pd.DataFrame) -> None:
    """All of every interval, and the reference and the best rule, with a margin."""
    low, high = min(0.0, points["low"].min()), max(1.0, points["high"].max())
    margin = 0.05 * (high - low)
    axis.set_xlim(low - margin, high + margin)
    axis.set_xticks(np.unique([*axis.get_xticks()[1:-1:2], 0.0]))
    axis.set_xlim(low - margin, high + margin)


def _family(rule: str) -> str:
    if rule in STUDIED:
        return "the study's rules"
    if rule in CONTROLS:
        return "controls"
    return "reference" if rule in REFERENCES else "other fusions"


def _key(label: str, color: str, marker: str, filled: bool) -> Line2D:
    fill = color if filled else "white"
    return Line2D([], [], color=color, marker=marker, markerfacecolor=fill, linestyle="none", label=label)
