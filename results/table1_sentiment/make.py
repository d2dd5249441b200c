"""``python -m results.table1_sentiment.make``: table 1 as CSV, Markdown and LaTeX, and in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from results.command import run_maker
from results.costs import read_step_times
from results.reader import Run
from results.render import write_table
from results.table1_sentiment.configs import LATE_ENSEMBLE, ROWS
from results.tables import build_frame, captions
from results.terminal import print_table

FOLDER = Path(__file__).parent


def build_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Rows of whatever variants `runs` hold, the baseline first; columns as in :class:`results.tables.Row`."""
    return build_frame(runs)


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files into `folder` and print it."""
    times = read_step_times("step1_sentiment")
    frame = build_frame(runs, ROWS, LATE_ENSEMBLE, times)
    notes = captions(runs, frame, times)
    absent = [dataset for dataset in ROWS if dataset not in {run.dataset for run in runs}]
    note = f"No finished run yet on: {', '.join(absent)}." if absent else ""
    print_table(frame, notes)
    return write_table(folder, frame, notes, "sentiment", note)


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
