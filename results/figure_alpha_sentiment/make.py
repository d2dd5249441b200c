"""``python -m results.figure_alpha_sentiment.make``: what the integration uses, in figures and numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from results.command import run_maker
from results.figure_alpha_sentiment import ladder
from results.figure_alpha_sentiment.agreement import agreement_frame, importance_frame, validity_frame
from results.figure_alpha_sentiment.configs import DATASETS, RARE_AT, SITES_SHOWN, VARIANTS
from results.figure_alpha_sentiment.left_out import accuracy_left_out
from results.figure_alpha_sentiment.planted_texts import COLUMNS, NOTE, planted_frame
from results.figure_alpha_sentiment.sites import alpha_by_site
from results.figure_alpha_sentiment.training import alpha_over_training
from results.figure_alpha_sentiment.words import contribution_by_word_class
from results.grouping import by_variant, grouped, setting_key
from results.reader import Run
from results.render import file_stem, write_csv, write_table
from results.style import paper_style, save
from results.table1_sentiment.configs import LADDER
from results.tables import section_titles

FOLDER = Path(__file__).parent


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the figures (PDF and PNG) and their numbers (CSV) of every setting into `folder`."""
    runs = [run for run in runs if run.dataset in DATASETS]
    titles = section_titles(runs)
    written: list[Path] = []
    for key, group in grouped(runs, setting_key).items():
        if titles[key].split(", ")[0] in LADDER:  # one figure has all of them
            continue
        by_name = by_variant(group)
        shown = [run for name in VARIANTS if name in by_name for run in by_name[name]]
        absent = [name for name in VARIANTS if name not in by_name]
        if absent:
            print(f"{titles[key]}: no finished run of {', '.join(absent)}", file=sys.stderr)
        if shown:
            written += _setting(shown, folder, file_stem(titles[key]))
    planted = planted_frame(runs, VARIANTS)
    if not planted.empty:
        notes = dict.fromkeys(map(str, planted["section"]), NOTE)
        written += write_table(folder / "planted", planted, notes, "planted-texts", columns=COLUMNS)
    return written + _ladder(runs, folder)


def _ladder(runs: Sequence[Run], folder: Path) -> list[Path]:
    points = ladder.followed(runs, VARIANTS)
    if points.empty:
        return []
    frame, notes = ladder.slopes(points), {ladder.TITLE: ladder.NOTE}
    with paper_style():
        figure = ladder.ladder_figure(points, VARIANTS)
        written = save(figure, folder / "ladder") if figure is not None else []
    written.append(write_csv(folder / "ladder" / "points.csv", points))
    return written + write_table(folder / "ladder", frame, notes, "planted-ladder", columns=ladder.COLUMNS)


def _setting(runs: Sequence[Run], folder: Path, stem: str) -> list[Path]:
    written: list[Path] = []
    with paper_style():
        figures: dict[str, Figure | None] = {
            "alpha_by_site": alpha_by_site(runs),
            "word_classes": contribution_by_word_class(runs, RARE_AT),
            "left_out": accuracy_left_out(runs),
        }
        for name, group in grouped(runs, lambda run: run.name).items():
            figures[f"training_{name}"] = alpha_over_training(group, SITES_SHOWN)
        for name, figure in figures.items():
            written += save(figure, folder / f"{stem}-{name}") if figure is not None else []
    frames: dict[str, pd.DataFrame] = {
        "importance": importance_frame(runs), "agreement": agreement_frame(runs), "validity": validity_frame(runs),
    }  # fmt: skip
    return written + [
        write_csv(folder / f"{stem}-{name}.csv", frame) for name, frame in frames.items() if not frame.empty
    ]


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
