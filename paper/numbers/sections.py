"""What a section of a table says: how many rows and seeds it has, and the verdict as a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from paper.numbers.formats import joined, listed
from paper.numbers.macro import Macro
from results.best import BEST, LEVEL, MARK
from results.kinds import KINDS, OUTCOMES
from results.render import escaped
from results.table_rows import Row


def section_macros(table: str, section: str, rows: Sequence[Row]) -> Iterator[Macro]:
    """Rows, seeds, the best and those not significantly worse, outcomes and verdict of one section."""
    source = f"results/{table}/table.csv, lines {rows[0].line} to {rows[-1].line}: {section}"
    trained = [row for row in rows if row.get("seeds") > 0]
    if trained:
        yield Macro(f"{table}/{section}/section/rows", str(len(trained)), source)
        yield Macro(f"{table}/{section}/section/seeds", _seeds(rows), source)
    for mark in (BEST, LEVEL):
        marked = [row.variant for row in rows if row.cells.get(MARK) == mark]
        if marked or mark == LEVEL and any(row.cells.get(MARK) == BEST for row in rows):
            yield Macro(f"{table}/{section}/section/{mark}", listed(marked) if marked else "none", source)
    if table in KINDS:
        for outcome in OUTCOMES:
            count = sum(row.outcome == outcome for row in rows)
            yield Macro(f"{table}/{section}/section/{outcome}", str(count), source)
        yield Macro(f"{table}/{section}/section/verdict", verdict({section: rows}), source)


def verdict(sections: Mapping[str, Sequence[Row]]) -> str:
    """What the comparisons of the sections say: a sentence for all of which the same holds; empty where nothing is
    compared.
    """
    said: dict[tuple[str, str], list[str]] = {}
    for section, rows in sections.items():
        if text := _outcomes(rows):
            said.setdefault((_seeds(rows), text), []).append(rf"\emph{{{escaped(section)}}}")
    return " ".join(f"On {joined(names)} ({seeds} per row), {text}." for (seeds, text), names in said.items())


def _outcomes(rows: Sequence[Row]) -> str:
    """What the comparisons of a section say, as the end of a sentence."""
    names = {outcome: [row.variant for row in rows if row.outcome == outcome] for outcome in OUTCOMES}
    several = len(names["better"] + names["worse"] + names["undecided"])
    if not several + len(names["single"]):
        return ""
    baseline, counted = rows[0].kind.baseline, "rows with two or more seeds" if names["single"] else "rows"
    parts: list[str] = []
    for word in ("better", "worse"):
        if names[word]:
            than = "it" if parts else baseline
            parts.append(f"{listed(names[word])} {'is' if len(names[word]) == 1 else 'are'} {word} than {than}")
    if several and not parts:
        parts.append(f"none of the {several} {counted} can be told from {baseline}")
    elif names["undecided"]:
        parts.append(f"{len(names['undecided'])} of {several} {counted} cannot be told from it")
    text = f"after Holm's correction {joined(parts)}" if parts else ""
    if names["single"]:
        alone = f"{listed(names['single'])} had one seed, which says nothing about training anew"
        text = f"{text}; {alone}" if text else alone
    return text


def _seeds(rows: Sequence[Row]) -> str:
    counts = sorted({int(row.get("seeds")) for row in rows if row.get("seeds") > 0})
    if not counts:
        return "no seeds"
    text = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    return f"{text} seed" if counts == [1] else f"{text} seeds"
