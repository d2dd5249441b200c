"""``python -m results.table_training.make``: how the runs were trained, as CSV, Markdown and LaTeX, and in print."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from results.command import run_maker
from results.grouping import grouped, setting_key
from results.reader import Run, recorded
from results.render import MISSING, Columns, write_table, written
from results.table_training.configs import SETTINGS
from results.tables import section_titles
from results.terminal import print_text

FOLDER = Path(__file__).parent
SECTION = "training"
NOTE = (
    "A row per setting of a step. Where its runs differ, all values are given, the most frequent first; runs on a "
    "share of the training data are left out. Learning rates (lr) are the highest ones of a schedule; that of the "
    "mixing weights is a multiple of the streams'. Number format auto: the faster of bf16 and fp32, of which the "
    "record does not say which it was. Stream encoders: layers x channels. Edited: runs whose code differed from the "
    "commit that their record names."
)


def columns() -> Columns:
    """Header -> how a cell is written."""
    keys = {"setting": "variant", "runs": "seeds", **{name: name for name in SETTINGS}, "edited": "edited"}
    return {header: lambda row, key=key: str(row[key]) for header, key in keys.items()}


def training_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns section, variant (step and setting), seeds (how many runs), :data:`SETTINGS` as text, edited, records."""
    rows: list[dict[str, Any]] = []
    for step, own in sorted(grouped(runs, lambda run: run.config["step"]).items()):
        # Runs on generated vectors have one setting, and no data in their config.
        titles = section_titles([run for run in own if "data" in run.settings])
        groups: dict[str, list[Run]] = {}
        for run in own:
            title = titles[setting_key(run)] if "data" in run.settings else "planted vectors"
            groups.setdefault(title, []).append(run)
        for title, group in sorted(groups.items()):
            row = {"section": SECTION, "variant": f"{step}: {title}", "seeds": len(group)}
            row |= {name: _values([value(run) for run in group]) for name, value in SETTINGS.items()}
            row["edited"] = sum(bool(run.environment.get("git_dirty")) for run in group)
            rows.append(row | {"records": recorded(group)})
    return pd.DataFrame(rows)


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files into `folder` and print it."""
    frame = training_frame(runs)
    if frame.empty:
        return []
    print_text(written(frame, columns()), SECTION, NOTE)
    return write_table(folder, frame, {SECTION: NOTE}, "training", columns=columns())


def _values(values: Sequence[Any]) -> str:
    """All values that there are, the most frequent first."""
    known = [f"{value:g}" if isinstance(value, float) else str(value) for value in values if value is not None]
    return ", ".join(sorted(dict.fromkeys(known), key=lambda one: -known.count(one))) or MISSING


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
