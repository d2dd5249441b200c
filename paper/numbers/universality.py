"""In which domains a rule is shown to be behind the best one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from paper.numbers.formats import joined
from paper.numbers.macro import Macro
from results.best import MARK, WORSE
from results.render import escaped
from results.table_rows import Row

TABLE = "table6_universality"


def behind_macros(rows: Sequence[Row]) -> Iterator[Macro]:
    """Of every rule ``behind``: the domains in which its row, of two or more seeds, is significantly worse than the
    best one.
    """
    for rule in dict.fromkeys(row.variant for row in rows):
        worse = [row for row in rows if row.variant == rule and row.cells.get(MARK) == WORSE and row.get("seeds") > 1]
        named = [rf"\emph{{{escaped(row.section)}}}" for row in worse]
        source = f"results/{TABLE}/table.csv: {MARK} of all rows of {rule} with two or more seeds"
        yield Macro(f"{TABLE}/all/{rule}/behind", joined(named) if named else "no domain", source)
