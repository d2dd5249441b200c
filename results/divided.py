"""Runs that saw only a share of the training data, and which tables and figures may show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from results.reader import Run


def undivided(run: Run) -> Run:
    """The run as though it had seen all of the training data, so that its keys are those of the runs that have."""
    data = {name: value for name, value in run.settings.get("data", {}).items() if name != "train_fraction"}
    return (
        run if run.train_fraction == 1 else replace(run, config=run.config | {"config": run.settings | {"data": data}})
    )


def own_runs(runs: Iterable[Run], step: str, divided: bool = False) -> list[Run]:
    """The runs that a table or figure may show.

    Args:
        runs: of any steps.
        step: its step; empty for all.
        divided: also those that saw a share of the training data. What a rule does with less data is no other row, and
            no other setting, of a table of runs on all of it.
    """
    own = (run for run in runs if not step or run.config["step"] == step)
    return [run for run in own if divided or run.train_fraction == 1]
