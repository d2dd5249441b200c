"""``python -m paper.numbers``: every number of ``results/**/table.csv`` as a LaTeX macro, with the row it comes from.

Keys, as ``\\result{key}`` takes them:

- ``table1_sentiment/sst5, minilm/dm/accuracy_mean``: table, section, row, column, written as in the table. Where a row
  is compared with a baseline there are also ``interval`` (difference and 95 % interval), ``outcome`` and, against each
  control, ``minus_shuffled`` (difference of the two differences).
- ``table1_sentiment/sst5, minilm/section/verdict``: of a section: ``rows``, ``seeds``, ``verdict``, :data:`OUTCOMES`.
- ``table1_sentiment/table/verdict``: of a table: the verdicts of all sections.
- ``study/studied/better``: of all tables in :data:`KINDS` but the ablation, by group of rows; ``study/largest``.

``\\ifresult{key}{then}{else}`` takes the flags: a row's outcomes, ``few`` (seeds), ``ahead_of_controls``,
``beats_equal_alpha``, and ``any_better`` and ``all_better`` of a group; ``\\ifresults{table}{then}{else}`` asks
whether there is such a table.
"""

from __future__ import annotations

import math
import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from results.files import write_text
from results.render import MISSING, escaped, interval, number, p_value

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "results"
TARGET = Path(__file__).parent / "build" / "numbers.tex"
LEVEL = 0.05
"""A p value below it, after Holm's correction, is called significant."""
FEW = 3
"""Fewer seeds than these are few, whatever the p value."""
STUDIED = ("dm", "dm_linear", "li", "li_soma")
CONTROLS = ("duplicate", "shuffled", "noise", "swapped")
MATCHED = ("meaning_params", "meaning_flops")
NAMES = ("section", "variant", "records")
"""Columns that say which row it is; the rest are numbers or verdicts."""
ENDINGS = ("_a", "_b", "_output", "_pooled", "_token", "_dropout")
"""What a row's name may have behind its rule or control."""
OUTCOMES = ("better", "worse", "undecided", "single")
"""Of a row against its baseline; ``single``: one seed, which says nothing about training."""
MEASURES = {
    "alpha": r"$|\alpha|$", "effective": r"effective $\alpha$", "contribution": "contribution",
    "gradient": r"gradient $\times$ term", "leave_one_out": "leave-one-out", "shapley": "the Shapley value",
}  # fmt: skip
"""Column of the table about planted vectors -> what a reader calls it."""
EQUAL = "equal shares"


@dataclass(frozen=True)
class Kind:
    """How the differences of a table are read."""

    scale: float = 100.0
    digits: int = 2
    lower_is_better: bool = False
    baseline: str = "the backbone alone"


NATS = Kind(scale=1.0, digits=3, lower_is_better=True)
PICTURES = Kind(baseline="the language model without pictures")
KINDS = {
    "table1_sentiment": Kind(), "table1_ablation": Kind(), "table2_mlm": NATS, "table3_gpt": NATS,
    "table4_vision_language/captions": PICTURES, "table4_vision_language/questions": PICTURES,
    "table4_vision_language/retrieval": PICTURES,
}  # fmt: skip
"""Tables whose rows are compared with a baseline."""
ABLATION = "table1_ablation"


@dataclass(frozen=True)
class Macro:
    """A value under a key; `value` is a bool for flags. `source` names the CSV row."""

    key: str
    value: str | bool
    source: str

    def __str__(self) -> str:
        # These characters mean something else to TeX, even inside a name.
        key = re.sub(r"[%#{}\\~^&$]", "", self.key)
        line = rf"\flagis{{{key}}}{{{str(self.value).lower()}}}"
        if isinstance(self.value, str):
            line = rf"\resultis{{{key}}}{{{self.value}}}"
        return f"% {self.source}\n{line}"


