"""Validation loss over training: mean over seeds against optimiser steps. For retrieval it is the contrastive loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from results.reader import Run, where
from results.style import LINES, OKABE_ITO, panels, shown

COLUMNS = ("variant", "seed", "step", "loss")


def validation_losses(by_variant: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """Columns :data:`COLUMNS`; the loss is that of the objective."""
    frames = [
        where(run.metrics, metric="loss", split="validation").assign(variant=variant, seed=run.seed)
        for variant, runs in by_variant.items()
        for run in runs
    ]
    return pd.concat(frames, ignore_index=True).rename(columns={"value": "loss"}).loc[:, list(COLUMNS)]


def loss_figure(values: pd.DataFrame, unit: str) -> Figure | None:
    """Mean over seeds against optimiser steps, a line per variant; None without values.

    Args:
        values: from :func:`validation_losses`.
        unit: of the loss, for the axis.
    """
    if values.empty:
        return None
    variants = list(dict.fromkeys(values["variant"]))
    figure, axes = panels(1, 1, 6.7, 3.2)
    for k, variant in enumerate(variants):
        rows = where(values, variant=variant)
        # Seeds may stop at different steps; a mean needs every seed.
        means = rows.groupby("step")["loss"].agg(["mean", "count"])
        means = means.loc[means["count"] == rows["seed"].nunique(), "mean"]
        turn = k // len(OKABE_ITO)  # when the colours begin again, the lines are others
        line = LINES[(k + turn) % len(LINES)]
        axes[0][0].plot(means.index, means, color=OKABE_ITO[k % len(OKABE_ITO)], linestyle=line, label=shown(variant))
    axes[0][0].set_xlabel("optimiser step")
    axes[0][0].set_ylabel(f"validation loss ({unit})")
    figure.legend(loc="outside upper center", ncols=4)
    return figure
