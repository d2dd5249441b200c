"""``python -m results.figure_vision_language.make``: what pictures do in a language model, in figures and numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from results.command import run_maker
from results.figure_alpha_sentiment.sites import alpha_by_site
from results.figure_vision_language.evidence import (
    AGREEMENT,
    CHANGES,
    CONTRIBUTION,
    agreement,
    evidence_by_group,
    evidence_figure,
)
from results.figure_vision_language.evidence import COLUMNS as EVIDENCE
from results.figure_vision_language.losses import loss_figure, validation_losses
from results.figure_vision_language.needs import COLUMNS, accuracy_by_need, need_figure
from results.reader import Run
from results.render import write_csv
from results.style import paper_style, save
from results.table4_vision_language.configs import VARIANTS
from results.vision_language import Section, sections

FOLDER = Path(__file__).parent


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the figures (PDF and PNG) and their numbers (CSV) of every setting into `folder`."""
    return [path for section in sections(runs) for path in _setting(section, folder)]


def _setting(section: Section, folder: Path) -> list[Path]:
    present = {name: section.by_name[name] for name in VARIANTS if name in section.by_name}
    if not present:
        return []
    asked = section.task == "questions"
    needs = accuracy_by_need(section, VARIANTS) if asked else pd.DataFrame(columns=pd.Index(COLUMNS))
    written = section.task != "retrieval"
    evidence = evidence_by_group(section, VARIANTS) if written else pd.DataFrame(columns=pd.Index(EVIDENCE))
    agreed = agreement(section, VARIANTS) if written else pd.DataFrame(columns=pd.Index(AGREEMENT))
    lost = "accuracy_lost" if asked else "gain"
    losses = validation_losses(present)
    unit = "contrastive, nats" if section.task == "retrieval" else "nats per token"
    paths: list[Path] = []
    with paper_style():
        figures: dict[str, Figure | None] = {
            "alpha_by_site": alpha_by_site([run for group in present.values() for run in group]),
            "accuracy_by_need": need_figure(needs),
            "evidence": evidence_figure(evidence, [CONTRIBUTION, *(f"{lost}_{name}" for name in CHANGES)]),
            "validation_loss": loss_figure(losses, unit),
        }
        for name, figure in figures.items():
            paths += save(figure, folder / f"{section.stem}-{name}") if figure is not None else []
    frames = {"accuracy_by_need": needs, "evidence": evidence, "agreement": agreed, "validation_loss": losses}
    return paths + [
        write_csv(folder / f"{section.stem}-{name}.csv", frame) for name, frame in frames.items() if not frame.empty
    ]


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
