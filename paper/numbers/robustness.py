"""Misspelt, derived and misheard words: how often a row loses less than the backbone alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from paper.numbers.macro import Macro
from results.render import escaped, interval
from results.table_rows import Row

TABLE = "table8_robustness"


def spared_macros(row: Row) -> Iterator[Macro]:
    """``spared_interval``: points of accuracy by which the row lost less than the backbone alone."""
    if row.table == TABLE and not math.isnan(row.get("spared")):
        gap, low, high = (100 * row.get(f"spared{end}") for end in ("", "_low", "_high"))
        source = f"{row.source} | spared, spared_low, spared_high"
        yield Macro(f"{row.key}/spared_interval", escaped(interval(gap, low, high)), source)


def all_spared_macros(rows: Sequence[Row]) -> Iterator[Macro]:
    """Over all sections, by variant: ``compared``; ``spared`` and ``hurt``, how often the interval lies above or below
    zero; the least ``seeds``.
    """
    for variant in dict.fromkeys(row.variant for row in rows):
        own = [row for row in rows if row.variant == variant and not math.isnan(row.get("spared"))]
        counts = {
            "compared": len(own), "spared": sum(row.get("spared_low") > 0 for row in own),
            "hurt": sum(row.get("spared_high") < 0 for row in own),
        }  # fmt: skip
        if own:
            counts["seeds"] = min(int(row.get("seeds")) for row in own)
        source = f"results/{TABLE}/table.csv: {variant} in all sections | spared_low, spared_high, seeds"
        if own:
            yield Macro(f"{TABLE}/all/{variant}/single", counts["seeds"] < 2, source)
        for name, count in counts.items() if own else ():
            yield Macro(f"{TABLE}/all/{variant}/{name}", str(count), source)
