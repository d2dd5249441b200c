"""A first look at runs of any step: mean and spread over seeds of what their final.json holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from common.evaluation.statistics import mean_std
from results.grouping import grouped
from results.reader import Run
from results.render import MISSING


def summary(runs: Sequence[Run], metrics: Mapping[str, str]) -> pd.DataFrame:
    """One row of text per variant, in the order of `runs`.

    Args:
        runs: finished runs of one setting.
        metrics: key of final.json -> header; values become ``mean ± standard deviation over seeds``.
    """
    rows = []
    for name, group in grouped(runs, lambda run: run.name).items():
        row = {"variant": name, "seeds": str(len(group))}
        for key, header in metrics.items():
            mean, spread = mean_std([float(run.final[key]) for run in group])
            row[header] = f"{mean:,.3f}" + ("" if spread != spread else f" ± {spread:,.3f}")
        row["params M"] = f"{group[0].final['parameters'] / 1e6:,.2f}"
        row["MFLOPs/token"] = f"{group[0].final['flops_per_token'] / 1e6:,.1f}"
        rows.append(row)
    return pd.DataFrame(rows).fillna(MISSING)
