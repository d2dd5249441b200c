"""All compared rows together: outcomes by group of rows, and the largest model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from paper.numbers.formats import joined
from paper.numbers.macro import Macro
from results.kinds import OUTCOMES, PICTURES
from results.render import escaped, number
from results.table_rows import Row


def study_macros(rows: Sequence[Row]) -> Iterator[Macro]:
    """Counts of outcomes against the baseline, and against a projector of pictures; flags: any and all better,
    any worse than that fusion, and which (``today_worse_in``). ``better_by_a_picture``: gains over a model without.
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
    largest = max(rows, key=lambda row: row.get("parameters") if row.get("parameters") > 0 else 0.0, default=None)
    if largest is not None and largest.get("parameters") > 0:
        text = number(largest.get("parameters") / 1e6, 0)
        yield Macro("study/largest", text, f"{largest.source} | parameters, the largest of all")
