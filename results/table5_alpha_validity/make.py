"""``python -m results.table5_alpha_validity.make``: table 5 as CSV, Markdown and LaTeX, and the calibration figure."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from common.files import write_text
from results.command import run_maker
from results.reader import Run, variant_key
from results.render import Columns, head, spread, write_table, written
from results.style import paper_style, save
from results.table5_alpha_validity.configs import DRAWN, EQUAL, MEASURES, SCOPES, STEP, VARIANTS
from results.table5_alpha_validity.figure import calibration, calibration_figure
from results.table5_alpha_validity.rows import STATISTICS, validity_frame
from results.terminal import print_text

FOLDER = Path(__file__).parent
PRINTED = ("spearman", "calibration_error")
"""Statistics that have a table in print; the CSV has all."""


def columns_of() -> Columns:
    """Header -> how a cell is written."""
    return {
        **head(),
        "accuracy %": lambda row: spread(100 * row["accuracy_mean"], 100 * row["accuracy_std"], 1),
        **{title: _cell(name) for name, title in MEASURES.items()},
    }


def long_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """A section per statistic and scope: section, variant, seeds, accuracy, and ``<measure>_mean`` and ``_std``."""
    wide = validity_frame(runs, VARIANTS)
    parts = []
    for statistic in PRINTED:
        for scope, title in SCOPES.items():
            part = wide.loc[wide["scope"] == scope] if not wide.empty else wide
            renamed = {f"{m}_{statistic}_{end}": f"{m}_{end}" for m in MEASURES for end in ("mean", "std")}
            kept = [
                "variant",
                "seeds",
                "records",
                "accuracy_mean",
                "accuracy_std",
                *(name for name in renamed if name in part),
            ]
            if not part.empty:
                parts.append(
                    part.loc[:, kept].rename(columns=renamed).assign(section=f"{STATISTICS[statistic]}, {title}")
                )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=pd.Index(["section", "variant"]))


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files and the figure into `folder` and print the table."""
    runs = [run for run in runs if run.config["step"] == STEP]
    frame = long_frame(runs)
    if frame.empty:
        return []
    show(runs)
    sections = list(dict.fromkeys(frame["section"]))
    note = _note(runs)
    absent = [name for name in VARIANTS if name not in set(frame["variant"])]
    missing = f"No finished run yet of: {', '.join(absent)}." if absent else ""
    paths = write_table(folder, frame, dict.fromkeys(sections, note), "alpha-validity", missing, columns_of())
    values = calibration(runs, DRAWN)
    with paper_style():
        figure = calibration_figure(values, DRAWN)
        paths += save(figure, folder / "calibration") if figure is not None else []
    text = values.to_csv(index=False, lineterminator="\n", float_format="%.6g")
    return [*paths, write_text(folder / "calibration.csv", text)]


def show(runs: Sequence[Run]) -> None:
    """Print the table."""
    frame = long_frame(runs)
    for section, part in frame.groupby("section", sort=False):
        print_text(written(part, columns_of()), str(section))


def _cell(name: str) -> Any:
    return lambda row: spread(row.get(f"{name}_mean", float("nan")), row.get(f"{name}_std", float("nan")))


def _note(runs: Sequence[Run]) -> str:
    settings = runs[0].final["settings"]
    return (
        f"{settings} settings of two to five streams; planted shares are Shapley values of the readable label "
        "information, measured shares are brought to a sum of 1 in each setting. ± is the standard deviation over "
        "seeds, of which each draws data, weights and order anew. Rank correlation: Spearman's, over all streams of "
        "all settings; 1 is perfect. Calibration error: mean absolute gap between planted and measured share; 0 is "
        f"perfect, and the row '{EQUAL}' is what is had without measuring. Configurations tried, seeds apart: "
        f"{len({variant_key(run) for run in runs})}."
    )


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
