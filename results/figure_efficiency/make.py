"""``python -m results.figure_efficiency.make``: score against data, and gain against parameters, with both tables."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from results.best import NOTE
from results.command import run_maker
from results.differences import detectable, tests_note
from results.figure_efficiency.by_parameters import parameter_frame
from results.figure_efficiency.by_share import precision_notes, share_frame
from results.figure_efficiency.figure import drawn_points, efficiency_figure
from results.reader import Run
from results.render import INTERVAL, MISSING, Columns, head, interval, number, signed, spread, tests, write_table
from results.style import paper_style, save

FOLDER = Path(__file__).parent

SHARE_COLUMNS: Columns = {
    **head(),
    "share %": lambda row: f"{100 * row['fraction']:g}",
    "examples": lambda row: number(row["examples"], 0),
    "accuracy %": lambda row: spread(100 * row["accuracy_mean"], 100 * row["accuracy_std"]),
    "95 % over seeds": lambda row: _range(100 * row["accuracy_low"], 100 * row["accuracy_high"]),
    INTERVAL: lambda row: interval(100 * row["difference"], 100 * row["difference_low"], 100 * row["difference_high"]),
    **tests(),
}
"""Header of the table of shares -> how a cell is written."""
PARAMETER_COLUMNS: Columns = {
    **head(),
    "added M": lambda row: number(row["parameters_added"] / 1e6, 3),
    "ratio": lambda row: number(row["parameters_ratio"], 3),
    "Δ [95 % CI]": lambda row: _gain(row),
    "Δ / SE": lambda row: signed(row["in_errors"], 1),
}
"""Header of the table of parameters -> how a cell is written."""
SHARE_NOTE = (
    "Runs on all shares have the same number of updates. ± is the standard deviation over seeds, the interval beside "
    "it Student's over seeds. Δ: to the reference alone on the same share. "
    f"{tests_note('examples', 'all shares')} Among the rows of a share: {NOTE[0].lower()}{NOTE[1:]} "
    "One choice of examples per share: no interval holds what another choice would change."
)


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the figure (PDF and PNG) and the tables behind its halves into `folder`.

    Args:
        runs: finished runs of any steps, those on a share of the training data among them.
        folder: gets the figure; its folders ``shares`` and ``parameters`` get the tables.
    """
    runs = sorted(runs, key=lambda run: (run.name, run.seed, str(run.folder)))
    shares = share_frame(runs)
    parameters = parameter_frame([run for run in runs if run.train_fraction == 1])
    paths: list[Path] = []
    if not shares.empty:
        formats = precision_notes(runs)
        notes = {
            str(title): f"{SHARE_NOTE}{formats.get(str(title), '')} "
            + detectable(part, ("difference",), "points", factor=100, most=100)
            for title, part in shares.groupby("section", sort=False)
        }
        paths += write_table(folder / "shares", shares, notes, "efficiency-shares", columns=SHARE_COLUMNS)
    if not parameters.empty:
        notes = {str(title): _parameter_note(part) for title, part in parameters.groupby("section", sort=False)}
        paths += write_table(
            folder / "parameters", parameters, notes, "efficiency-parameters", columns=PARAMETER_COLUMNS
        )
    with paper_style():
        figure = efficiency_figure(shares, parameters)
        return paths + (save(figure, folder / "efficiency") if figure is not None else [])


def _parameter_note(part: pd.DataFrame) -> str:
    note = (
        f"Δ: {part['score'].iloc[0]} minus that of the reference alone, as in the tables of universality. "
        "added M: millions of parameters."
    )
    absent = [str(name) for name in part["variant"] if name not in set(drawn_points(part)["variant"])]
    return note + (f" Not in the figure, for one seed or no added parameter: {', '.join(absent)}." if absent else "")


def _gain(row: dict[str, Any]) -> str:
    ends = (row["scale"] * row[f"difference{end}"] for end in ("", "_low", "_high"))
    return interval(*ends, digits=2 if row["scale"] > 1 else 3)


def _range(low: float, high: float) -> str:
    return MISSING if math.isnan(low) else f"{low:.2f} to {high:.2f}"


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
