"""A row of a table: its cells, and how it compares with the baseline and with the controls."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from paper.numbers.formats import shown, signed
from paper.numbers.kinds import CONTROLS, ENDINGS, FEW, OUTCOMES, without_ending
from paper.numbers.macro import Macro
from paper.numbers.rows import Row
from results.render import escaped, interval
from results.table4_vision_language.configs import TODAY

NAMES = ("section", "variant", "records")
"""Columns that say which row it is; the rest are numbers or verdicts."""


def cell_macros(row: Row) -> Iterator[Macro]:
    """Every number of the row, written as in the table."""
    for column, value in row.cells.items():
        if column in NAMES:
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
    yield Macro(f"{row.key}/few", row.get("seeds") < FEW, f"{row.source} | seeds")
    yield from _against_controls(row, section, gap)


def today_macros(row: Row, section: Sequence[Row]) -> Iterator[Macro]:
    """Against today's usual fusion, where the table compares with it: ``today_interval``, and a flag per outcome."""
    usual = next((other for other in section if other.variant == TODAY), None)
    if usual is None or math.isnan(row.get("today")):
        return
    gap, low, high = (row.kind.scale * row.get(f"today{end}") for end in ("", "_low", "_high"))
    source = f"{row.source} | today, today_low, today_high, today_p_holm"
    yield Macro(f"{row.key}/today_interval", escaped(interval(gap, low, high, row.kind.digits)), source)
    outcome = row.judged("today", "today_p_holm", min(row.get("seeds"), usual.get("seeds")))
    for name in OUTCOMES:
        yield Macro(f"{row.key}/today_{name}", outcome == name, source)


def _against_controls(row: Row, section: Sequence[Row], gap: float) -> Iterator[Macro]:
    scale, digits = row.kind.scale, row.kind.digits
    ending = next((end for end in ENDINGS[:2] if row.variant.endswith(end)), "")
    wanted = [f"{name}{ending}" for name in CONTROLS]
    controls = [other for other in section if other.variant in wanted and other.outcome]
    if row.group == "controls" or not controls:
        return
    gaps = {without_ending(other.variant): gap - scale * other.get("difference") for other in controls}
    for other, rest in zip(controls, gaps.items(), strict=True):
        sources = f"{row.source} | difference, minus that of line {other.line}: {other.variant}"
        yield Macro(f"{row.key}/minus_{rest[0]}", escaped(signed(rest[1], digits)), sources)
    ahead = all((rest < 0) if row.kind.lower_is_better else (rest > 0) for rest in gaps.values())
    lines = ", ".join(str(other.line) for other in controls)
    yield Macro(f"{row.key}/ahead_of_controls", ahead, f"{row.source} | difference against those of lines {lines}")
