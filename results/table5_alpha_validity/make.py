"""``python -m results.table5_alpha_validity.make``: table 5 as CSV, Markdown and LaTeX, and the calibration figure."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from results.best import SEED_NOTE
from results.command import run_maker
from results.grouping import most_frequent_setting, tried
from results.kinds import SIGNIFICANT
from results.reader import Run
from results.render import Columns, counted, head, interval, spread, write_csv, write_table, written
from results.style import paper_style, save
from results.table5_alpha_validity.conditions import condition_frame
from results.table5_alpha_validity.configs import CONDITIONS, DRAWN, EQUAL, MEASURES, PLAIN, SCOPES, STEP, VARIANTS
from results.table5_alpha_validity.figure import calibration, calibration_figure
from results.table5_alpha_validity.rows import STATISTICS, recovered, validity_frame
from results.table5_alpha_validity.tenths import LEAST, curves_figure, followed, in_tenths, slope_frame
from results.terminal import print_text

FOLDER = Path(__file__).parent
SHOWN_MARKS = {title: f"{name}_mark" for name, title in MEASURES.items()}
"""Header -> column of its marks."""
CONDITION_NOTE = (
    "Rank correlation over all settings with the condition minus that of the same rules as they are (scaled to the "
    "reference, free α, learning rate of α × 5): mean over rules on each seed, then over seeds, with a 95 % interval "
    "over seeds (Student's t). Softmax and sigmoid cannot begin at α = 1 and 0, only near them, where they are flat: "
    "their difference is that of the constraint and of this start. Rules and seeds are those of |α|; in "
    "brackets, those of a measure that fewer have. "
    "Star: p below 0.05 after Holm's correction over the conditions."
)
MEASURED = (
    "Planted shares are Shapley values of the readable label information, so that measured Shapley values are of "
    "their kind. Measured values below zero count as 0 and are brought to a sum of 1 in each setting; |α|, "
    "contribution and signed projection are means over the sites, effective α is summed, leave-one-out sets a "
    "stream to zero. ± is the standard deviation over seeds, of which each draws data, weights and order anew."
)
TENTHS_NOTE = (
    f"{MEASURED} One share goes from 0 to 100 % in steps of 10: that of stream b, where the other streams share the "
    "rest (two to five streams), or one that b and c have together, where a has the rest (three streams; truth and "
    "measure are then the mean of b and c). Slope: of the least-squares line of measured on planted shares, 1 where a "
    "measure is calibrated, 0 where it does not see the share. Calibration error: the mean gap. Both are means over "
    f"curves, of the points where a measure is above 0 for some stream; a curve of fewer than {LEAST} has none."
)


def columns_of() -> Columns:
    """Header -> how a cell is written."""
    return {
        **head(),
        "accuracy %": lambda row: spread(100 * row["accuracy_mean"], 100 * row["accuracy_std"], 1),
        **{title: _cell(name) for name, title in MEASURES.items()},
    }


def condition_columns() -> Columns:
    """Header of the table of conditions -> how a cell is written."""
    return {
        "condition": lambda row: CONDITIONS[row["variant"]],
        "rules": lambda row: str(row["rules"]),
        "seeds": lambda row: str(row["seeds"]),
        **{title: _change(name) for name, title in MEASURES.items()},
    }


def long_frame(values: pd.DataFrame) -> pd.DataFrame:
    """A section per statistic and scope with the columns of :func:`validity_frame`; all settings show every variant.

    Args:
        values: of :func:`recovered`.
    """
    parts = []
    for statistic, called in STATISTICS.items():
        for scope, title in SCOPES.items():
            part = validity_frame(values, statistic, scope, VARIANTS if scope == "all" else PLAIN)
            if not part.empty:
                parts.append(part.assign(section=f"{called}, {title}"))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=pd.Index(["section", "variant"]))


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the tables and the figure into `folder` and print the table; that of conditions into its own folder."""
    runs = [run for run in runs if run.config["step"] == STEP]
    steps, runs = [run for run in runs if in_tenths(run)], [run for run in runs if not in_tenths(run)]
    paths = make_tenths(steps, folder)
    runs, others = (found := most_frequent_setting(runs)), len(runs) - len(found)
    values = recovered(runs, VARIANTS)
    frame = long_frame(values)
    if frame.empty:
        return paths
    _print(frame)
    left = f" Left out: {others} runs on other planted settings than most." if others else ""
    note = f"{_note(runs)}{left}"
    absent = [name for name in VARIANTS if name not in set(frame["variant"])]
    missing = f"No finished run yet of: {', '.join(absent)}." if absent else ""
    notes = {
        str(section): f"{sizes.settings} settings with {sizes.streams} streams together. {note} {SEED_NOTE}"
        for section, sizes in frame.groupby("section", sort=False)[["settings", "streams"]].first().iterrows()
    }
    paths += write_table(folder, frame, notes, "alpha-validity", missing, columns_of(), score=SHOWN_MARKS)
    changes = condition_frame(values)
    if not changes.empty:
        told = {str(section): CONDITION_NOTE for section in changes["section"]}
        paths += write_table(folder / "conditions", changes, told, "alpha-conditions", columns=condition_columns())
    drawn = calibration(runs, DRAWN)
    with paper_style():
        figure = calibration_figure(drawn, DRAWN)
        paths += save(figure, folder / "calibration") if figure is not None else []
    return [*paths, write_csv(folder / "calibration.csv", drawn)]


