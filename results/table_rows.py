"""The rows of the tables, and what each row's comparison with the baseline says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from results.integrity import RecordError
from results.kinds import KINDS, SHARES, SIGNIFICANT, Kind, group_of

RESULTS = Path(__file__).parent
INNER = (f"{SHARES}/table.csv", "figure_alpha_sentiment/ladder/table.csv")
"""Tables that belong to a figure."""


@dataclass(frozen=True)
class Row:
    """One row of a CSV, and what its comparison with the baseline says."""

    table: str
    line: int
    cells: dict[str, Any]

    @property
    def section(self) -> str:
        """Of a row on a share of the data the share is part of it."""
        share = f", {100 * self.get('fraction'):g} % of the data" if "fraction" in self.cells else ""
        return f"{self.cells['section']}{share}"

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
        if self.table not in KINDS:
            return ""
        return self.judged("difference")

    def judged(self, difference: str) -> str:
        """What the columns `difference` and ``<difference>_p_holm`` say: one of :data:`OUTCOMES`; empty without a
        difference.
        """
        gap = self.get(difference)
        if math.isnan(gap):
            return ""
        counted = (f"{difference}_seeds", "seeds")
        if self.get(next(column for column in counted if column in self.cells)) < 2:
            return "single"
        if not self.get(f"{difference}_p_holm") < SIGNIFICANT:
            return "undecided"
        return "better" if (gap < 0) == self.kind.lower_is_better else "worse"

    @property
    def group(self) -> str:
        """See :func:`results.kinds.group_of`."""
        return group_of(self.variant)


def read_rows(path: Path, table: str) -> list[Row]:
    """The rows of a table that have runs, or stand for none by design."""
    try:
        frame = pd.read_csv(path)
    except ValueError as error:
        raise RecordError(f"{path} cannot be read ({error}); make it again by python -m results make") from error
    return [Row(table, line, dict(cells)) for line, cells in enumerate(frame.to_dict("records"), start=2)]


def tables(results: Path = RESULTS) -> dict[str, list[Row]]:
    """Name of each table below `results` -> its rows."""
    found = [results.glob(pattern) for pattern in ("table*/table.csv", "table*/*/table.csv", *INNER)]
    paths = sorted(path for paths in found for path in paths)
    names = [path.parent.relative_to(results).as_posix() for path in paths]
    return {name: read_rows(path, name) for name, path in zip(names, paths, strict=True)}
