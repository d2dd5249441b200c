"""``python -m results.table3_gpt.make``: table 3 as CSV, Markdown and LaTeX, and in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from results.command import run_maker
from results.language_tables import language_columns, language_table
from results.reader import Run
from results.render import Columns, spread
from results.table3_gpt.configs import ELSEWHERE, METRICS, STEP, VARIANTS

FOLDER = Path(__file__).parent
SCORE = "word perplexity"
"""Header of the score by which rows are marked."""
OTHER = {"other_bits": f"{ELSEWHERE}_bits_per_byte", "other_word_perplexity": f"{ELSEWHERE}_word_perplexity"}

COLUMNS: Columns = language_columns({
    "bits/byte": lambda row: spread(row["bits_mean"], row["bits_std"], 3),
    SCORE: lambda row: spread(row["word_perplexity_mean"], row["word_perplexity_std"], 0),
    "token perplexity": lambda row: spread(row["token_perplexity_mean"], row["token_perplexity_std"], 1),
    f"{ELSEWHERE} bits/byte": lambda row: spread(row["other_bits_mean"], row["other_bits_std"], 3),
    f"{ELSEWHERE} word perplexity": lambda row: spread(
        row["other_word_perplexity_mean"], row["other_word_perplexity_std"], 0
    ),
})  # fmt: skip


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files into `folder` and print it."""
    runs = [run for run in runs if run.config["step"] == STEP]
    return language_table(runs, folder, VARIANTS, {**METRICS, **OTHER}, COLUMNS, "gpt", SCORE)


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