def make_tenths(runs: Sequence[Run], folder: Path) -> list[Path]:
    """Write how measures follow a share in steps of 10 %: ``tenths/table.*`` and the figure ``curves``."""
    values = followed(runs)
    frame = slope_frame(values)
    if frame.empty:
        return []
    _print(frame)
    note = f"{TENTHS_NOTE} Configurations trained, seeds apart: {tried(runs)}."
    notes = {str(section): note for section in frame["section"].unique()}
    paths = write_table(folder / "tenths", frame, notes, "alpha-tenths", columns=columns_of())
    with paper_style():
        figure = curves_figure(values)
        paths += save(figure, folder / "curves") if figure is not None else []
    keys = ["variant", "kind", "count", "measure", "truth"]
    means = values.groupby(keys, sort=False, as_index=False)["share"].mean()
    return [*paths, write_csv(folder / "curves.csv", pd.DataFrame(means))]


def show(runs: Sequence[Run]) -> None:
    """Print the table."""
    steps, rest = [run for run in runs if in_tenths(run)], [run for run in runs if not in_tenths(run)]
    for frame in (
        slope_frame(followed(steps)),
        long_frame(recovered(rest, list(dict.fromkeys(run.name for run in rest)))),
    ):
        _print(frame)


def _print(frame: pd.DataFrame) -> None:
    for section, part in frame.groupby("section", sort=False):
        print_text(written(part, columns_of()), str(section))


def _cell(name: str) -> Any:
    def written_mean(row: dict[str, Any]) -> str:
        text = spread(row.get(f"{name}_mean", float("nan")), row.get(f"{name}_std", float("nan")))
        return counted(text, row.get(f"{name}_seeds", 0), row["seeds"])

    return written_mean


def _change(name: str) -> Any:
    def written_change(row: dict[str, Any]) -> str:
        text = interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
        text = counted(text, row[f"{name}_rules"], row["rules"], " rules")
        text = counted(text, row[f"{name}_seeds"], row["seeds"], " seeds")
        return f"{text} *" if row[f"{name}_p_holm"] < SIGNIFICANT else text

    return written_change


def _note(runs: Sequence[Run]) -> str:
    return (
        f"{MEASURED} Rank correlation: Spearman's, over all streams of these settings; 1 is perfect. Calibration "
        f"error: mean absolute gap between planted and measured share; 0 is perfect, and the row '{EQUAL}' is what is "
        "had without measuring. In brackets: how many of the seeds have a measure in every setting, where not all do. "
        f"Configurations trained, seeds apart: {tried(runs)}."
    )


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
