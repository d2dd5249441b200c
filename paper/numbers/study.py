"""All compared rows together: outcomes by group of rows, and the largest model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from common.evaluation.statistics import holm
from paper.numbers.formats import joined
from paper.numbers.macro import Macro
from results.kinds import OUTCOMES, PICTURES, SIGNIFICANT
from results.render import escaped, number
from results.table_rows import Row


def study_macros(rows: Sequence[Row]) -> Iterator[Macro]:
    """Counts of outcomes against the baseline, and against a projector of pictures; flags: any and all better,
    any worse than that fusion, and which (``today_worse_in``). ``better_by_a_picture``: gains over a model without.
    ``better_by_table`` and ``better_overall``: gains of the studied rows that Holm's correction over a whole table, or
    over all of them, leaves; ``study/all/compared``.
    """
    tables = ", ".join(dict.fromkeys(row.table for row in rows))
    source = f"all compared rows of {tables}, without subsets of the streams"
    for group in ("studied", "controls", "matched", "others"):
        outcomes = [row.outcome for row in rows if row.group == group and row.outcome]
        for outcome in OUTCOMES:
            yield Macro(f"study/{group}/{outcome}", str(outcomes.count(outcome)), source)
        yield Macro(f"study/{group}/compared", str(len(outcomes) - outcomes.count("single")), source)
        yield Macro(f"study/{group}/any_better", "better" in outcomes, source)
        several = [outcome for outcome in outcomes if outcome != "single"]
        yield Macro(f"study/{group}/all_better", set(several) == {"better"}, source)
        own = [row for row in rows if row.group == group]
        rivals = [row.judged("today") for row in own]
        lost = [
            rf"\texttt{{{escaped(row.variant)}}} on \emph{{{escaped(row.section)}}}"
            for row, outcome in zip(own, rivals, strict=True)
            if outcome == "worse"
        ]
        yield Macro(f"study/{group}/today_worse_in", joined(lost) if lost else "none", source)
        for outcome in ("better", "worse"):
            yield Macro(f"study/{group}/today_{outcome}", str(rivals.count(outcome)), source)
        yield Macro(
            f"study/{group}/today_compared", str(len([one for one in rivals if one not in ("", "single")])), source
        )
        yield Macro(f"study/{group}/any_today_worse", "worse" in rivals, source)
        seen = [row.outcome for row in rows if row.group == group and row.kind is PICTURES]
        yield Macro(f"study/{group}/better_by_a_picture", str(seen.count("better")), source)
    yield from _corrected_wider(rows, source)
    largest = max(rows, key=lambda row: row.get("parameters") if row.get("parameters") > 0 else 0.0, default=None)
    if largest is not None and largest.get("parameters") > 0:
        text = number(largest.get("parameters") / 1e6, 0)
        yield Macro("study/largest", text, f"{largest.source} | parameters, the largest of all")


def _corrected_wider(rows: Sequence[Row], source: str) -> Iterator[Macro]:
    compared = [row for row in rows if row.outcome not in ("", "single")]
    by_table: dict[str, list[Row]] = {}
    for row in compared:
        by_table.setdefault(row.table.split("/")[0], []).append(row)
    left = {"better_by_table": sum(map(_gains_left, by_table.values())), "better_overall": _gains_left(compared)}
    for name, count in left.items():
        yield Macro(f"study/studied/{name}", str(count), f"{source} | difference_p")
    yield Macro("study/all/compared", str(len(compared)), source)


def _gains_left(family: Sequence[Row]) -> int:
    """Gains of studied rows that Holm's correction over the family leaves."""
    corrected = holm([row.get("difference_p") for row in family])
    return sum(
        row.group == "studied" and row.outcome == "better" and p < SIGNIFICANT
        for row, p in zip(family, corrected, strict=True)
    )
