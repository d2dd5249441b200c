"""The difference of two rows over the seeds that both have, example by example: its interval, its p, and how large it
would have had to be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from common.evaluation.power import effect_detectable_with_seeds
from common.evaluation.samples import varies
from common.evaluation.seed_tests import paired_t_test
from common.evaluation.statistics import (
    Difference,
    approximate_randomisation,
    minimum_detectable_effect,
    multi_bootstrap,
)

SEEDS, ERROR, SEED_STD, EXAMPLE_ERROR = "_seeds", "_error", "_seed_std", "_example_error"
PARTS = ("", "_low", "_high", ERROR, SEED_STD, EXAMPLE_ERROR, "_p", "_p_holm", SEEDS)
"""What follows the name of a difference: itself, its 95 % interval, its standard error, its standard deviation over
seeds, its standard error from the choice of test examples alone, its p values, over how many seeds."""
Seeds = Mapping[int, np.ndarray]
"""Seed -> scores ``[E]`` of the same examples in the same order."""


@dataclass(frozen=True)
class Tested:
    """A difference and the tests of it. Errors have the unit of the scores."""

    gap: Difference
    p_randomisation: float
    p_seeds: float
    """Paired t test over the seeds; NaN for a single one."""
    seed_std: float
    """Standard deviation over the seeds; NaN for a single one."""
    example_error: float
    """Standard error from the choice of test examples."""

    @property
    def p(self) -> float:
        """The largest: a bootstrap of three seeds knows too little of the tail that a correction for many comparisons
        reads, and the t test over seeds nothing of the examples.
        """
        return max(p for p in (self.gap.p, self.p_randomisation, self.p_seeds) if not math.isnan(p))

    def cells(self, column: str) -> dict[str, float]:
        """`column` with :data:`PARTS`; NaN for the p that Holm's correction of a whole section is still to fill."""
        gap = self.gap
        values = (
            gap.estimate, gap.low, gap.high, gap.standard_error, self.seed_std, self.example_error, self.p, math.nan,
            gap.seeds,
        )  # fmt: skip
        return {f"{column}{part}": value for part, value in zip(PARTS, values, strict=True)}


def compare(own: np.ndarray, other: np.ndarray, replicates: int = 2000) -> Tested:
    """Mean of `own` minus that of `other`, both ``[S, E]`` with the same seeds and examples.

    `replicates` are those of the bootstrap, whose smallest p is twice their inverse: it must survive the correction.
    """
    own, other = np.asarray(own, np.float64), np.asarray(other, np.float64)
    gap = multi_bootstrap(own, other, replicates)
    by_seed, by_example = (own - other).mean(1), (own - other).mean(0)
    several = len(by_seed) > 1
    changes = several and varies(by_seed, max(abs(own).max(), abs(other).max()))
    return Tested(
        gap=gap,
        p_randomisation=approximate_randomisation(own, other),
        # Where all seeds differ alike, t knows of no chance; whether there is a difference the other two say.
        p_seeds=paired_t_test(own.mean(1), other.mean(1)).p if changes else 0.0 if several else math.nan,
        seed_std=float(by_seed.std(ddof=1)) if several else math.nan,
        example_error=float(by_example.std(ddof=1)) / math.sqrt(len(by_example)) if len(by_example) > 1 else 0.0,
    )


def tested(own: Seeds, other: Seeds, replicates: int = 2000) -> Tested | None:
    """:func:`compare` over the seeds that both have; None where no seed is in both."""
    common = sorted(own.keys() & other.keys())
    if not common:
        return None
    first, second = (np.stack([scores[seed] for seed in common]) for scores in (own, other))
    return compare(first, second, replicates)


def difference(column: str, own: Seeds, other: Seeds, comparisons: int = 1) -> dict[str, float]:
    """:meth:`Tested.cells` of :func:`tested`, one of so many `comparisons` of a section; NaN where there is none."""
    found = tested(own, other, enough(comparisons))
    if found is None:
        return dict.fromkeys((f"{column}{part}" for part in PARTS), math.nan)
    return found.cells(column)


def enough(comparisons: int) -> int:
    """Replicates with which the smallest p of a bootstrap stays well below 5 % after correction for so many."""
    return max(2000, 200 * comparisons)


def tests_note(drawn: str, corrected: str) -> str:
    """What a caption says of intervals and p values of differences over seeds and `drawn`, corrected over that."""
    return (
        "Differences: over the seeds that both rows have. Intervals: 95 %, paired multi-bootstrap over seeds and "
        f"{drawn}. p: the largest of the multi-bootstrap's, the approximate randomisation test's and, with two seeds "
        f"or more, that of the paired t test over seeds; Holm over {corrected}."
    )


def detectable(
    frame: pd.DataFrame, columns: Sequence[str], unit: str, factor: float = 1.0, digits: int = 1, most: float = math.inf
) -> str:
    """What the differences `columns` of `frame`, corrected together, could have shown; empty where there is none.

    Args:
        frame: has, of each column, those with :data:`SEEDS`, :data:`ERROR`, :data:`SEED_STD`, :data:`EXAMPLE_ERROR`.
        unit: follows the numbers, which are differences times `factor`.
        most: the largest difference that there can be, in that unit.
    """
    parts = (SEEDS, ERROR, SEED_STD, EXAMPLE_ERROR)
    found = [
        (seeds, error, seed_std, example_error)
        for column in columns
        for seeds, error, seed_std, example_error in frame[[f"{column}{part}" for part in parts]].to_numpy(np.float64)
        if not math.isnan(error)
    ]
    if not found:
        return ""

    def shown(comparisons: int) -> str:
        effects = sorted(factor * effect_shown(*row, comparisons) for row in found)
        return " to ".join(
            dict.fromkeys(
                f"{effect:.{digits}f}" if effect <= most else f"more than {most:g}"
                for effect in (effects[0], effects[-1])
            )
        )

    text = f"Detectable with a power of 80 % and the seeds of a row: a difference of {shown(1)} {unit}"
    if len(found) > 1:
        text += f", of {shown(len(found))} after correction for {len(found)} comparisons (range over the rows)"
    return f"{text}."


def effect_shown(seeds: float, error: float, seed_std: float, example_error: float, comparisons: int) -> float:
    """The true difference that so many seeds find with a power of 80 %, one of so many `comparisons`.

    Args:
        error: standard error of the estimated difference; the others have its unit, and so has the result.
        seed_std, example_error: as in :class:`Tested`.
    """
    if math.isnan(seed_std) or not seed_std > 1e-12:  # one seed, or seeds that never vary: the examples alone
        return minimum_detectable_effect(error, comparisons=comparisons)
    return effect_detectable_with_seeds(int(seeds), seed_std, comparisons=comparisons, example_error=example_error)
