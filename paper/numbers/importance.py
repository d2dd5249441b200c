"""What a claim about a stream rests on: α and the gain over a retrained model with intervals, and counted verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from paper.numbers.macro import Macro
from results.render import escaped, interval
from results.table_rows import Row

TABLE = "table9_importance"
REFERENCE = "meaning"


def importance_macros(row: Row, section: Sequence[Row]) -> Iterator[Macro]:
    """``alpha_interval`` and ``contribution_interval``, ``zero_interval`` and ``retrained_interval`` in points of
    accuracy, where they are known; flags ``alpha_largest`` and ``contribution_largest``, of magnitudes in the section.
    """
    if row.table != TABLE:
        return
    for name, columns, scale, digits in (
        ("alpha", ("alpha_mean", "alpha_low", "alpha_high"), 1, 3),
        ("contribution", ("contribution_mean", "contribution_low", "contribution_high"), 1, 3),
        ("zero", ("zero_mean", "zero_low", "zero_high"), 100, 2),
        ("retrained", ("retrained", "retrained_low", "retrained_high"), 100, 2),
    ):
        values = [scale * row.get(column) for column in columns]
        if not any(math.isnan(value) for value in values):
            text = escaped(interval(*values, digits=digits))
            yield Macro(f"{row.key}/{name}_interval", text, f"{row.source} | {', '.join(columns)}")
    for name in ("alpha", "contribution"):
        beside = [abs(other.get(f"{name}_mean")) for other in section]
        known = [value for value in beside if not math.isnan(value)]
        if not math.isnan(row.get(f"{name}_mean")):
            largest = abs(row.get(f"{name}_mean")) == max(known)
            yield Macro(f"{row.key}/{name}_largest", largest, f"{row.source} | {name}_mean of the section")


def all_importance_macros(rows: Sequence[Row]) -> Iterator[Macro]:
    """Over all data and rules, of the ``secondary`` streams and of the ``reference``: how many are ``judged``, and of
    how many ``all``, ``some`` or ``none`` of the measures show that they count.
    """
    for group, own in (
        ("secondary", [row for row in rows if row.variant != REFERENCE and "+" not in row.variant]),
        ("reference", [row for row in rows if row.variant == REFERENCE]),
    ):
        counts = {"judged": 0, "all": 0, "some": 0, "none": 0}
        for row in own:
            shows, known = (_count(row.cells.get(column)) for column in ("shows", "known"))
            if known:
                counts["judged"] += 1
                counts["none" if not shows else "some" if shows < known else "all"] += 1
        source = f"results/{TABLE}/table.csv: {group} streams of all sections | shows, known"
        for name, count in counts.items():
            yield Macro(f"{TABLE}/all/{group}/{name}", str(count), source)


def _count(cell: object) -> int:
    return len(cell.split()) if isinstance(cell, str) else 0