@dataclass(frozen=True)
class Row:
    """One row of a CSV, and what its comparison with the baseline says."""

    table: str
    line: int
    cells: dict[str, Any]

    @property
    def section(self) -> str:
        return str(self.cells["section"])

    @property
    def variant(self) -> str:
        return str(self.cells["variant"])

    @property
    def key(self) -> str:
        return f"{self.table}/{self.section}/{self.variant}"

    @property
    def kind(self) -> Kind:
        return KINDS.get(self.table, Kind())

    @property
    def source(self) -> str:
        return f"results/{self.table}/table.csv, line {self.line}: {self.section} | {self.variant}"

    def get(self, column: str) -> float:
        """The number in a column; NaN where there is none."""
        return float(self.cells.get(column, math.nan))

    @property
    def outcome(self) -> str:
        """One of :data:`OUTCOMES`; empty for a row that is not compared."""
        gap = self.get("difference")
        if self.table not in KINDS or math.isnan(gap):
            return ""
        if self.get("paired_seeds" if "paired_seeds" in self.cells else "seeds") < 2:
            return "single"
        p = self.get("p_holm" if "p_holm" in self.cells else "difference_p_holm")
        if not p < LEVEL:
            return "undecided"
        return "better" if (gap < 0) == self.kind.lower_is_better else "worse"

    @property
    def group(self) -> str:
        """``studied``, ``controls``, ``matched`` or ``others``."""
        plain = _without_ending(self.variant)
        groups = {"studied": STUDIED, "controls": CONTROLS, "matched": (*MATCHED, "meaning", "no_image")}
        return next((name for name, rows in groups.items() if plain in rows), "others")


def read_rows(path: Path, table: str) -> list[Row]:
    """The rows of a table that have runs, or stand for none by design."""
    frame = pd.read_csv(path)
    return [Row(table, line, dict(cells)) for line, cells in enumerate(frame.to_dict("records"), start=2)]


def tables(results: Path = RESULTS) -> dict[str, list[Row]]:
    """Name of each table below `results` -> its rows."""
    paths = sorted([*results.glob("table*/table.csv"), *results.glob("table*/*/table.csv")])
    names = [path.parent.relative_to(results).as_posix() for path in paths]
    return {name: read_rows(path, name) for name, path in zip(names, paths, strict=True)}


def macros(found: dict[str, list[Row]]) -> list[Macro]:
    """All macros of the tables `found`."""
    made: list[Macro] = []
    for table, rows in found.items():
        made.append(Macro(table, True, f"results/{table}/table.csv"))
        sections = list(dict.fromkeys(row.section for row in rows))
        for section in sections:
            part = [row for row in rows if row.section == section]
            for row in part:
                made += [*_cells(row), *_comparison(row, part), *_planted(row, part)]
            made += _section(table, section, part)
        if table in KINDS:
            verdicts = [verdict(section, [row for row in rows if row.section == section]) for section in sections]
            made.append(Macro(f"{table}/table/verdict", " ".join(filter(None, verdicts)), f"results/{table}/table.csv"))
    made += _study([row for table, rows in found.items() if table in KINDS and table != ABLATION for row in rows])
    return made


def verdict(section: str, rows: Sequence[Row]) -> str:
    """What the comparisons of a section say, as a sentence; empty where nothing is compared."""
    names = {outcome: [row.variant for row in rows if row.outcome == outcome] for outcome in OUTCOMES}
    several = len(names["better"] + names["worse"] + names["undecided"])
    if not several + len(names["single"]):
        return ""
    baseline, counted = rows[0].kind.baseline, "rows with two or more seeds" if names["single"] else "rows"
    parts: list[str] = []
    for word in ("better", "worse"):
        if names[word]:
            than = "it" if parts else baseline
            parts.append(f"{_listed(names[word])} {'is' if len(names[word]) == 1 else 'are'} {word} than {than}")
    if several and not parts:
        parts.append(f"none of the {several} {counted} can be told from {baseline}")
    elif names["undecided"]:
        parts.append(f"{len(names['undecided'])} of {several} {counted} cannot be told from it")
    text = f"after Holm's correction {_joined(parts)}" if parts else ""
    if names["single"]:
        alone = f"{_listed(names['single'])} had one seed, which says nothing about training anew"
        text = f"{text}; {alone}" if text else alone
    return rf"On \emph{{{escaped(section)}}} ({_seeds(rows)} per row), {text}."


