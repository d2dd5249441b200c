"""Accuracy by what the answer to a question about a generated scene needs: the picture, the words, or both.

A model that uses pictures gains where they are needed and loses nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from common.evaluation.statistics import multi_bootstrap
from results.reader import where
from results.style import OKABE_ITO, panels, shown
from results.vision_language import Section, scores_by_seed, texts

NEEDS = {"image": "needs the picture", "text": "needs the words", "both": "needs both"}
"""What the data say of a question -> title of its panel."""
COLUMNS = ("variant", "needs", "seeds", "examples", "accuracy", "low", "high")


def accuracy_by_need(section: Section, variants: Sequence[str]) -> pd.DataFrame:
    """Columns :data:`COLUMNS`: accuracy in [0, 1], mean over seeds, with its 95 % bootstrap interval over examples.

    The interval speaks of the models as they were trained; the choice of seeds is not in it. Empty for data that do
    not say what a question needs.
    """
    rows = []
    for variant, by_seed in scores_by_seed(section, variants).items():
        scores = np.stack([by_seed[seed] for seed in sorted(by_seed)])  # [S, E]
        needs = texts(section.by_name[variant][0], ["needs"])["needs"].to_numpy()
        for need in NEEDS:
            part = scores[:, needs == need]
            if part.size:
                each = part.mean(0, keepdims=True)  # [1, E]
                mean = multi_bootstrap(each, np.zeros_like(each))
                rows.append((variant, need, *part.shape, mean.estimate, mean.low, mean.high))
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def need_figure(values: pd.DataFrame) -> Figure | None:
    """A panel per need, a point with its interval per variant; None without values."""
    if values.empty:
        return None
    variants = list(dict.fromkeys(values["variant"]))
    needs = [name for name in NEEDS if name in set(values["needs"])]
    figure, axes = panels(1, len(needs), height=0.8 + 0.19 * len(variants), sharex=True, sharey=True)
    heights = range(len(variants))
    for axis, need in zip(axes[0], needs, strict=True):
        rows = where(values, needs=need).set_index("variant").reindex(variants)
        axis.hlines(heights, 100 * rows["low"], 100 * rows["high"], color=OKABE_ITO[0])
        axis.plot(100 * rows["accuracy"], heights, color=OKABE_ITO[0], linestyle="none", marker="o")
        axis.set_title(f"{NEEDS[need]} ({int(rows['examples'].max()):,} questions)")
    axes[0][0].set_yticks(heights, [shown(name) for name in variants])
    axes[0][0].set_ylim(len(variants) - 0.5, -0.5)
    axes[0][0].set_xlim(-2, 102)
    figure.supxlabel("accuracy on test questions (%)", fontsize="medium")
    return figure
