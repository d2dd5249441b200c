"""Left: score against the share of the training data. Right: gain against added parameters, a panel per task.

Right: a point per rule and domain, whose shape says which domain. A rule is efficient when it stands high and to the
left. Grey: a single gain of this size would not be significant at 5 %. Controls, and references that are larger, are
rings: a rule inside the ring of a control has gained nothing from what its streams say. Not drawn, and named below
their table: rules with one seed, whose standard error knows nothing of how training varies, and rules without an added
parameter, which have no place on a logarithmic axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from results.figure_efficiency.configs import FRACTIONS, TASKS, VARIANTS
from results.reader import where
from results.style import GREY, LINES, MARKERS, OKABE_ITO
from results.table6_universality.configs import CONTROLS, REFERENCES, STUDIED

SIGNS = "●■▲◆▼✚✖★"
""":data:`results.style.MARKERS` as letters."""
MARGIN = 1.3
"""Factor between the outermost points and the edges of the panels of the right half."""
CLEAR = 1.96
"""Standard errors beyond which a single gain would be significant at 5 %."""
BAND = "#EFEFEF"
SHARE_COLORS = dict(zip(VARIANTS, (OKABE_ITO[6], OKABE_ITO[3], OKABE_ITO[0], OKABE_ITO[1]), strict=True))
KEYS = 4
"""Entries in a row of the right half's legend."""
LETTERS = 38
"""Most letters in a line above a panel of the right half."""
STEP_ASIDE = 1.06
"""Factor between the places of two rules on the axis of shares, so that their intervals stand side by side."""


class Family(NamedTuple):
    """Rules that are drawn alike."""

    label: str
    color: str
    rules: tuple[str, ...] = ()
    open: bool = False
    """Drawn as a larger ring, so that a rule of the same size and gain shows inside it."""


FAMILIES = (
    Family("dm", OKABE_ITO[0], ("dm",)), Family("li", OKABE_ITO[1], ("li",)),
    Family("variants of dm, li", OKABE_ITO[2], STUDIED), Family("concat", OKABE_ITO[3], ("concat",)),
    Family("controls", GREY, CONTROLS, open=True),
    Family("larger reference", OKABE_ITO[6], REFERENCES, open=True),
    Family("other fusions", OKABE_ITO[5]),
)  # fmt: skip
"""A rule belongs to the first that names it, else to the last."""


def efficiency_figure(shares: pd.DataFrame, parameters: pd.DataFrame) -> Figure | None:
    """Both halves, or the one that has values; None without any.

    Args:
        shares: from :func:`results.figure_efficiency.by_share.share_frame`.
        parameters: from :func:`results.figure_efficiency.by_parameters.parameter_frame`.
    """
    points = drawn_points(parameters)
    halves = [name for name, frame in (("shares", shares), ("parameters", points)) if not frame.empty]
    if not halves:
        return None
    widths = {"shares": 3.0, "parameters": 4.4}
    figure = Figure(figsize=(sum(widths[name] for name in halves), 4.2), layout="constrained")
    parts = figure.subfigures(
        1, len(halves), squeeze=False, width_ratios=[widths[name] for name in halves], wspace=0.04
    )
    for part, name in zip(parts[0], halves, strict=True):
        if name == "shares":
            _shares(part, shares)
        else:
            _parameters(part, points)
    return figure


def drawn_points(parameters: pd.DataFrame) -> pd.DataFrame:
    """The rows that can be drawn: more parameters than the reference, on a logarithmic axis, and a standard error that
    knows how much training varies."""
    kept = (parameters["parameters_added"] > 0) & (parameters["paired_seeds"] > 1) & parameters["in_errors"].notna()
    return parameters.loc[kept]


def _shares(part: Any, frame: pd.DataFrame) -> None:
    # A setting without runs on a share has no curve; it is drawn only where none has one.
    sections = list(dict.fromkeys(frame["section"]))
    sections = [name for name in sections if where(frame, section=name)["fraction"].nunique() > 1] or sections
    axes = [row[0] for row in part.subplots(len(sections), 1, squeeze=False)]
    for axis, section in zip(axes, sections, strict=True):
        _share_panel(axis, where(frame, section=section))
        axis.set_title(f"{section}: accuracy (%)")
    axes[-1].set_xlabel("share of the training data (number of examples)")


def _share_panel(axis: Axes, frame: pd.DataFrame) -> None:
    present = [name for name in VARIANTS if name in set(frame["variant"])]
    for k, name in enumerate(present):
        rows = where(frame, variant=name)
        places = 100 * rows["fraction"] * STEP_ASIDE ** (k - (len(present) - 1) / 2)
        look = _line(name)
        axis.plot(
            places, 100 * rows["accuracy_mean"], color=look.get_color(), linestyle=look.get_linestyle(),
            marker=look.get_marker(), markersize=3.5, linewidth=1,
        )  # fmt: skip
        known = rows["accuracy_low"].notna()
        low, high = (100 * rows.loc[known, f"accuracy_{end}"] for end in ("low", "high"))
        axis.vlines(places[known], low, high, color=look.get_color(), linewidth=0.9)
    _share_legend(axis, frame)
    fractions = sorted({*chain.from_iterable(FRACTIONS.values()), *frame["fraction"]})
    known = frame.dropna(subset="examples")
    examples = dict(zip(known["fraction"], known["examples"], strict=True))
    names = [f"{100 * one:g} %" + (f"\n{int(examples[one]):,}" if one in examples else "") for one in fractions]
    axis.set_xscale("log")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xticks([100 * one for one in fractions], names)
    axis.set_xlim(100 * min(fractions) / 1.3, 130)
    axis.set_ylim(top=min(axis.get_ylim()[1], 101))  # Student's interval over two seeds knows no largest accuracy


