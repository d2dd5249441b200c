"""From runs evaluated on perturbed texts to the rows of table 8.

It reads ``robustness.json`` and ``robustness.parquet`` of the records. ``python -m step1_sentiment robustness --run
FOLDER …`` evaluates finished runs, and ``python -m results.collect runs`` brings the new files into their records.

- A section is a kind of perturbation and a rate. The rate is the share of the *eligible* words that is changed, those
  for which the kind has a replacement: few words have a homophone. The caption has the number of words. Every row read
  the same texts, and records that did not are refused.
- The gain of a stream is told by *spared*: by how much less a row lost than ``meaning`` did. Δ on perturbed texts also
  has the gain on clean ones in it.
- Draws are averaged per example before any test, so they do not pass for more examples.
- Holm's correction is over all rows and rates of a kind; the kinds are separate questions. Otherwise the statistics are
  those of table 1.
- *without*: the stream's term is zero at every site. Only ``dm_dropout`` was trained to miss streams; in the other rows
  the loss also has the surprise in it. In ``duplicate`` the copy that stands in for the stream is left out.
- ``phonetic`` misspellings are those that the network of the phonetic stream hears as the word: its best case.
  ``phonetic_unchecked`` keeps the sound by the rules of spelling only. ``homophone`` needs no network: both words stand
  in the dictionary with one pronunciation.
- ``duplicate`` and ``shuffled`` say what more parameters alone do. Sound has paid only where ``dm`` or ``li`` beats
  them too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from common.evaluation.statistics import holm, mean_std, multi_bootstrap
from results.arms import TOLERANCE, check_labels
from results.best import MARK, UNTESTED, marks
from results.differences import PARTS, enough
from results.grouping import by_variant, grouped, setting_key
from results.reader import RecordError, Run, recorded, where
from results.table8_robustness.configs import CLEAN, KINDS, STAND_IN, VARIANTS
from results.tables import BASELINE, compared, section_titles

Place = tuple[str, float]
"""Kind and rate."""
WHOLE = ""
"""In place of streams that are left out: none."""
COLUMNS = (
    "section", "setting", "kind", "rate", "variant", "seeds", "examples", "draws", "words", "eligible", "changed",
    *(f"{name}_{end}" for name in ("clean", "accuracy", "loss") for end in ("mean", "std")),
    *(f"difference{part}" for part in PARTS), "p_bootstrap", "p_randomisation", "p_seeds",
    "spared", "spared_low", "spared_high", "stream_dropout", MARK, "records",
)  # fmt: skip
"""Columns that every table has; those of streams left out follow."""


@dataclass(frozen=True)
class Evaluated:
    """One run on perturbed texts."""

    run: Run
    summary: Mapping[str, Any]
    frame: pd.DataFrame

    @cached_property
    def scores(self) -> Mapping[tuple[str, float, str], np.ndarray]:
        """(kind, rate, streams left out) -> share of the draws in which each example was right, ``[E]``."""
        right = self.frame.assign(right=self.frame["label"] == self.frame["predicted"])
        found: dict[tuple[str, float, str], np.ndarray] = {}
        for key, part in right.groupby(["kind", "rate", "without"]):
            kind, rate, gone = tuple(key)  # pyright: ignore[reportArgumentType]
            found[str(kind), float(rate), str(gone)] = np.asarray(part.groupby("example")["right"].mean())
        return found

    @cached_property
    def labels(self) -> np.ndarray:
        """Labels of the examples ``[E]``."""
        return where(self.frame, kind=CLEAN, without=WHOLE).sort_values("example")["label"].to_numpy()

    @cached_property
    def texts(self) -> dict[Place, list[dict[str, Any]]]:
        """(kind, rate) -> conditions of its draws, in order."""
        found: dict[Place, list[dict[str, Any]]] = {}
        for one in self.summary["conditions"]:
            found.setdefault((one["kind"], float(one["rate"])), []).append(one)
        return found

    def gone(self, place: Place) -> list[str]:
        """What was left out there."""
        return [gone for kind, rate, gone in self.scores if (kind, rate) == place and gone != WHOLE]


def evaluated(run: Run) -> Evaluated | None:
    """The run on perturbed texts, None where it was not evaluated.

    Raises:
        RecordError: on the clean texts it did not reach the accuracy of its record.
    """
    if run.robustness is None:
        return None
    found = Evaluated(run, *run.robustness)
    gap = abs(float(found.scores[CLEAN, 0.0, WHOLE].mean()) - run.final["test_accuracy"])
    # Another machine may round a few examples to the other side; the command allows one in a hundred.
    if gap > 10 * TOLERANCE:
        raise RecordError(f"{run.folder}: clean accuracy differs by {gap:.4f} from final.json; evaluate it again")
    return found


def robustness_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """A section per setting, kind and rate, in each a row per variant.

    Returns:
        columns section, setting, kind, rate, variant, seeds, examples, draws, words, eligible, changed (the last three
        summed over the texts, mean over draws), ``clean``, ``accuracy`` and ``loss`` (clean minus perturbed) with
        ``_mean`` and ``_std`` over seeds; the comparison of :func:`results.tables.compared` with the baseline on the
        same perturbed texts, Holm over all rates of a kind; ``spared`` with ``_low`` and ``_high`` (loss of the
        baseline minus loss of the row, 95 % interval); ``without_<streams>_mean`` and ``_std`` (accuracy without them
        minus accuracy, on the perturbed texts); stream_dropout; the mark of the row by its
        accuracy; and records. What is not known is NaN.
    """
    table: list[dict[str, Any]] = []
    titles = section_titles(runs)
    for key, group in grouped(runs, setting_key).items():
        known = [one for one in map(evaluated, group) if one is not None and one.run.name in VARIANTS]
        by_run = {one.run.folder: one for one in known}
        shown = by_variant(one.run for one in known)
        chosen = {name: [by_run[run.folder] for run in own] for name, own in shown.items()}
        places = _places([one for part in chosen.values() for one in part])
        for kind in dict.fromkeys(kind for kind, _ in places):
            rates = [rate for other, rate in places if other == kind]
            replicates = enough(len(rates) * len(chosen))
            rows = [_row(titles[key], (kind, rate), name, chosen, replicates) for rate in rates for name in VARIANTS]
            corrected = holm([row["difference_p"] for row in rows])
            best = {rate: marks(_by_seed(chosen, (kind, rate))) for rate in rates}
            table += [
                {**row, "difference_p_holm": float(p), MARK: best[row["rate"]].get(row["variant"], UNTESTED)}
                for row, p in zip(rows, corrected, strict=True)
            ]
    without = dict.fromkeys(name for row in table for name in row if name not in COLUMNS)
    return pd.DataFrame(table, columns=pd.Index([*COLUMNS, *without]))


def title_of(setting: str, place: Place) -> str:
    """What a section is called."""
    kind, rate = place
    return f"{setting}: {KINDS.get(kind, kind)}, {rate:.0%} of the eligible words".replace("%", " %")


def _places(known: Sequence[Evaluated]) -> list[Place]:
    """All perturbed versions, kinds in the order of the configs, rates ascending.

    Raises:
        RecordError: two runs read other texts under one name.
    """
    first: dict[Place, Evaluated] = {}
    for one in known:
        check_labels(known[0].labels, one.labels, f"{known[0].run.folder} and {one.run.folder}")
        for place, draws in one.texts.items():
            before = first.setdefault(place, one)
            if [draw["texts_sha256"] for draw in before.texts[place]] != [draw["texts_sha256"] for draw in draws]:
                raise RecordError(
                    f"{before.run.folder} and {one.run.folder} read different texts as {place[0]} {place[1]:g}; "
                    "evaluate them again with the same command"
                )
    order = list(KINDS)
    return sorted(
        (place for place in first if place[0] != CLEAN),
        key=lambda place: (order.index(place[0]) if place[0] in order else len(order), *place),
    )


def _row(
    setting: str, place: Place, name: str, chosen: Mapping[str, Sequence[Evaluated]], replicates: int
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "section": title_of(setting, place), "setting": setting, "kind": place[0], "rate": place[1], "variant": name,
        "seeds": 0, "difference_p": math.nan,
    }  # fmt: skip
    own = [one for one in chosen.get(name, ()) if place in one.texts]
    if not own:
        return row
    here, clean = _scores(own, place), _scores(own, (CLEAN, 0.0))
    draws = own[0].texts[place]
    row |= {"seeds": len(own), "examples": here.shape[1], "draws": len(draws)}
    row |= {count: float(np.mean([draw[count] for draw in draws])) for count in ("words", "eligible", "changed")}
    row |= _summary("clean", clean) | _summary("accuracy", here) | _summary("loss", clean - here)
    for gone in own[0].gone(place):
        row |= _summary(f"without_{gone.replace(STAND_IN, '')}", _scores(own, place, gone) - here)
    row |= {"stream_dropout": own[0].summary["stream_dropout"], "records": recorded(one.run for one in own)}
    other = {one.run.seed: one for one in chosen.get(BASELINE, ()) if place in one.texts}
    common = [one for one in own if one.run.seed in other]
    if name == BASELINE or not common:
        return row
    others = [other[one.run.seed] for one in common]
    ours, theirs = _scores(common, place), _scores(others, place)
    row |= compared(ours, theirs, replicates)
    spared = multi_bootstrap(ours - _scores(common, (CLEAN, 0.0)), theirs - _scores(others, (CLEAN, 0.0)))
    return row | {"spared": spared.estimate, "spared_low": spared.low, "spared_high": spared.high}


def _scores(known: Sequence[Evaluated], place: Place, gone: str = WHOLE) -> np.ndarray:
    """``[S, E]``."""
    return np.stack([one.scores[(*place, gone)] for one in known])


def _by_seed(chosen: Mapping[str, Sequence[Evaluated]], place: Place) -> dict[str, dict[int, np.ndarray]]:
    """Variant -> seed -> scores ``[E]`` of the runs that were evaluated there."""
    return {
        name: {one.run.seed: one.scores[(*place, WHOLE)] for one in own if place in one.texts}
        for name, own in chosen.items()
    }


def _summary(column: str, scores: np.ndarray) -> dict[str, float]:
    """Mean and standard deviation over seeds of the mean over examples; `scores` ``[S, E]``."""
    mean, std = mean_std(scores.mean(1))
    return {f"{column}_mean": mean, f"{column}_std": std}
