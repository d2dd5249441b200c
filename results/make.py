"""``python -m results.make``: every table and figure from the records."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from results import figure_alpha_sentiment, table1_ablation, table1_sentiment
from results.command import run_maker
from results.figure_alpha_sentiment.make import make as make_alpha
from results.reader import Run
from results.table1_ablation.make import make as make_ablation
from results.table1_sentiment.make import make as make_sentiment

FOLDER = Path(__file__).parent
STEP1 = {table1_sentiment: make_sentiment, table1_ablation: make_ablation, figure_alpha_sentiment: make_alpha}
"""Folder -> its maker, for the records of step 1."""


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Remake everything, each in the folder of its name below `folder`."""
    step1 = [run for run in runs if run.config["step"] == "step1_sentiment"]
    return [path for package, maker in STEP1.items() for path in maker(step1, folder / package.__name__.split(".")[-1])]


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
