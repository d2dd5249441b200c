"""The study's questions, each answered in a line that the numbers of the tables choose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from results.answers import NOTHING, OURS
from results.kinds import ABLATION, KINDS, SHARES, split_option
from results.render import number
from results.table_rows import RESULTS, Row, tables

COMPARED = tuple(table for table in KINDS if table not in (SHARES, ABLATION))
"""Tables of the steps, whose rows are compared with the backbone alone."""
UNIVERSALITY = "table6_universality"
PLANTED, RANKS, GAPS = "table5_alpha_validity", "rank correlation, all settings", "calibration error, all settings"
BEATS = {"yes": "better", "worse": "worse", "not shown": "undecided"}
"""What table 6 says of a rule and the shuffled control -> the word of the other tables."""
CALLED = {"table2_mlm": "masked LM: ", "table3_gpt": "causal LM: "}
"""What stands before the name of a text, where it would not say what is done with it."""


def in_short(results: Path = RESULTS) -> str:
    """A list of answers: against the backbone alone, against a projector of pictures, against streams that
    belong to other inputs; and what |α| is worth. Comparisons of one seed are left out; p values are Holm's.
    """
    found = tables(results)
    rows = [row for table in COMPARED for row in found.get(table, ())]
    answers = {
        "the backbone alone (for pictures: the language model without them)": _outcomes(
            rows, lambda row: row.outcome, "difference"
        ),
        "a projector of the picture's pooled vector (DM and LI read all its patches)": _outcomes(
            rows, lambda row: row.judged("today"), "today"
        ),
        "streams of other inputs (under the rule itself where that has runs, else under DM)": _outcomes(
            found.get(UNIVERSALITY, ()),
            lambda row: BEATS.get(str(row.cells["beats"]), "") if row.get("control_seeds") > 1 else "",
            "control",
        ),
    }
    said = [f"Against {what}: {'; '.join(one)}." for what, one in answers.items() if one]
    return "\n".join(f"- {text}" for text in (*said, *_planted(found.get(PLANTED, ())))) or NOTHING


def _outcomes(rows: Iterable[Row], outcome: Callable[[Row], str], gap: str) -> list[str]:
    """For each of our rules in how many comparisons it is better and in how many worse, and in which; and in how many
    its mean is behind, by the column `gap`.
    """
    said, judged = [], [(row, outcome(row)) for row in rows]
    for rule in OURS:
        compared = [(row, verdict) for row, verdict in judged if verdict not in ("", "single")]
        own = [(row, verdict) for row, verdict in compared if split_option(row.variant)[0] == rule]
        if own:
            places = {word: [_place(row) for row, verdict in own if verdict == word] for word in ("better", "worse")}
            counts = [f"{word} in {_listed(found, len(own))}" for word, found in places.items()]
            behind = sum(_ahead(row, gap) < 0 for row, _ in own)
            said.append(f"`{rule}` {', '.join(counts)}, behind in the mean in {behind or 'none'}")
    return said


def _ahead(row: Row, gap: str) -> float:
    """A difference of the row, above zero where the row is ahead."""
    return -row.get(gap) if row.kind.lower_is_better else row.get(gap)


def _listed(places: Sequence[str], count: int) -> str:
    return f"{len(places) or 'none'} of {count}" + (f" ({'; '.join(places)})" if places else "")


def _place(row: Row) -> str:
    """The setting of a row, without the names of its models, which are the last parts."""
    option = split_option(row.variant)[1].replace("_", " ")
    parts = row.section.split(", ")
    models = 2 if row.table.startswith("table4") or len(parts) > 2 else 1
    return CALLED.get(row.table, "") + " ".join(parts[: max(1, len(parts) - models)]) + option


def _planted(rows: Sequence[Row]) -> list[str]:
    """What |α| of DM is worth where the truth is known."""
    ranks, gaps = ({row.variant: row for row in rows if row.section == section} for section in (RANKS, GAPS))
    if not {"dm", "equal shares"} <= ranks.keys() & gaps.keys():
        return []
    cells = (("dm", "alpha"), ("equal shares", "alpha"), ("dm", "leave_one_out"))
    (alpha, alike, left), (far, guessed, _) = (
        [number(found[name].get(f"{measure}_mean"), 2) for name, measure in cells] for found in (ranks, gaps)
    )
    return [
        f"Does |α| say which stream mattered? Its rank correlation with planted shares is {alpha} under `dm`; to call "
        f"all streams equal has {alike}, to leave a stream out {left}. As shares, |α| is off by {far} in the mean, the "
        f"guess that all are equal by {guessed}."
    ]
