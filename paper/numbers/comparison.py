"""A row of a table: its cells, and how it compares with the baseline and with the controls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from paper.numbers.formats import shown, signed
from paper.numbers.kinds import CONTROLS, ENDINGS, FEW, OUTCOMES, without_ending
from paper.numbers.macro import Macro
from paper.numbers.rows import Row
from results.render import escaped, interval

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
