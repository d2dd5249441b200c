"""The numbers behind the figures, as tidy frames with one row per seed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from common.evaluation.importance import effective_weights
from common.evaluation.wordclasses import word_class
from results.reader import Run, traces, where


def at_best_step(run: Run) -> pd.DataFrame:
    """The traces of the weights that were tested: those of the best step, or of the last step traced before it."""
    frame = run.alphas
    steps = frame.loc[frame["step"] <= run.final.get("best_step", frame["step"].max()), "step"]
    return where(frame, step=steps.max())


def site_values(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns variant, seed, quantity (alpha, effective, contribution), stream, site, value."""
    frames = []
    for run in runs:
        final = at_best_step(run)
        kept = where(final, quantity=["alpha", "contribution"])
        frames += [part.assign(variant=run.name, seed=run.seed) for part in (kept, _effective(final))]
    return pd.concat(frames, ignore_index=True)


def training_values(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns variant, seed, step, quantity (alpha, contribution), stream, site, value."""
    return where(traces(runs), quantity=["alpha", "contribution"])


def word_values(runs: Sequence[Run], rare_at: int) -> pd.DataFrame:
    """Columns variant, seed, stream, word_class, contribution (mean over occurrences), words (distinct ones).

    Rarity is judged by the column ``train_count`` where a record has it, otherwise by the count in the test split.
    """
    frames = []
    for run in runs:
        if run.words is None:
            continue
        words = run.words
        frequency = words["train_count"] if "train_count" in words else words["count"]
        classes = [word_class(word, int(count), rare_at) for word, count in zip(words["word"], frequency, strict=True)]
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


def _effective(final: pd.DataFrame) -> pd.DataFrame:
    """Effective weights where every site above the first has a γ; no rows otherwise."""
    alpha = where(final, quantity="alpha").pivot_table(index="site", columns="stream", values="value")
    gamma = where(final, quantity="gamma").groupby("site")["value"].mean()
    if alpha.empty or not set(alpha.index[1:]) <= set(gamma.index):
        return final.iloc[:0]
    weights = effective_weights(alpha.to_numpy(), gamma.reindex(alpha.index, fill_value=0.0).to_numpy())
    table = pd.DataFrame(weights, index=alpha.index, columns=alpha.columns).reset_index()
    return table.melt(id_vars="site", var_name="stream").assign(quantity="effective", step=final["step"].max())
