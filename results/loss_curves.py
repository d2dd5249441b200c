"""Validation loss against what a run has read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from results.reader import Run, where
from results.style import LINES, OKABE_ITO, panels, shown


def loss_values(by_variant: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """Columns variant, seed, tokens (read so far), split, loss (nats per token)."""
    frames = []
    for variant, runs in by_variant.items():
        for run in runs:
            losses = where(run.metrics, metric="loss", split=["train", "validation"])
            read = losses["epoch"] * run.environment["data_used_tokens"]["train"]
            frames.append(
                losses.assign(variant=variant, seed=run.seed, tokens=read, loss=losses["value"])[
                    ["variant", "seed", "tokens", "split", "loss"]
                ]
            )
    return pd.concat(frames, ignore_index=True)


def loss_figure(values: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Training loss (mean over seeds) against tokens read, a line per variant."""
    figure, axes = panels(1, 1, 4.5, 2.8)
    axis = axes[0][0]
    for k, variant in enumerate(name for name in variants if name in set(values["variant"])):
        part = values.loc[(values["variant"] == variant) & (values["split"] == "train")]
        mean = part.groupby("tokens")["loss"].mean()
        axis.plot(mean.index, mean, color=OKABE_ITO[k % 8], linestyle=LINES[k % len(LINES)], label=shown(variant))
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.set_xlabel("tokens of training text read")
    axis.set_ylabel("training loss (nats per token)")
    figure.legend(loc="outside upper center", ncols=4)
    return figure
