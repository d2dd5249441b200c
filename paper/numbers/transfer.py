"""Mixing weights from another domain: against those learnt at home, and against the same numbers in random places."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from paper.numbers.macro import Macro
from results.kinds import FEW, SIGNIFICANT
from results.render import escaped, interval
from results.table7_transfer.configs import COMPARED, REFERENCE
from results.table_rows import Row

TABLE = "table7_transfer"


def transfer_macros(row: Row, section: Sequence[Row]) -> Iterator[Macro]:
    """``learnt_interval`` and ``random_interval``; flags: ``above_learnt``, ``below_random`` and so on, after Holm's
    correction, ``ahead_of_reference`` (in the mean) and ``few`` seeds. Above is better.
    """
    if row.table != TABLE:
        return
    scale, digits = row.get("scale"), int(row.get("digits"))
    for one in COMPARED:
        gap, low, high = (scale * row.get(f"{one.column}{end}") for end in ("", "_low", "_high"))
        if math.isnan(gap):
            continue
        source = f"{row.source} | {one.column} with interval and p after Holm's correction"
        yield Macro(f"{row.key}/{one.other}_interval", escaped(interval(gap, low, high, digits)), source)
        sure = row.get("seeds") > 1 and row.get(f"{one.column}_p_holm") < SIGNIFICANT
        yield Macro(f"{row.key}/above_{one.other}", sure and gap > 0, source)
        yield Macro(f"{row.key}/below_{one.other}", sure and gap < 0, source)
    reference = next((other for other in section if other.variant == REFERENCE), None)
    if reference is not None and row is not reference and not math.isnan(row.get("difference")):
        source = f"{row.source} | difference, against that of line {reference.line}: {REFERENCE}"
        ahead = row.get("difference") > reference.get("difference")
        yield Macro(f"{row.key}/ahead_of_reference", ahead, source)
    yield Macro(f"{row.key}/few", row.get("seeds") < FEW, f"{row.source} | seeds")
