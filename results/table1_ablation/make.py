"""``python -m results.table1_ablation.make``: DM and LI on every subset of the streams, as CSV, Markdown and LaTeX."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from results.command import run_maker
from results.costs import read_step_times
from results.grouping import grouped, setting_key
from results.reader import Run
from results.render import write_table
from results.table1_ablation.configs import ROWS, RULES, STREAMS, WITH_DROPOUT, row_name
from results.tables import BASELINE, build_frame, captions
from results.terminal import print_table

FOLDER = Path(__file__).parent


def by_streams(runs: Sequence[Run]) -> list[Run]:
    """The runs that belong here, named after their rule and streams, so that ``dm`` stands under the full subset.
    Data on which no subset was run are left out.
    """
    chosen: list[Run] = []
    for run in runs:
        if run.name in (BASELINE, *WITH_DROPOUT):
            chosen.append(run)
        elif run.rule in RULES and (run.name == run.rule or run.name.startswith(f"{run.rule}[")):
            chosen.append(replace(run, config=run.config | {"name": row_name(run.rule, run.streams)}))
    settings = grouped(chosen, setting_key)
    ablated = {key for key, group in settings.items() if any(run.rule in RULES and _is_part(run) for run in group)}
    return [run for run in chosen if setting_key(run) in ablated]


def _is_part(run: Run) -> bool:
    return set(run.streams) != set(STREAMS)


def make(runs: Sequence[Run], folder: Path = FOLDER) -> list[Path]:
    """Write the table's files into `folder` and print it."""
    named = by_streams(runs)
    times = read_step_times("step1_sentiment")
    if times is not None:  # on all streams a rule is the variant of its own name
        full = {row_name(rule, STREAMS): times.by_variant[rule] for rule in RULES if rule in times.by_variant}
        times = replace(times, by_variant={**times.by_variant, **full})
    frame = build_frame(named, ROWS, times=times)
    notes = captions(named, frame, times, among=runs)
    absent = [dataset for dataset in ROWS if dataset not in {run.dataset for run in named}]
    print_table(frame, notes)
    note = f"No subset of the streams was run on: {', '.join(absent)}." if absent else ""
    return write_table(folder, frame, notes, "ablation", note)


if __name__ == "__main__":
    sys.exit(run_maker(make, FOLDER, __doc__))
