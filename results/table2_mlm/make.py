"""``python -m results.table2_mlm.make``: table 2 as CSV, Markdown and LaTeX, and in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from results.command import run_maker
from results.language_tables import language_columns, language_table
from results.reader import Run
from results.render import Columns, spread
from results.table2_mlm.configs import METRICS, STEP, VARIANTS

FOLDER = Path(__file__).parent
SCORE = "perplexity"
"""Header of the score by which rows are marked."""

COLUMNS: Columns = language_columns({
    SCORE: lambda row: spread(row["perplexity_mean"], row["perplexity_std"]),
    "accuracy %": lambda row: spread(100 * row["accuracy_mean"], 100 * row["accuracy_std"]),
})  # fmt: skip


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files into `folder` and print it."""
    runs = [run for run in runs if run.config["step"] == STEP]
    return language_table(runs, folder, VARIANTS, METRICS, COLUMNS, "mlm", SCORE)


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
