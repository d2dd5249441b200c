"""What ``python -m results diff --detail`` adds: the difference as the seeds show it, and answer by answer.

The comparison by example (:func:`results.diff.changes.group_frame`) decides. Here the seeds alone are the sample, with
the test set taken as it is, so that a researcher sees how large a difference is beside the spread over seeds and how
many seeds would show it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from common.evaluation.aggregates import aggregate
from common.evaluation.effects import hedges_g, probability_of_superiority
from common.evaluation.mcnemar import mcnemar_test
from common.evaluation.power import effect_detectable_with_seeds, seeds_needed
from common.evaluation.rank_tests import mann_whitney_test, wilcoxon_test
from common.evaluation.samples import varies
from common.evaluation.seed_tests import SeedTest, paired_t_test, welch_t_test
from results.diff.changes import HOLM, Correction
from results.diff.compared import Compared, Scores, value_of
from results.reader import Run


@dataclass(frozen=True)
class SeedTestKind:
    """A test over seeds that a user can ask for."""

    test: Callable[[Scores, Scores], SeedTest]
    paired: bool
    """Whether it takes only the seeds that both folders have, and their order."""


SEED_TESTS = {
    "paired-t": SeedTestKind(paired_t_test, paired=True),
    "wilcoxon": SeedTestKind(wilcoxon_test, paired=True),
    "welch": SeedTestKind(welch_t_test, paired=False),
    "mann-whitney": SeedTestKind(mann_whitney_test, paired=False),
}
"""Name on the command line -> test."""
NUMBERS = (
    "difference", "low", "high", "p", "g", "g_low", "g_high", "superior", "detectable", "needed", "needed_elsewhere",
)  # fmt: skip


def seed_frame(every: Sequence[Compared], kind: SeedTestKind, correction: Correction = HOLM) -> pd.DataFrame:
    """A row per pair that differs: the main metric over seeds, second folder minus first.

    Returns:
        columns setting, variant, seeds (of the first folder and the second), metric, difference, low, high (95 %
        interval), p, p_corrected (over all rows), g with g_low and g_high (Hedges' g), superior (chance that a run of
        the second folder is the better one), detectable (difference that so many pairs of runs show with a power of
        80 %, corrected), needed (pairs of runs that show the observed difference so, on this test set),
        needed_elsewhere (likewise, if other test examples were drawn; infinite where no number does), why (there is no
        test). A number that is not known is NaN.
    """
    rows = [row for one in every if (row := _seed_row(one, kind)) is not None]
    corrected = correction.corrected([row["p"] for row in rows])
    tested = int(np.isfinite(corrected).sum())
    for row, p in zip(rows, corrected, strict=True):
        row["p_corrected"] = float(p)
        row |= _power(row, tested)
    return pd.DataFrame(rows)


def answer_frame(every: Sequence[Compared], correction: Correction = HOLM) -> pd.DataFrame:
    """A row per two runs of one seed whose scores are 0 or 1 and differ: McNemar's test.

    Runs of several seeds err on the same examples, so their answers are not pooled.

    Returns:
        columns setting, variant, seed, examples, only_first, only_second (examples that this side alone has right),
        odds (of the second), low, high (95 % interval), p (exact), p_corrected (over all rows).
    """
    rows = [
        _answer_row(one, run.seed, first, second)
        for one in every
        if not one.why and all(np.isin(side, (0, 1)).all() for side in (one.first, one.second))
        for run, first, second in zip(one.pair.first, one.first, one.second, strict=True)
        if not np.array_equal(first, second)
    ]
    for row, p in zip(rows, correction.corrected([row["p"] for row in rows]), strict=True):
        row["p_corrected"] = float(p)
    return pd.DataFrame(rows)


def overall_frame(every: Sequence[Compared]) -> pd.DataFrame:
    """A row per metric and number of seeds with several pairs: interquartile mean over pairs and seeds.

    Returns:
        columns metric, pairs, seeds, difference, low, high (95 % interval, seeds drawn within each pair).
    """
    groups: dict[tuple[str, int], list[Scores]] = {}
    for one in every:
        if not one.why and len(one.pair.first) > 1:
            gap = _values(one.pair.second, one) - _values(one.pair.first, one)
            groups.setdefault((one.metric.called, gap.size), []).append(gap)
    rows = []
    for (metric, seeds), gaps in groups.items():
        if len(gaps) > 1 and np.any(gaps):
            found = aggregate(np.stack(gaps))
            rows.append((metric, len(gaps), seeds, found.estimate, found.low, found.high))
    return pd.DataFrame(rows, columns=pd.Index(["metric", "pairs", "seeds", "difference", "low", "high"]))


def _seed_row(one: Compared, kind: SeedTestKind) -> dict[str, Any] | None:
    """None where no score differs."""
    sides = [one.pair.first, one.pair.second]
    if not kind.paired:
        sides = [(*runs, *more) for runs, more in zip(sides, one.pair.further, strict=True)]
    row: dict[str, Any] = {
        "setting": one.pair.setting, "variant": one.pair.variant, "seeds": _counts(sides), "metric": one.metric.called,
        **dict.fromkeys(NUMBERS, math.nan), "spread": math.nan, "example_error": one.example_error, "why": "",
    }  # fmt: skip
    if not one.tested_alike:
        return row | {"why": "they were not tested alike"}
    first, second = (_values(runs, one) for runs in sides)
    if first.size and np.array_equal(first, second):
        return None
    try:
        test, effect = kind.test(second, first), hedges_g(second, first)
    except ValueError as error:
        return row | {"why": str(error)}
    above = probability_of_superiority(second, first)
    return row | {
        "difference": test.estimate, "low": test.low, "high": test.high, "p": test.p,
        "g": effect.estimate, "g_low": effect.low, "g_high": effect.high,
        "superior": 1 - above if one.metric.lower_is_better else above, "spread": _spread(first, second, kind.paired),
    }  # fmt: skip


def _spread(first: Scores, second: Scores, paired: bool) -> float:
    """Standard deviation over seeds of a difference between two runs; NaN where it is rounding."""
    gap = second - first if paired else np.array([0.0, 1.0])
    if not varies(gap, max(abs(first).max(), abs(second).max())):
        return math.nan
    return float(gap.std(ddof=1)) if paired else math.sqrt(first.var(ddof=1) + second.var(ddof=1))


def _power(row: dict[str, Any], comparisons: int) -> dict[str, float]:
    spread, error, effect = row.pop("spread"), row.pop("example_error"), row["difference"]
    if math.isnan(spread):
        return {}
    pairs = min(int(count) for count in row["seeds"].split(" and "))
    needed = _needed(effect, spread, comparisons, 0.0)
    # The example error is known with many degrees of freedom, which for two or three seeds outweighs that it adds.
    elsewhere = math.nan if math.isnan(error) else max(needed, _needed(effect, spread, comparisons, error))
    detectable = effect_detectable_with_seeds(pairs, spread, comparisons=comparisons)
    return {"detectable": detectable, "needed": needed, "needed_elsewhere": elsewhere}


def _needed(effect: float, spread: float, comparisons: int, example_error: float) -> float:
    try:
        return seeds_needed(effect, spread, comparisons=comparisons, example_error=example_error)
    except ValueError:  # the effect is 0, or within what the choice of examples does
        return math.inf


def _answer_row(one: Compared, seed: int, first: Scores, second: Scores) -> dict[str, Any]:
    test = mcnemar_test(second, first)
    return {
        "setting": one.pair.setting, "variant": one.pair.variant, "seed": str(seed), "examples": test.examples,
        "only_first": test.only_baseline, "only_second": test.only_model, "odds": test.odds_ratio,
        "low": test.odds_low, "high": test.odds_high, "p": test.p_exact,
    }  # fmt: skip


def _values(runs: Sequence[Run], one: Compared) -> Scores:
    return np.array([value_of(run, one.metric) for run in runs])


def _counts(sides: Sequence[Sequence[Run]]) -> str:
    return " and ".join(dict.fromkeys(str(len(runs)) for runs in sides))
