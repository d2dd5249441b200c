"""``python -m results.table9_importance.make``: table 9 as CSV, Markdown and LaTeX, and in the terminal."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from results.command import run_maker
from results.reader import Run, where
from results.render import MISSING, Columns, counted, interval, number, spread, write_table, written
from results.table9_importance.configs import DATASETS, VARIANTS
from results.table9_importance.rows import importance_table
from results.terminal import print_text

FOLDER = Path(__file__).parent
VERDICT = "say it counts"
"""Header of the verdict."""
NOTE = (
    "α: mean over the sites, with the 95 % interval over seeds (Student's t); moved: mean distance from its start; "
    "|gradient|: its mean magnitude where it is first traced and not zero. Contribution and signed projection: means "
    "over the sites, at the weights that were tested. Zero, mean, permutation: points of validation accuracy that the "
    "trained model loses without the stream; only models trained with stream dropout have met that, and have Shapley "
    "values. Retrained: points of test accuracy over the model that was trained without the stream, with the 95 % "
    "paired multi-bootstrap interval over seeds and examples; that model has fewer parameters. For both secondary "
    "streams of dm it has as many: the row phonetic+morphological is dm minus duplicate. Last column: of those of "
    "these five that have an interval (Student's t over seeds but for the last), how many lie above zero. In "
    "brackets: how many of the seeds have a measure, where not all do."
)


def _mean(name: str, scale: float = 1.0, digits: int = 2) -> Callable[[dict[str, Any]], str]:
    def write(row: dict[str, Any]) -> str:
        mean = round(scale * row[f"{name}_mean"], digits) + 0.0  # not −0.00
        text = spread(mean, scale * row[f"{name}_std"], digits)
        return counted(text, row[f"{name}_seeds"], row["seeds"])

    return write


def _alpha(row: dict[str, Any]) -> str:
    mean, low, high = (row[f"alpha_{end}"] for end in ("mean", "low", "high"))
    return number(mean, 3) if math.isnan(low) else interval(mean, low, high, 3)


def _gradient(row: dict[str, Any]) -> str:
    value = row["gradient_mean"]
    return MISSING if math.isnan(value) else f"{value:.1e}".replace("-", "−")


def _verdict(row: dict[str, Any]) -> str:
    shows, known = (str(row[name]).split() if isinstance(row[name], str) else [] for name in ("shows", "known"))
    return f"{len(shows)} of {len(known)}" if known else MISSING


COLUMNS: Columns = {
    "stream": lambda row: str(row["variant"]),
    "seeds": lambda row: str(row["seeds"]),
    "α [95 % CI]": _alpha,
    "moved": lambda row: number(row["moved_mean"], 3),
    "|gradient|": _gradient,
    "contribution": _mean("contribution"),
    "projection": _mean("projection"),
    "zero": _mean("zero", 100),
    "mean": _mean("mean", 100),
    "permutation": _mean("permutation", 100),
    "Shapley": _mean("shapley", 100),
    "retrained [95 % CI]": lambda row: interval(*(100 * row[f"retrained{end}"] for end in ("", "_low", "_high"))),
    VERDICT: _verdict,
}
"""Header -> how a cell is written."""


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files into `folder` and print it; nothing where no run of a rule under study joins streams."""
    frame = importance_table([run for run in runs if run.dataset in DATASETS and run.name in VARIANTS])
    if frame.empty:
        return []
    first, *others = dict.fromkeys(map(str, frame["section"]))
    notes = {first: NOTE, **dict.fromkeys(others, f"Columns as in the table of {first}.")}
    for section in notes:
        print_text(written(where(frame, section=section), COLUMNS), section)
    return write_table(folder, frame, notes, "importance", columns=COLUMNS)


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
