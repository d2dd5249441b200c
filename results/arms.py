"""An arm: all seeds of one variant on one setting, ready to be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from common.evaluation.metrics import macro_f1
from results.reader import RecordError, Run, probabilities

TOLERANCE = 1e-3
"""Largest gap between the accuracy in final.json and that of the predictions; float32 probabilities may tie."""


@dataclass(frozen=True)
class Arm:
    """One row of a table before statistics. Unknown costs are NaN."""

    name: str
    labels: np.ndarray  # [E]
    predicted: dict[int, np.ndarray]  # seed -> [E]
    parameters: float
    flops_per_token: float
    step_time_ms: float
    """Median over seeds."""
    records: tuple[str, ...] = ()
    """Names of the folders of its runs."""

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted(self.predicted))

    def correct(self, seeds: Sequence[int]) -> np.ndarray:
        """Which examples were right, ``[len(seeds), E]``."""
        return np.stack([self.predicted[seed] == self.labels for seed in seeds])

    def accuracies(self) -> np.ndarray:
        """Test accuracy of each seed, ``[S]``."""
        return self.correct(self.seeds).mean(1)

    def macro_f1s(self) -> np.ndarray:
        """Macro-F1 of each seed, ``[S]``."""
        return np.array([macro_f1(self.predicted[seed], self.labels) for seed in self.seeds])


def arm(name: str, runs: Sequence[Run]) -> Arm:
    """The arm of `runs`, which differ in their seeds only.

    Raises:
        RecordError: when predictions contradict final.json, or runs were tested on different examples.
    """
    predicted = {}
    for run in runs:
        frame = run.predictions("test")
        predicted[run.seed] = probabilities(frame).argmax(1)
        gap = abs(float(run.correct("test").mean()) - run.final["test_accuracy"])
        if gap > TOLERANCE:
            raise RecordError(f"{run.folder}: predictions and final.json differ by {gap:.4f} in accuracy; run it again")
    return Arm(
        name=name,
        labels=_same_labels(runs),
        predicted=predicted,
        parameters=_cost(runs[0], "parameters"),
        flops_per_token=_cost(runs[0], "flops_per_token"),
        step_time_ms=median(_cost(run, "step_time_ms") for run in runs),
        records=tuple(run.folder.name for run in runs),
    )


def late_ensemble(name: str, members: Sequence[Sequence[Run]]) -> Arm | None:
    """Separately trained single-stream models of one seed, their log-probabilities averaged; costs add up.

    Args:
        name: of the row.
        members: runs of each member. Seeds that one of them lacks are left out; None when no seed is left.
    """
    by_seed = [{run.seed: run for run in runs} for runs in members]
    seeds = sorted(set.intersection(*(set(runs) for runs in by_seed))) if by_seed else []
    if not seeds:
        return None
    parts = [arm(name, [runs[seed] for seed in seeds]) for runs in by_seed]
    labels = _same_labels([runs[seed] for runs in by_seed for seed in seeds])
    predicted = {
        seed: np.mean([_log_probabilities(runs[seed]) for runs in by_seed], axis=0).argmax(1) for seed in seeds
    }
    return Arm(
        name=name,
        labels=labels,
        predicted=predicted,
        parameters=sum(part.parameters for part in parts),
        flops_per_token=sum(part.flops_per_token for part in parts),
        step_time_ms=sum(part.step_time_ms for part in parts),
        records=tuple(name for part in parts for name in part.records),
    )


def _log_probabilities(run: Run) -> np.ndarray:
    # float32 rounds small probabilities to 0; one member must not rule a class out by that.
    return np.log(np.maximum(probabilities(run.predictions("test")), np.finfo(np.float32).tiny))


def _same_labels(runs: Sequence[Run]) -> np.ndarray:
    first = runs[0].predictions("test")["label"].to_numpy()
    for run in runs[1:]:
        check_labels(first, run.predictions("test")["label"].to_numpy(), f"{run.folder} and {runs[0].folder}")
    return first


def check_labels(first: np.ndarray, second: np.ndarray, what: str) -> None:
    """Raise RecordError when two arms were not tested on the same examples."""
    if not np.array_equal(first, second):
        raise RecordError(f"{what} were tested on different examples, so they cannot be compared; keep one of them")


def _cost(run: Run, name: str) -> float:
    return float(run.final.get(name, math.nan))
