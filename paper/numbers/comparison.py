"""A row of a table: its cells, and how it compares with the baseline and with the controls."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from paper.numbers.formats import shown
from paper.numbers.macro import Macro
from results.kinds import CONTROLS, FEW, OUTCOMES, split_option
from results.render import escaped, interval, signed
from results.table_rows import Row

NAMES = ("section", "variant", "records")
"""Columns that say which row it is; the rest are numbers or verdicts."""
UNSCALED = ("table6_universality", "table7_transfer", "table8_robustness", "table9_importance")
"""Tables whose rows have scales of their own: what they show, the macros of their own files write."""
PLAIN = r"(.*_)?(p|p_holm|seeds)"
"""Columns of these that are shown as they are."""


def cell_macros(row: Row) -> Iterator[Macro]:
    """Every number of the row, written as in the table; of :data:`UNSCALED` tables p values and counts alone."""
    for column, value in row.cells.items():
        if column in NAMES or (row.table in UNSCALED and not re.fullmatch(PLAIN, column)):
            continue
        text = value if isinstance(value, str) else shown(row.kind, column, float(value))
        yield Macro(f"{row.key}/{column}", escaped(text), f"{row.source} | {column} = {value}")


def comparison_macros(row: Row, section: Sequence[Row]) -> Iterator[Macro]:
    """Difference to the baseline, what it says, and what is left of it beside the controls of the section."""
    if not row.outcome:
        return
    scale, digits = row.kind.scale, row.kind.digits
    gap, low, high = (scale * row.get(f"difference{end}") for end in ("", "_low", "_high"))
    columns = "difference, difference_low, difference_high"
    yield Macro(f"{row.key}/interval", escaped(interval(gap, low, high, digits)), f"{row.source} | {columns}")
    judged = f"{row.source} | difference, p after Holm's correction, seeds"
    yield Macro(f"{row.key}/outcome", row.outcome, judged)
    for outcome in OUTCOMES:
        yield Macro(f"{row.key}/{outcome}", row.outcome == outcome, judged)
    yield Macro(f"{row.key}/said", _said(row, gap), f"{row.source} | difference, p after Holm's correction, seeds")
    yield Macro(f"{row.key}/few", row.get("seeds") < FEW, f"{row.source} | seeds")
    yield from _against_controls(row, section, gap)


def _said(row: Row, gap: float) -> str:
    """The outcome as the end of a sentence; where it is open, on which side the mean is."""
    if row.outcome in ("better", "worse"):
        return f"shown to {'help' if row.outcome == 'better' else 'harm'}"
    ahead = (gap < 0) if row.kind.lower_is_better else (gap > 0)
    return f"not shown to help, and {'ahead' if ahead else 'behind'} in the mean"


def today_macros(row: Row) -> Iterator[Macro]:
    """Against a projector of pictures, where the table compares with it: ``today_interval``, and a flag per outcome."""
    if math.isnan(row.get("today")):
        return
    source = f"{row.source} | today, today_low, today_high, today_p_holm"
    yield _interval(row, "today", source)
    outcome = row.judged("today")
    yield from (Macro(f"{row.key}/today_{name}", outcome == name, source) for name in OUTCOMES)


def told_macros(row: Row) -> Iterator[Macro]:
    """Against the row's own rule on shuffled streams, where the table compares with it: ``told_interval``."""
    if not math.isnan(row.get("told")):
        yield _interval(row, "told", f"{row.source} | told, told_low, told_high")


def _interval(row: Row, column: str, source: str) -> Macro:
    gap, low, high = (row.kind.scale * row.get(f"{column}{end}") for end in ("", "_low", "_high"))
    return Macro(f"{row.key}/{column}_interval", escaped(interval(gap, low, high, row.kind.digits)), source)


def _against_controls(row: Row, section: Sequence[Row], gap: float) -> Iterator[Macro]:
    """Against each control under the row's own rule where the section has that, else under DM."""
    rule, option = split_option(row.variant)
    compared = {other.variant: other for other in section if other.outcome}
    found = {name: compared.get(f"{rule}_{name}{option}", compared.get(f"{name}{option}")) for name in CONTROLS}
    controls = {name: other for name, other in found.items() if other is not None}
    if row.group == "controls" or not controls:
        return
    gaps = []
    for name, other in controls.items():
        gaps.append(gap - row.kind.scale * other.get("difference"))
        sources = f"{row.source} | difference, minus that of line {other.line}: {other.variant}"
        yield Macro(f"{row.key}/minus_{name}", escaped(signed(gaps[-1], row.kind.digits)), sources)
    ahead = all((rest < 0) if row.kind.lower_is_better else (rest > 0) for rest in gaps)
    lines = ", ".join(str(other.line) for other in controls.values())
    yield Macro(f"{row.key}/ahead_of_controls", ahead, f"{row.source} | difference against those of lines {lines}")
