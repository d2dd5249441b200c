"""What the runs of two folders of records are compared by: a main metric, and scores of every example."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.arms import arm, check_labels
from results.diff.pairing import Pair
from results.reader import RecordError, Run
from results.table2_mlm.configs import STEP as MLM
from results.table3_gpt.configs import STEP as GPT
from results.table4_vision_language.configs import STEP as VISION
from results.table4_vision_language.configs import TASKS
from results.tokens import block_scores, token_losses
from results.vision_language import Section, scores_by_seed, task_of

SENTIMENT = "step1_sentiment"
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """What runs of a step are compared by."""

    called: str
    key: str
    """In final.json."""
    scale: float = 100.0
    """Written values are times this."""
    lower_is_better: bool = False


@dataclass(frozen=True)
class Compared:
    """A pair with what its runs scored on every example, in the unit of final.json."""

    pair: Pair
    metric: Metric
    first: Scores
    """``[S, E]``: a row per seed that both sides have. Without any row where `why` says so."""
    second: Scores
    """Of the same examples in the same order."""
    why: str = ""
    """Why the examples cannot be compared."""
    tested_alike: bool = True
    """Whether the main metrics can be compared all the same."""

    @property
    def same(self) -> bool:
        """Whether every run scored the same on every example."""
        return not self.why and np.array_equal(self.first, self.second)

    @property
    def example_error(self) -> float:
        """Standard error of the mean difference that comes from the choice of test examples, as written; NaN where
        that is not known.
        """
        if self.why or self.first.shape[1] < 2:
            return math.nan
        gap = (self.second - self.first).mean(0)
        return float(self.metric.scale * gap.std(ddof=1) / math.sqrt(gap.size))


class NoScores(RecordError):
    """There are no examples to compare, whatever the records hold."""


def compared(pair: Pair) -> Compared:
    """`pair` with its scores, or with the reason why it has none."""
    metric = metric_of(pair.any_run)
    try:
        first, second = _scores(pair)
        return Compared(pair, metric, first.astype(np.float64), second.astype(np.float64))
    except RecordError as error:
        none = np.empty((0, 0))
        alike = isinstance(error, NoScores) and len(_data(pair)) == 1
        return Compared(pair, metric, none, none, str(error), tested_alike=alike)


def metric_of(run: Run) -> Metric:
    """The main metric of the run's step and task."""
    task = TASKS.get(task_of(run)) if run.config["step"] == VISION else None
    if task is not None:
        return Metric(task.called, task.metrics[task.score])
    if run.config["step"] in (MLM, GPT, VISION):
        return Metric("nats per token", "test_loss", 1.0, lower_is_better=True)
    return Metric("accuracy", "test_accuracy")


def value_of(run: Run, metric: Metric) -> float:
    """The run's main metric, as written."""
    if metric.key not in run.final:
        raise RecordError(f"{run.folder / 'final.json'} lacks {metric.key}; run its config again")
    return metric.scale * float(run.final[metric.key])


def _data(pair: Pair) -> set[str]:
    """Fingerprints of the data of all runs of the pair."""
    runs = (*pair.first, *pair.second, *pair.further[0], *pair.further[1])
    return {str(run.environment.get("data_fingerprint")) for run in runs}


def _scores(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Scores ``[S, E]`` of both sides on the same examples in the same order."""
    if not pair.first:
        raise NoScores("the two folders have no seed in common; --detail --seed-test welch compares other seeds")
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
    raise NoScores(f"{where}: such records hold no score per example")
