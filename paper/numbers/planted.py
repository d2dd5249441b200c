"""On planted vectors: which measure recovers the shares best, and which beat calling all streams equal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from paper.numbers.formats import joined
from paper.numbers.macro import Macro
from results.kinds import SIGNIFICANT
from results.render import signed
from results.table_rows import Row

MEASURES = {
    "alpha": r"$|\alpha|$", "effective": r"effective $\alpha$", "contribution": "contribution",
    "projection": "the signed projection", "gradient": r"gradient $\times$ term", "leave_one_out": "leave-one-out",
    "shapley": "the Shapley value",
}  # fmt: skip
"""Column of the table about planted vectors -> what a reader calls it."""
EQUAL = "equal shares"
CHANGES = "table5_alpha_validity/conditions"
CONDITIONS = {
    "scale_none": "no scaling", "scale_rms": "scaling to an RMS of one", "softmax": "a softmax over streams",
    "sigmoid": "a sigmoid", "lr1": r"the learning rate of the other weights for $\alpha$",
    "lr20": r"twenty times that learning rate for $\alpha$",
}  # fmt: skip
"""Row of the table of conditions -> how a sentence names it."""


def planted_macros(row: Row, section: Sequence[Row]) -> Iterator[Macro]:
    """``best`` of the measures; ``beats_equal_<measure>`` where the section shows errors."""
    values = {name: row.get(f"{name}_mean") for name in MEASURES}
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    equal = [other for other in section if other.variant == EQUAL]
    if not equal or row.variant == EQUAL or not known:
        return
    error = "error" in row.section
    if error and row is section[0]:
        yield from _errors_of_alpha(row, section, equal[0])
    best = (min if error else max)(known, key=lambda name: known[name])
    yield Macro(f"{row.key}/best", MEASURES[best], f"{row.source} | {', '.join(f'{name}_mean' for name in known)}")
    if error:
        for name, value in known.items():
            source = f"{row.source} | {name}_mean, against alpha_mean of line {equal[0].line}: {EQUAL}"
            yield Macro(f"{row.key}/beats_equal_{name}", value < equal[0].get("alpha_mean"), source)


def _errors_of_alpha(first: Row, section: Sequence[Row], equal: Row) -> Iterator[Macro]:
    """Of a section: ``alpha_rows``, ``alpha_least_error``, and ``alpha_beats_equal``, how many are below the error of
    equal shares by more than their standard deviation over seeds.
    """
    rows = [row for row in section if row is not equal and not math.isnan(row.get("alpha_mean"))]
    closer = [row for row in rows if row.get("alpha_mean") + row.get("alpha_std") < equal.get("alpha_mean")]
    key, source = (
        f"{first.table}/{first.section}/section",
        f"results/{first.table}/table.csv: {first.section} | alpha_mean",
    )
    yield Macro(f"{key}/alpha_rows", str(len(rows)), source)
    yield Macro(f"{key}/alpha_beats_equal", str(len(closer)), f"{source}, alpha_std")
    if rows:
        yield Macro(f"{key}/alpha_least_error", f"{min(row.get('alpha_mean') for row in rows):.2f}", source)


def condition_macros(rows: Sequence[Row]) -> Iterator[Macro]:
    """``<measure>_changed_by``: the conditions of which a change in the measure's rank correlation is shown."""
    for measure in ("alpha", "contribution"):
        shown = [row for row in rows if row.get(f"{measure}_p_holm") < SIGNIFICANT]
        named = [f"{CONDITIONS[row.variant]} (${signed(row.get(measure), 2)}$)" for row in shown]
        source = f"results/{CHANGES}/table.csv: {measure}, {measure}_p_holm"
        yield Macro(f"{CHANGES}/all/{measure}_changed_by", joined(named) if named else "none of them", source)
