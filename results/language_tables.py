"""The table that both language-model steps have: columns, files, and what is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from results.costs import read_step_times
from results.reader import Run, where
from results.render import Columns, costs, head, interval, tests, write_table, written
from results.terminal import print_text
from results.tokens import captions, token_table


def language_columns(metrics: Columns) -> Columns:
    """Header -> how a cell is written: the row, its `metrics`, its differences to the baseline and to its own rule
    on shuffled streams, and its costs."""
    return {
        **head(),
        **metrics,
        "Δ nats [95 % CI]": lambda row: interval(row["difference"], row["difference_low"], row["difference_high"], 3),
        **tests(),
        "Δ to shuffled [95 % CI]": lambda row: interval(row["told"], row["told_low"], row["told_high"], 3),
        **costs(),
    }


def language_table(
    runs: Sequence[Run],
    folder: Path,
    variants: Sequence[str],
    metrics: Mapping[str, str],
    columns: Columns,
    label: str,
    score: str,
) -> list[Path]:
    """Write the table's files into `folder` and print it.

    Args:
        runs: of one step.
        variants: rows in order.
        metrics: column -> key of final.json.
        columns: from :func:`language_columns`.
        label: of the LaTeX table.
        score: header of the cells that show which rows are best.
    """
    times = read_step_times(runs[0].config["step"]) if runs else None
    frame = token_table(runs, variants, metrics, times)
    notes = captions(runs, frame, times)
    for section, note in notes.items():
        print_text(written(where(frame, section=section), columns), section, note)
    absent = [name for name in variants if name not in set(frame["variant"])]
    note = f"No finished run yet of: {', '.join(absent)}." if absent else ""
    return write_table(folder, frame, notes, label, note, columns, score=score)
