"""``python -m results.figure_mlm.make``: what the streams do in masked language modelling, in figures and numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from results.command import run_maker
from results.figure_mlm.configs import EXPLAINED, SHOWN
from results.language_figures import language_figures
from results.reader import Run
from results.table2_mlm.configs import STEP, VARIANTS

FOLDER = Path(__file__).parent


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the figures (PDF and PNG) and their numbers (CSV) into `folder`."""
    runs = [run for run in runs if run.config["step"] == STEP]
    return language_figures(runs, folder, VARIANTS, SHOWN, EXPLAINED)


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
