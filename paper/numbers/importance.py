"""What a claim about a stream rests on: α and the gain over a retrained model with intervals, and counted verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from paper.numbers.macro import Macro
from results.render import escaped, interval
from results.table_rows import Row

TABLE = "table9_importance"
REFERENCE = "meaning"


def importance_macros(row: Row) -> Iterator[Macro]:
    """``alpha_interval``, and ``retrained_interval`` in points of accuracy, where they are known."""
    if row.table != TABLE:
        return
    for name, columns, scale, digits in (
        ("alpha", ("alpha_mean", "alpha_low", "alpha_high"), 1, 3),
        ("retrained", ("retrained", "retrained_low", "retrained_high"), 100, 2),
    ):
        values = [scale * row.get(column) for column in columns]
        if not any(math.isnan(value) for value in values):
            text = escaped(interval(*values, digits=digits))
            yield Macro(f"{row.key}/{name}_interval", text, f"{row.source} | {', '.join(columns)}")


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