def _share_legend(axis: Axes, frame: pd.DataFrame) -> None:
    """Where a rising curve leaves room: the rules as their points on most data stand, and what needs no text at all."""
    largest = frame.loc[frame["fraction"] == frame["fraction"].max()].sort_values("accuracy_mean", ascending=False)
    handles = [_line(name) for name in largest["variant"]]
    largest_class = f"largest class: {100 * frame['largest_class'].iloc[0]:.1f}"
    handles.append(Line2D([], [], linestyle="none", label=largest_class))
    axis.legend(handles=handles, loc="lower right", fontsize=7, handlelength=2.4)


def _line(name: str) -> Line2D:
    k = VARIANTS.index(name)
    return Line2D([], [], color=SHARE_COLORS[name], linestyle=LINES[k], marker=MARKERS[k], markersize=4, label=name)


def _parameters(part: Any, points: pd.DataFrame) -> None:
    tasks = [task for task in TASKS.values() if task in set(points["task"])]
    columns = min(2, len(tasks))
    axes = list(part.subplots(-(-len(tasks) // columns), columns, squeeze=False, sharex=True, sharey=True).flat)
    for axis in axes[len(tasks) :]:
        axis.remove()
    for axis, task in zip(axes, tasks, strict=False):
        _task_panel(axis, where(points, task=task), task)
    axes[0].set_xlim(points["parameters_added"].min() / MARGIN / 1e6, points["parameters_added"].max() * MARGIN / 1e6)
    part.supxlabel("added parameters (millions)", fontsize="medium")
    part.supylabel("gain over the reference alone (standard errors)", fontsize="medium")
    labels = [family(rule).label for rule in points["variant"]]
    means = points.assign(label=labels).pivot_table(index="label", values="in_errors", aggfunc="mean")["in_errors"]
    known = {one.label: one for one in FAMILIES}
    handles: list[Any] = [_key(known[str(label)]) for label in means.sort_values(ascending=False).index]
    handles.append(Patch(color=BAND, label=f"within {CLEAR} errors"))
    rows = [handle for k in range(KEYS) for handle in handles[k::KEYS]]  # a legend is filled by columns
    part.legend(handles=rows, loc="outside upper center", ncols=KEYS, fontsize=7, columnspacing=0.8, handletextpad=0.1)


def _key(one: Family) -> Line2D:
    fill = "none" if one.open else one.color
    return Line2D(
        [], [], color=one.color, markerfacecolor=fill, marker="o", markersize=4, linestyle="none", label=one.label
    )


def _task_panel(axis: Axes, points: pd.DataFrame, task: str) -> None:
    titles = list(dict.fromkeys(points["section"]))
    names = [f"{SIGNS[k % len(SIGNS)]} {name}" for k, name in enumerate(short(titles, task))]
    axis.axhspan(-CLEAR, CLEAR, color=BAND, zorder=0)
    axis.axhline(0, color=GREY, linewidth=0.8, linestyle=LINES[1])
    for k, title in enumerate(titles):
        for row in where(points, section=title).to_dict("records"):
            look = family(row["variant"])
            axis.plot(
                row["parameters_added"] / 1e6, row["in_errors"], color=look.color, marker=MARKERS[k % len(MARKERS)],
                zorder=3 if row["variant"] in VARIANTS else 2,  # the rules of the left half, above the others
                markersize=6 if look.open else 4, markerfacecolor="none" if look.open else look.color,
                markeredgewidth=0.8 if look.open else 0.3, markeredgecolor=look.color if look.open else "white",
            )  # fmt: skip
    axis.set_title(f"{task}\n{_wrapped(names)}", fontsize=7)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.tick_params(labelbottom=True)


def family(rule: str) -> Family:
    """What a rule is drawn as."""
    return next((one for one in FAMILIES if rule in one.rules), FAMILIES[-1])


def short(titles: Sequence[str], task: str) -> list[str]:
    """Titles of domains without the task, without where a model is from, and without what all of them share: of what is
    left the first two parts, or three where two titles would be the same.
    """
    parts = [
        [part.rpartition("/")[2] for part in title.replace(": ", ", ").split(", ") if part != task] for title in titles
    ]
    common = set.intersection(*map(set, parts)) if len(parts) > 1 else set[str]()
    left = [[part for part in one if part not in common] for one in parts]
    names = [" ".join(one[:2]) for one in left]
    return [" ".join(one[:3]) if names.count(name) > 1 else name for one, name in zip(left, names, strict=True)]


def _wrapped(names: Sequence[str]) -> str:
    lines = [names[0]]
    for name in names[1:]:
        joined = f"{lines[-1]}   {name}"
        lines = [*lines[:-1], joined] if len(joined) <= LETTERS else [*lines, name]
    return "\n".join(lines)
