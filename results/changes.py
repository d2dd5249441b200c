"""Two folders of records side by side: what one lacks, and where their runs differ beyond chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from common.evaluation.statistics import (
    approximate_randomisation,
    holm,
    minimum_detectable_effect,
    multi_bootstrap,
)
from results.arms import arm, check_labels
from results.pairing import Pair, setting_of
from results.reader import RecordError, Run, grouped
from results.states import ranges
from results.table2_mlm.configs import STEP as MLM
from results.table3_gpt.configs import STEP as GPT
from results.table4_vision_language.configs import STEP as VISION
from results.table4_vision_language.configs import TASKS
from results.tokens import block_scores, token_losses
from results.vision_language import Section, scores_by_seed, task_of

SENTIMENT = "step1_sentiment"
LEVEL = 0.05
"""Corrected p below which a difference is called significant."""


@dataclass(frozen=True)
class Metric:
    """What runs of a step are compared by."""

    called: str
    key: str
    """In final.json."""
    scale: float = 100.0
    """Written values are times this."""
    lower_is_better: bool = False


def metric_of(run: Run) -> Metric:
    """The main metric of the run's step and task."""
    task = TASKS.get(task_of(run)) if run.config["step"] == VISION else None
    if task is not None:
        return Metric(task.called, task.metrics[task.score])
    if run.config["step"] in (MLM, GPT, VISION):
        return Metric("nats per token", "test_loss", 1.0, lower_is_better=True)
    return Metric("accuracy", "test_accuracy")


def lone_rows(alone: Mapping[str, Sequence[Run]], called: Mapping[str, str]) -> pd.DataFrame:
    """Runs in no pair, as text: only in, setting, variant, seeds.

    Args:
        alone: side -> its runs.
        called: setting -> what it is called, from :func:`results.pairing.titles`.
    """
    rows = [
        (side, called[setting], group[0].name, ranges([run.seed for run in group]))
        for side, runs in alone.items()
        for setting, of_setting in grouped(runs, setting_of).items()
        for group in grouped(of_setting, lambda run: run.name).values()
    ]
    return pd.DataFrame(rows, columns=pd.Index(["only in", "setting", "variant", "seeds"]))


def run_rows(found: Sequence[Pair]) -> pd.DataFrame:
    """The runs whose main metric differs, as text: setting, variant, seed, metric, first, second, difference."""
    rows = []
    for pair in found:
        metric = metric_of(pair.first[0])
        for one, other in zip(pair.first, pair.second, strict=True):
            values = [_value(run, metric) for run in (one, other)]
            if values[0] != values[1]:
                shown = [f"{value:.4f}" for value in values]
                gap = f"{values[1] - values[0]:+.4f}"
                rows.append((pair.setting, pair.variant, str(one.seed), metric.called, *shown, gap))
    columns = ["setting", "variant", "seed", "metric", "first", "second", "difference"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def group_frame(found: Sequence[Pair]) -> pd.DataFrame:
    """A row per pair: the second folder's mean score minus the first's, over the seeds and examples that both have.

    Returns:
        columns setting, variant, seeds, examples, metric, difference, low, high (95 % interval), p (the larger of
        multi-bootstrap's and approximate randomisation's), p_holm (over all rows), detectable (with a power of 80 %,
        corrected), significant, better (whether the second is), same (on every example), why (examples cannot be
        compared).
    """
    # The smallest p of a bootstrap is 2 / replicates: it must stay below LEVEL after the correction.
    rows = [_compared(pair, max(2000, 200 * len(found))) for pair in found]
    corrected = holm([row["p"] for row in rows])
    tested = int(np.isfinite(corrected).sum())
    for row, p in zip(rows, corrected, strict=True):
        row |= {"p_holm": float(p), "significant": bool(p < LEVEL)}
        row["detectable"] = minimum_detectable_effect(row.pop("standard_error"), comparisons=tested)
    return pd.DataFrame(rows)


def _compared(pair: Pair, replicates: int) -> dict[str, Any]:
    metric = metric_of(pair.first[0])
    seeds = ranges([run.seed for run in pair.first])
    row: dict[str, Any] = {
        "setting": pair.setting, "variant": pair.variant, "seeds": seeds, "examples": 0, "metric": metric.called,
        "better": False, "same": False, "why": "",
    }  # fmt: skip
    row |= dict.fromkeys(("difference", "low", "high", "p", "standard_error"), math.nan)
    try:
        first, second = _scores(pair)
    except RecordError as error:
        return row | {"why": str(error)}
    if np.array_equal(first, second):
        same = {"difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0, "standard_error": 0.0}
        return row | same | {"examples": first.shape[1], "same": True}
    gap = multi_bootstrap(second, first, replicates)
    values = {"difference": gap.estimate, "low": gap.low, "high": gap.high, "standard_error": gap.standard_error}
    return row | {name: metric.scale * value for name, value in values.items()} | {
        "examples": gap.examples, "p": max(gap.p, approximate_randomisation(second, first)),
        "better": (gap.estimate < 0) == metric.lower_is_better,
    }  # fmt: skip


def _scores(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Scores ``[S, E]`` of both sides on the same examples in the same order."""
    step, seeds = pair.first[0].config["step"], [run.seed for run in pair.first]
    where = f"{pair.first[0].folder} and {pair.second[0].folder}"
    if step == SENTIMENT:
        one, other = (arm(pair.variant, runs) for runs in (pair.first, pair.second))
        check_labels(one.labels, other.labels, where)
        return one.correct(seeds), other.correct(seeds)
    if step in (MLM, GPT):
        scores = block_scores([token_losses(run) for run in (*pair.first, *pair.second)])
        return scores[: len(seeds)], scores[len(seeds) :]
    if step == VISION and task_of(pair.first[0]) in TASKS:
        sides = {"first": list(pair.first), "second": list(pair.second)}
        section = Section(pair.setting, task_of(pair.first[0]), (*pair.first, *pair.second), sides)
        by_seed = scores_by_seed(section, list(sides))
        one, other = (np.stack([by_seed[side][seed] for seed in seeds]) for side in sides)
        return one, other
    raise RecordError(f"{where}: such records hold no score per example")


def _value(run: Run, metric: Metric) -> float:
    if metric.key not in run.final:
        raise RecordError(f"{run.folder / 'final.json'} lacks {metric.key}; run its config again")
    return metric.scale * float(run.final[metric.key])
