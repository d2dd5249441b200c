"""``python -m results.table2_mlm.make``: table 2 as CSV, Markdown and LaTeX, and in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from results.command import run_maker
from results.reader import Run, where
from results.render import Columns, costs, head, interval, spread, tests, write_table, written
from results.table2_mlm.configs import METRICS, STEP, VARIANTS
from results.terminal import print_text
from results.tokens import captions, token_table

FOLDER = Path(__file__).parent

COLUMNS: Columns = {
    **head(),
    "perplexity": lambda row: spread(row["perplexity_mean"], row["perplexity_std"]),
    "accuracy %": lambda row: spread(100 * row["accuracy_mean"], 100 * row["accuracy_std"]),
    "Δ nats [95 % CI]": lambda row: interval(row["difference"], row["difference_low"], row["difference_high"], 3),
    **tests(),
    **costs(),
}  # fmt: skip


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files into `folder` and print it."""
    runs = [run for run in runs if run.config["step"] == STEP]
    frame = token_table(runs, VARIANTS, METRICS)
    notes = captions(runs, frame)
    for section, note in notes.items():
        print_text(written(where(frame, section=section), COLUMNS), section, note)
    absent = [name for name in VARIANTS if name not in set(frame["variant"])]
    return write_table(
        folder, frame, notes, "mlm", f"No finished run yet of: {', '.join(absent)}." if absent else "", COLUMNS
    )


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
