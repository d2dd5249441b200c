"""``python -m results.table8_robustness.make``: table 8 as CSV, Markdown and LaTeX, its figures, and in print."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from results.best import NOTE
from results.command import run_maker
from results.differences import detectable, tests_note
from results.reader import Run, where
from results.render import Columns, file_stem, head, interval, number, percent, tests, write_table, written
from results.style import paper_style, save
from results.table8_robustness.configs import DATASETS, VARIANTS
from results.table8_robustness.figure import robustness_figure
from results.table8_robustness.rows import robustness_frame
from results.terminal import print_text

FOLDER = Path(__file__).parent
WITHOUT = "without_"


def columns_of(frame: pd.DataFrame) -> Columns:
    """Header -> how a cell is written; streams left out only where `frame` has them."""
    gone = [str(name).removeprefix(WITHOUT).removesuffix("_mean") for name in frame if _is_without(str(name))]
    return {
        **head(),
        "clean %": lambda row: percent(row, "clean"),
        "accuracy %": lambda row: percent(row, "accuracy"),
        "loss": lambda row: percent(row, "loss"),
        "Δ points [95 % CI]": lambda row: _interval(row, "difference"),
        **tests(),
        "spared [95 % CI]": lambda row: _interval(row, "spared"),
        **{f"without {name}": lambda row, name=name: percent(row, f"{WITHOUT}{name}") for name in gone},
    }


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files into `folder`, a figure per setting, and print the table."""
    frame = robustness_frame([run for run in runs if run.dataset in DATASETS])
    notes = {str(section): _caption(part, frame) for section, part in frame.groupby("section", sort=False)}
    columns = columns_of(frame)
    for section, note in notes.items():
        print_text(written(where(frame, section=section), columns), section, note)
    found = set(frame.loc[frame["seeds"] > 0, "variant"]) if notes else set()
    absent = [name for name in VARIANTS if name not in found]
    note = f"No run was evaluated on perturbed texts yet of: {', '.join(absent)}." if absent else ""
    paths = write_table(folder, frame, notes, "robustness", note, columns)
    with paper_style():
        for setting, part in frame.groupby("setting", sort=False) if notes else ():
            paths += save(robustness_figure(part), folder / f"{file_stem(str(setting))}-rates")
    return paths


def _caption(part: pd.DataFrame, frame: pd.DataFrame) -> str:
    """What a reader must know beside the numbers of one section."""
    known = part.loc[part["seeds"] > 0]
    first = known.iloc[0]
    family = where(frame, setting=first["setting"], kind=first["kind"])
    seeds = " to ".join(dict.fromkeys(str(count) for count in (known["seeds"].min(), known["seeds"].max())))
    trained = known.loc[known["stream_dropout"] > 0, "variant"]
    return " ".join([
        f"{number(first['changed'], 0)} of {number(first['words'], 0)} words are changed"
        f" ({number(first['eligible'], 0)} are eligible; draws: {int(first['draws'])});"
        f" {int(first['examples']):,} test examples, the same texts for all rows. Seeds per row: {seeds}.",
        "± is the standard deviation over seeds. Loss: clean accuracy minus accuracy. Δ: accuracy minus that of",
        "meaning on the same texts. Spared: loss of meaning minus loss of the row.",
        tests_note("examples", "all rates of this kind"),
        NOTE,
        detectable(family, ("difference",), "points", factor=100, most=100),
        "Without a stream: accuracy with its term set to zero minus accuracy;"
        f" trained to miss streams: {', '.join(trained) or 'none'}.",
    ])  # fmt: skip


def _is_without(name: str) -> bool:
    return name.startswith(WITHOUT) and name.endswith("_mean")


def _interval(row: dict[str, Any], name: str) -> str:
    return interval(*(100 * row[f"{name}{end}"] for end in ("", "_low", "_high")))


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
