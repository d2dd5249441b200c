"""``python -m results.table4_vision_language.make``: table 4 as CSV, Markdown and LaTeX, and in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from results.command import run_maker
from results.reader import Run, where
from results.render import Columns, costs, head, interval, number, p_value, spread, write_table, written
from results.table4_vision_language.configs import NEVER, RANKS, RECALLS, TASKS, TODAY, VARIANTS, Task
from results.table4_vision_language.rows import captions, task_frame
from results.terminal import print_text
from results.vision_language import sections

FOLDER = Path(__file__).parent
P, TODAY_P = "p", f"p to {TODAY}"
LONG = (P, TODAY_P, "ROUGE-L", "exact match %", "image to text R@5 %", "text to image R@5 %")
"""Columns for which README, terminal and paper have no room."""
Cell = Callable[[dict[str, Any]], str]


def columns_of(task: Task, frame: pd.DataFrame) -> Columns:
    """Header -> how a cell is written; kinds of question and the second comparison only where `frame` has them."""
    kinds = [name[5:-5] for name in map(str, frame) if name.startswith("kind_") and name.endswith("_mean")]
    metrics: dict[str, Columns] = {
        "captions": {
            "BLEU-4": _mean("bleu_4", 100, 2), "ROUGE-L": _mean("rouge_l", 100, 2),
            "CIDEr-D": _mean("cider_d", 100, 1), "perplexity": _mean("perplexity", 1, 2),
        },
        "questions": {
            "accuracy %": _mean("accuracy", 100, 2),
            **{f"{kind} %": _mean(f"kind_{kind}", 100, 2) for kind in kinds},
            "exact match %": _mean("exact_match", 100, 2),
        },
        "retrieval": {
            **{header: _mean(name, 100, 1) for name, header in RECALLS.items()},
            **{header: _mean(name, 1, 1) for name, header in RANKS.items()},
        },
    }  # fmt: skip
    today = {
        f"Δ to {TODAY} [95 % CI]": _interval("today"),
        TODAY_P: lambda row: p_value(row["today_p"]),
        f"p Holm to {TODAY}": lambda row: p_value(row["today_p_holm"]),
    }
    return {
        **head(),
        **metrics[task.name],
        f"Δ {task.called} [95 % CI]": _interval("difference"),
        P: lambda row: p_value(row["difference_p"]),
        "p Holm": lambda row: p_value(row["difference_p_holm"]),
        **(today if frame["today"].notna().any() else {}),
        **{header: costs()[header] for header in ("params M", "added M")},
        # By text, not by token: the ways of showing a picture differ in how many positions it takes.
        "MFLOPs/text": lambda row: number(row["flops_per_text"] / 1e6, 0),
        "step ms": costs()["step ms"],
    }


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write a table per task, each into its own folder below `folder`, and print them."""
    parts, paths = sections(runs), []
    for name, task in TASKS.items():
        own = [part for part in parts if part.task == name]
        frame = task_frame(own, task)
        if frame.empty:
            continue
        columns, notes = columns_of(task, frame), captions(own, task, frame)
        short = {header: write for header, write in columns.items() if header not in LONG}
        for section, note in notes.items():
            print_text(written(where(frame, section=section), short), section, note)
        absent = [variant for variant in VARIANTS if variant not in (*frame["variant"], *NEVER.get(name, ()))]
        missing = f"No finished run yet of: {', '.join(absent)}." if absent else ""
        paths += write_table(
            folder / name, frame, notes, f"vision-language-{name}", missing, columns, short, task.header
        )
    for part in parts:
        if part.task not in TASKS:
            print(f"{part.title}: no table, as nothing scores what is written", file=sys.stderr)
    return paths


def _mean(name: str, scale: float, digits: int) -> Cell:
    return lambda row: spread(scale * row[f"{name}_mean"], scale * row[f"{name}_std"], digits)


def _interval(name: str) -> Cell:
    return lambda row: interval(*(100 * row[f"{name}{part}"] for part in ("", "_low", "_high")))


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
