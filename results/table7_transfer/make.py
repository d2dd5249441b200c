"""``python -m results.table7_transfer.make``: table 7 as CSV, Markdown and LaTeX, and in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from results.command import run_maker
from results.reader import Run, where
from results.render import Columns, head, interval, p_value, spread, write_table, written
from results.table7_transfer.configs import COMPARED
from results.table7_transfer.directions import directions
from results.table7_transfer.rows import frame_of, note_of
from results.terminal import print_text

FOLDER = Path(__file__).parent


def columns() -> Columns:
    """Header -> how a cell is written."""
    made = {**head(), "score": score_cell}
    for one in COMPARED:
        made |= {
            f"Δ to {one.other} [95 % CI]": _interval(one.column),
            f"p Holm to {one.other}": _p(one.column),
        }
    return made


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files into `folder` and print it; nothing where no run has frozen weights."""
    found = directions(runs)
    if not found:
        return []
    frames = [frame_of(one) for one in found]
    frame = pd.concat(frames, ignore_index=True)
    notes = {one.title: note_of(one, part) for one, part in zip(found, frames, strict=True)}
    for title, note in notes.items():
        print_text(written(where(frame, section=title), columns()), title, note)
    return write_table(folder, frame, notes, "transfer", columns=columns(), score="score")


def score_cell(row: dict[str, Any]) -> str:
    """The score of a row, on its own scale."""
    scale = row["score_scale"]
    return spread(scale * row["score_mean"], scale * row["score_std"], int(row["score_digits"]))


def _interval(column: str) -> Callable[[dict[str, Any]], str]:
    def write(row: dict[str, Any]) -> str:
        gap, low, high = (row["scale"] * row[f"{column}{end}"] for end in ("", "_low", "_high"))
        return interval(gap, low, high, int(row["digits"]))

    return write


def _p(column: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: p_value(row[f"{column}_p_holm"])


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