def _cells(row: Row) -> Iterator[Macro]:
    for column, value in row.cells.items():
        if column in NAMES:
            continue
        text = value if isinstance(value, str) else shown(row.kind, column, float(value))
        yield Macro(f"{row.key}/{column}", escaped(text), f"{row.source} | {column} = {value}")


def _comparison(row: Row, section: Sequence[Row]) -> Iterator[Macro]:
    if not row.outcome:
        return
    scale, digits = row.kind.scale, row.kind.digits
    gap, low, high = (scale * row.get(f"difference{end}") for end in ("", "_low", "_high"))
    columns = "difference, difference_low, difference_high"
    yield Macro(f"{row.key}/interval", escaped(interval(gap, low, high, digits)), f"{row.source} | {columns}")
    judged = f"{row.source} | difference, p after Holm's correction, seeds"
    yield Macro(f"{row.key}/outcome", row.outcome, judged)
    for outcome in OUTCOMES:
        yield Macro(f"{row.key}/{outcome}", row.outcome == outcome, judged)
    yield Macro(f"{row.key}/few", row.get("seeds") < FEW, f"{row.source} | seeds")
    ending = next((end for end in ENDINGS[:2] if row.variant.endswith(end)), "")
    wanted = [f"{name}{ending}" for name in CONTROLS]
    controls = [other for other in section if other.variant in wanted and other.outcome]
    if row.group == "controls" or not controls:
        return
    gaps = {_without_ending(other.variant): gap - scale * other.get("difference") for other in controls}
    for other, rest in zip(controls, gaps.items(), strict=True):
        sources = f"{row.source} | difference, minus that of line {other.line}: {other.variant}"
        yield Macro(f"{row.key}/minus_{rest[0]}", escaped(_signed(rest[1], digits)), sources)
    ahead = all((rest < 0) if row.kind.lower_is_better else (rest > 0) for rest in gaps.values())
    lines = ", ".join(str(other.line) for other in controls)
    yield Macro(f"{row.key}/ahead_of_controls", ahead, f"{row.source} | difference against those of lines {lines}")


def _planted(row: Row, section: Sequence[Row]) -> Iterator[Macro]:
    """On planted vectors: the measure that recovers the shares best, and which beat calling all streams equal."""
    values = {name: row.get(f"{name}_mean") for name in MEASURES}
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    equal = [other for other in section if other.variant == EQUAL]
    if not equal or row.variant == EQUAL or not known:
        return
    error = "error" in row.section
    best = (min if error else max)(known, key=lambda name: known[name])
    yield Macro(f"{row.key}/best", MEASURES[best], f"{row.source} | {', '.join(f'{name}_mean' for name in known)}")
    if error:
        for name, value in known.items():
            source = f"{row.source} | {name}_mean, against alpha_mean of line {equal[0].line}: {EQUAL}"
            yield Macro(f"{row.key}/beats_equal_{name}", value < equal[0].get("alpha_mean"), source)


def _section(table: str, section: str, rows: Sequence[Row]) -> Iterator[Macro]:
    source = f"results/{table}/table.csv, lines {rows[0].line} to {rows[-1].line}: {section}"
    trained = [row for row in rows if row.get("seeds") > 0]
    if trained:
        yield Macro(f"{table}/{section}/section/rows", str(len(trained)), source)
        yield Macro(f"{table}/{section}/section/seeds", _seeds(rows), source)
    if table in KINDS:
        for outcome in OUTCOMES:
            count = sum(row.outcome == outcome for row in rows)
            yield Macro(f"{table}/{section}/section/{outcome}", str(count), source)
        yield Macro(f"{table}/{section}/section/verdict", verdict(section, rows), source)


