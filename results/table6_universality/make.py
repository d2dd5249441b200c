"""``python -m results.table6_universality.make``: table 6 as CSV, Markdown and LaTeX, its figure, and in print."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from results.command import run_maker
from results.reader import Run, where
from results.render import MISSING, Columns, head, interval, number, p_value, signed, spread, write_table, written
from results.style import paper_style, save
from results.table6_universality.domains import domains
from results.table6_universality.figure import universality_figure
from results.table6_universality.notes import domain_note, overall_note
from results.table6_universality.overall import TITLE, overall_frame
from results.table6_universality.rows import Judged, judge
from results.terminal import print_text

FOLDER = Path(__file__).parent
ENDS = ("", "_low", "_high")

DOMAIN_COLUMNS: Columns = {
    **head(),
    "score": lambda row: _score(row),
    "Δ [95 % CI]": lambda row: _gain(row),
    "Δ / SE": lambda row: _errors(row),
    "normalised": lambda row: _ranged(row, "normalised", 2),
    "rank": lambda row: f"{_ranged(row, 'rank', 1)} of {row['rules']}",
    "first %": lambda row: number(100 * row["first"], 1),
    "p Holm to shuffled": lambda row: p_value(row["control_p_holm"]),
    "beats shuffled": lambda row: _verdict(row),
}
"""Header -> how a cell of a domain is written."""
OVERALL_COLUMNS: Columns = {
    "variant": lambda row: row["variant"],
    "domains": lambda row: str(row["domains"]) + (f", {row['single']} of 1 seed" if row["single"] else ""),
    "mean rank": lambda row: _ranged(row, "rank", 2),
    "rank of dm there": lambda row: number(row["rank_dm"], 2),
    "rank by task": lambda row: f"{_ranged(row, 'task_rank', 2)} ({row['tasks']})",
    "of dm there": lambda row: number(row["task_rank_dm"], 2),
    "first %": lambda row: number(100 * row["first"], 1),
    "mean Δ / SE": lambda row: _errors(row),
    "normalised, IQM": lambda row: _ranged(row, "iqm", 2),
    "IQM of dm there": lambda row: number(row["iqm_dm"], 2),
    "IQM over": lambda row: MISSING if math.isnan(row["iqm"]) else str(row["iqm_domains"]),
    "beats shuffled in": lambda row: f"{row['beats']} of {row['tested']}" if row["tested"] else MISSING,
}
"""Header -> how a cell over all domains is written."""


def domain_frame(judged: Sequence[Judged]) -> pd.DataFrame:
    """The rows of all domains, with the name of their score and what written scores are multiplied by."""
    return pd.concat(
        [one.frame.assign(score=one.domain.called, scale=one.domain.scale) for one in judged], ignore_index=True
    )


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table over all domains (``overall``), that of each domain and the figure, and print the tables."""
    judged = [judge(domain) for domain in domains(runs)]
    if not judged:
        return []
    paths, overall = [], overall_frame(judged)
    frame, notes = domain_frame(judged), {one.domain.title: domain_note(one) for one in judged}
    for title, note in notes.items():
        print_text(written(where(frame, section=title), DOMAIN_COLUMNS), title, note)
    paths += write_table(folder, frame, notes, "universality-domains", columns=DOMAIN_COLUMNS, score="score")
    if not overall.empty:
        note = overall_note(judged, overall)
        print_text(written(overall, OVERALL_COLUMNS), TITLE, note)
        paths += write_table(folder / "overall", overall, {TITLE: note}, "universality", columns=OVERALL_COLUMNS)
    with paper_style():
        return paths + save(universality_figure(judged), folder / "universality")


def _score(row: dict[str, Any]) -> str:
    return spread(row["scale"] * row["score_mean"], row["scale"] * row["score_std"], _digits(row))


def _gain(row: dict[str, Any]) -> str:
    """A dash for the rule that the others are compared with."""
    if row["variant"] == row["anchor"]:
        return MISSING
    gain, low, high = (row["scale"] * row[f"difference{end}"] for end in ENDS)
    return interval(gain, low, high, _digits(row))


def _digits(row: dict[str, Any]) -> int:
    return 2 if row["scale"] > 1 else 3


def _verdict(row: dict[str, Any]) -> str:
    """With a word where it speaks of one trained model only."""
    return row["beats"] + (", 1 seed" if row["control_seeds"] == 1 else "") if row["beats"] else MISSING


def _ranged(row: dict[str, Any], name: str, digits: int) -> str:
    values = [row[f"{name}{end}"] for end in ENDS]
    if math.isnan(values[0]):
        return MISSING
    value, low, high = (number(one, digits) for one in values)
    return f"{value} [{low}, {high}]"


def _errors(row: dict[str, Any]) -> str:
    return signed(row["in_errors"], 1)


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
