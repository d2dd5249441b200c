"""``python -m results.make``: every table and figure from the records."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from results import (
    figure_alpha_sentiment,
    figure_efficiency,
    figure_gpt,
    figure_mlm,
    figure_vision_language,
    table1_ablation,
    table1_sentiment,
    table2_mlm,
    table3_gpt,
    table4_vision_language,
    table5_alpha_validity,
    table6_universality,
    table7_transfer,
    table8_robustness,
    table9_importance,
    table_training,
)
from results.command import run_maker
from results.divided import own_runs
from results.figure_alpha_sentiment.make import make as make_alpha
from results.figure_efficiency.make import make as make_efficiency
from results.figure_gpt.make import make as make_gpt_figures
from results.figure_mlm.make import make as make_mlm_figures
from results.figure_vision_language.make import make as make_vision_figures
from results.made_from import write_note
from results.reader import Run
from results.table1_ablation.make import make as make_ablation
from results.table1_sentiment.make import make as make_sentiment
from results.table2_mlm.make import make as make_mlm
from results.table3_gpt.make import make as make_gpt
from results.table4_vision_language.make import make as make_vision
from results.table5_alpha_validity.make import make as make_validity
from results.table6_universality.make import make as make_universality
from results.table7_transfer.make import make as make_transfer
from results.table8_robustness.make import make as make_robustness
from results.table9_importance.make import make as make_importance
from results.table_training.make import make as make_training

FOLDER = Path(__file__).parent
EVERY = ""
"""In place of a step: the runs of all steps."""
MAKERS = {
    "step1_sentiment": {
        table1_sentiment: make_sentiment, table1_ablation: make_ablation, figure_alpha_sentiment: make_alpha,
        table8_robustness: make_robustness, table9_importance: make_importance,
    },
    "step2_mlm": {table2_mlm: make_mlm, figure_mlm: make_mlm_figures},
    "step3_gpt": {table3_gpt: make_gpt, figure_gpt: make_gpt_figures},
    "step4_vision_language": {table4_vision_language: make_vision, figure_vision_language: make_vision_figures},
    "alpha_validity": {table5_alpha_validity: make_validity},
    EVERY: {
        table6_universality: make_universality, table7_transfer: make_transfer, figure_efficiency: make_efficiency,
        table_training: make_training,
    },
}  # fmt: skip
"""Step -> folder of a table or figure -> its maker."""
DIVIDED = (figure_efficiency,)
"""Those that also show runs on a share of the training data; no other may."""


def make(runs: Sequence[Run], folder: Path = FOLDER, names: Collection[str] = ()) -> list[Path]:
    """Remake tables and figures of the steps that have runs, each in the folder of its name below `folder`.

    Args:
        runs: finished runs of any steps.
        folder: holds the folders of the tables and figures.
        names: of those to make; empty: all.
    """
    paths: list[Path] = []
    for step, makers in MAKERS.items():
        for package, maker in makers.items():
            name, own = package.__name__.split(".")[-1], own_runs(runs, step, package in DIVIDED)
            if own and (not names or name in names):
                written = maker(own, folder / name)
                write_note(name, own, folder / name, written)
                paths += written
    return paths


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