def _study(rows: Sequence[Row]) -> Iterator[Macro]:
    source = "all compared rows of " + ", ".join(dict.fromkeys(row.table for row in rows))
    for group in ("studied", "controls", "matched", "others"):
        outcomes = [row.outcome for row in rows if row.group == group and row.outcome]
        for outcome in OUTCOMES:
            yield Macro(f"study/{group}/{outcome}", str(outcomes.count(outcome)), source)
        yield Macro(f"study/{group}/compared", str(len(outcomes) - outcomes.count("single")), source)
        yield Macro(f"study/{group}/any_better", "better" in outcomes, source)
        several = [outcome for outcome in outcomes if outcome != "single"]
        yield Macro(f"study/{group}/all_better", set(several) == {"better"}, source)
    largest = max(rows, key=lambda row: row.get("parameters") if row.get("parameters") > 0 else 0.0, default=None)
    if largest is not None and largest.get("parameters") > 0:
        text = number(largest.get("parameters") / 1e6, 0)
        yield Macro("study/largest", text, f"{largest.source} | parameters, the largest of all")


def _million(digits: int) -> Callable[[Kind, float], str]:
    return lambda _kind, value: number(value / 1e6, digits)


def _fixed(digits: int, scale: float = 1.0) -> Callable[[Kind, float], str]:
    return lambda _kind, value: number(scale * value, digits)


def _gap(kind: Kind, value: float) -> str:
    return _signed(kind.scale * value, kind.digits)


FORMATS: tuple[tuple[str, Callable[[Kind, float], str]], ...] = (
    (r"seeds|paired_seeds|test_examples|tokens", _fixed(0)),
    (r"(.*_)?p(_holm|_bootstrap|_randomisation)?", lambda _kind, value: p_value(value)),
    (r"(difference|today)(_low|_high)?", _gap),
    (r"(accuracy|macro_f1|exact_match|bleu_4|rouge_l|cider_d|kind_.*|.*_recall_\d+)_(mean|std)", _fixed(2, 100.0)),
    (r"(other_)?word_perplexity_(mean|std)", _fixed(0)),
    (r"(other_)?bits_(mean|std)", _fixed(3)),
    (r"parameters_ratio", _fixed(3)),
    (r"parameters(_added)?", _million(2)),
    (r"flops_per_token", _million(1)),
    (r"step_time_ms|token_perplexity_(mean|std)", _fixed(1)),
    (r"domains|single|beats|tested|rules|iqm_domains", _fixed(0)),
    (r".*_(mean|std)|(rank|iqm|normalised)(_low|_high|_dm)?", _fixed(2)),
    (r"first", _fixed(1, 100.0)),
)
"""Pattern of a column -> how its numbers are written; the first that fits."""


def shown(kind: Kind, column: str, value: float) -> str:
    """A number as the text shows it; a dash where it is not known."""
    if math.isnan(value):
        return MISSING
    write = next((write for pattern, write in FORMATS if re.fullmatch(pattern, column)), None)
    return f"{value:.4g}" if write is None else write(kind, value)


def document(made: Sequence[Macro]) -> str:
    """The macros as a file of LaTeX.

    Raises:
        ValueError: a key stands twice.
    """
    keys = [macro.key for macro in made]
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise ValueError(f"keys that stand twice: {', '.join(twice)}")
    return "% Written by python -m paper.numbers. A comment names the row that the next line comes from.\n" + "".join(
        f"{macro}\n" for macro in made
    )


def _without_ending(variant: str) -> str:
    if variant in (*STUDIED, *CONTROLS, *MATCHED):
        return variant
    return next((variant.removesuffix(end) for end in ENDINGS if variant.endswith(end)), variant)


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def _seeds(rows: Sequence[Row]) -> str:
    counts = sorted({int(row.get("seeds")) for row in rows if row.get("seeds") > 0})
    if not counts:
        return "no seeds"
    text = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    return f"{text} seed" if counts == [1] else f"{text} seeds"


def _listed(names: Sequence[str]) -> str:
    return _joined([rf"\texttt{{{escaped(name)}}}" for name in names])


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the macros; the exit status."""
    parser = ArgumentParser(description="Writes the numbers of the tables as LaTeX macros.")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder with the tables (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=TARGET, help="file to write (default: %(default)s)")
    known = parser.parse_args(arguments)
    found = tables(known.results)
    if not found:
        print(f"error: no table.csv below {known.results}; python -m results make writes them", file=sys.stderr)
        return 2
    print(f"wrote {write_text(known.out, document(macros(found)))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
