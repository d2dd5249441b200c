"""The numbers behind the figures, as tidy frames with one row per seed.

α and contributions per token are averaged over the tokens that the head reads. The effective weight of a stream at a
site is its α times the γ of all later sites. Matrix rules (LI) have no α.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from common.evaluation.importance import effective_weights
from common.evaluation.wordclasses import word_class
from results.reader import Run, traces, where

MATRIX_RECURRENCE = ("dm_linear",)
"""Rules whose state passes through a matrix beside γ: the product of their γ says nothing."""


def at_best_step(run: Run) -> pd.DataFrame:
    """The traces of the weights that were tested: those of the best step, or of the last step traced before it."""
    frame = run.alphas
    steps = frame.loc[frame["step"] <= run.final.get("best_step", frame["step"].max()), "step"]
    return where(frame, step=steps.max())


def site_values(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns variant, seed, quantity (alpha, effective, contribution, projection), stream, site, value.

    Records of the first version have no projection.
    """
    frames = []
    for run in runs:
        final = at_best_step(run)
        kept = where(final, quantity=["alpha", "contribution", "projection"])
        frames += [part.assign(variant=run.name, seed=run.seed) for part in (kept, _effective(run, final))]
    return pd.concat(frames, ignore_index=True)


def training_values(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns variant, seed, step, quantity (alpha, contribution), stream, site, value."""
    return where(traces(runs), quantity=["alpha", "contribution"])


def word_values(runs: Sequence[Run], rare_at: int) -> pd.DataFrame:
    """Columns variant, seed, stream, word_class, contribution (mean over occurrences), words (distinct ones).

    Rarity is judged by the count in the training split.
    """
    frames = []
    for run in runs:
        if run.words is None:
            continue
        words = run.words
        pairs = zip(words["word"], words["train_count"], strict=True)
        classes = [word_class(word, int(count), rare_at) for word, count in pairs]
        words = words.assign(word_class=classes, weighted=words["contribution"] * words["count"])
        sums = words.groupby(["stream", "word_class"], as_index=False).agg(
            weighted=("weighted", "sum"), count=("count", "sum"), words=("word", "nunique")
        )
        sums["contribution"] = sums["weighted"] / sums["count"]
        frames.append(sums.drop(columns=["weighted", "count"]).assign(variant=run.name, seed=run.seed))
    columns = ["stream", "word_class", "words", "contribution", "variant", "seed"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=pd.Index(columns))


def left_out_values(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns variant, seed, way (zero, mean, permutation), stream, accuracy, full, chance; accuracies in [0, 1]."""
    rows = [
        (run.name, run.seed, way, stream, accuracy, run.importance["accuracy_full"], run.importance.get("chance"))
        for run in runs
        if run.importance is not None
        for way, scores in run.importance["leave_one_out"].items()
        for stream, accuracy in scores.items()
    ]
    return pd.DataFrame(rows, columns=pd.Index(["variant", "seed", "way", "stream", "accuracy", "full", "chance"]))


def _effective(run: Run, final: pd.DataFrame) -> pd.DataFrame:
    """Effective weights where γ alone carries the state on and every site above the first has one; else no rows."""
    alpha, gamma = where(final, quantity="alpha"), where(final, quantity="gamma")
    decay = dict(zip(gamma["site"], gamma["value"], strict=True))
    sites = sorted(set(alpha["site"]))
    if not sites or run.rule in MATRIX_RECURRENCE or not set(sites[1:]) <= set(decay):
        return final.iloc[:0]
    kept = effective_weights([1.0] * len(sites), [decay.get(site, 0.0) for site in sites])
    share = dict(zip(sites, kept, strict=True))
    return alpha.assign(quantity="effective", value=alpha["value"] * alpha["site"].map(share))
