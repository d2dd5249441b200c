"""Where a rule is shown to beat its shuffled control or to be behind the best rule, and where its lead is no luck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from paper.numbers.formats import joined
from paper.numbers.macro import Macro
from results.best import MARK, WORSE
from results.render import escaped
from results.table6_universality.rows import BEATS, OPEN
from results.table6_universality.rows import WORSE as NOT_BETTER
from results.table_rows import Row

TABLE = "table6_universality"


def beats_macros(row: Row) -> Iterator[Macro]:
    """Flag ``beats_shuffled``: whether a rule is shown to be better than its shuffled control, where that is tested."""
    if row.table == TABLE and row.cells.get("beats") in (BEATS, OPEN, NOT_BETTER):
        yield Macro(f"{row.key}/beats_shuffled", row.cells["beats"] == BEATS, f"{row.source} | beats")


def behind_macros(rows: Sequence[Row]) -> Iterator[Macro]:
    """Of every rule ``behind``: the domains in which its row, of two or more seeds, is significantly worse than the
    best one; ``anywhere_behind``: whether there is one.
    """
    for rule in dict.fromkeys(row.variant for row in rows):
        worse = [row for row in rows if row.variant == rule and row.cells.get(MARK) == WORSE and row.get("seeds") > 1]
        named = [rf"\emph{{{escaped(row.section)}}}" for row in worse]
        source = f"results/{TABLE}/table.csv: {MARK} of all rows of {rule} with two or more seeds"
        yield Macro(f"{TABLE}/all/{rule}/behind", joined(named) if named else "no domain", source)
        yield Macro(f"{TABLE}/all/{rule}/anywhere_behind", bool(named), source)


def lead_macros(rows: Sequence[Row]) -> Iterator[Macro]:
    """``told_apart``: in how many domains rules are told apart (see table 6); of every rule ``leads``: in how many of
    these it has the largest gain.
    """
    told = [row for row in rows if row.get("told_apart") == 1]
    source = f"results/{TABLE}/table.csv: told_apart and rank of all rows"
    yield Macro(f"{TABLE}/all/told_apart", str(len({row.section for row in told})), source)
    lowest = {row.section: min(other.get("rank") for other in told if other.section == row.section) for row in told}
    for rule in dict.fromkeys(row.variant for row in rows):
        leads = sum(row.variant == rule and row.get("rank") == lowest[row.section] for row in told)
        yield Macro(f"{TABLE}/all/{rule}/leads", str(leads), source)
