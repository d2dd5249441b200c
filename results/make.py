"""``python -m results.make``: every table and figure from the records."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from results import (
    figure_alpha_sentiment,
    figure_gpt,
    figure_mlm,
    figure_vision_language,
    table1_ablation,
    table1_sentiment,
    table2_mlm,
    table3_gpt,
    table4_vision_language,
)
from results.command import run_maker
from results.figure_alpha_sentiment.make import make as make_alpha
from results.figure_gpt.make import make as make_gpt_figures
from results.figure_mlm.make import make as make_mlm_figures
from results.figure_vision_language.make import make as make_vision_figures
from results.reader import Run
from results.table1_ablation.make import make as make_ablation
from results.table1_sentiment.make import make as make_sentiment
from results.table2_mlm.make import make as make_mlm
from results.table3_gpt.make import make as make_gpt
from results.table4_vision_language.make import make as make_vision

FOLDER = Path(__file__).parent
MAKERS = {
    "step1_sentiment": {
        table1_sentiment: make_sentiment, table1_ablation: make_ablation, figure_alpha_sentiment: make_alpha
    },
    "step2_mlm": {table2_mlm: make_mlm, figure_mlm: make_mlm_figures},
    "step3_gpt": {table3_gpt: make_gpt, figure_gpt: make_gpt_figures},
    "step4_vision_language": {table4_vision_language: make_vision, figure_vision_language: make_vision_figures},
}  # fmt: skip
"""Step -> folder of a table or figure -> its maker."""


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Remake everything of the steps that have runs, each in the folder of its name below `folder`."""
    paths: list[Path] = []
    for step, makers in MAKERS.items():
        own = [run for run in runs if run.config["step"] == step]
        for package, maker in makers.items() if own else ():
            paths += maker(own, folder / package.__name__.split(".")[-1])
    return paths


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
