"""From runs on planted vectors to how well each measure recovers the planted shares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from common.evaluation.statistics import mean_std
from results.reader import RecordError, Run, recorded, where
from results.table5_alpha_validity.configs import EQUAL, MEASURES, SCOPES

STATISTICS = {"spearman": "rank correlation", "calibration_error": "calibration error", "slope": "slope"}
"""Statistic of planted and measured shares -> what a reader calls it."""


def shares(run: Run) -> pd.DataFrame:
    """Columns setting, kind, stream, truth, measure, share: of a setting the shares of each measure sum to 1.

    Values below zero (a score that rises without the stream) count as 0; a measure that is 0 for every stream, or that
    the rule does not have, is NaN.

    Raises:
        RecordError: the record cannot be read.
    """
    path = run.folder / "measures.parquet"
    try:
        wide = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise RecordError(
            f"{path} cannot be read ({error}); delete the folder {run.folder} and run it again"
        ) from error
    # Records of the first version lack the projection: not measured.
    wide = wide.reindex(columns=list(dict.fromkeys([*wide.columns, *MEASURES])))
    wide["kind"] = wide["setting"].str.split(" ").str[0]
    wide["equal"] = 1.0
    named = ["setting", "kind", "stream", "truth"]
    long = wide.melt(id_vars=named, value_vars=[*MEASURES, "equal"], var_name="measure", value_name="value")
    positive = long["value"].clip(lower=0.0)
    total = positive.groupby([long["setting"], long["measure"]]).transform(lambda part: part.sum(skipna=False))
    long["share"] = positive / total.where(total > 0)
    return long.loc[:, [*named, "measure", "share"]]


def recovery(truth: np.ndarray, measured: np.ndarray) -> dict[str, float]:
    """``spearman``, ``calibration_error`` (mean absolute gap of shares) and ``slope`` of measured on planted shares."""
    known = np.isfinite(measured)
    truth, measured = truth[known], measured[known]
    if len(truth) < 3 or np.ptp(truth) == 0:
        return dict.fromkeys(STATISTICS, math.nan)
    ranked = math.nan if np.ptp(measured) == 0 else float(np.asarray(spearmanr(truth, measured))[0])
    return {
        "spearman": ranked, "calibration_error": float(np.abs(truth - measured).mean()),
        "slope": float(np.polyfit(truth, measured, 1)[0]),
    }  # fmt: skip


def validity_frame(runs: Sequence[Run], variants: Iterable[str]) -> pd.DataFrame:
    """Columns scope, variant, seeds, accuracy_mean, accuracy_std, and for each measure and statistic
    ``<measure>_<statistic>_mean`` and ``_std``: over seeds, of values that pool all streams of the scope's settings.

    The row :data:`EQUAL` of each scope says what is had without measuring, in the columns of ``alpha``.
    """
    table = []
    by_name = {name: [run for run in runs if run.name == name] for name in variants}
    for scope in SCOPES:
        for name, group in by_name.items():
            if not group:
                continue
            row: dict[str, object] = {"scope": scope, "variant": name, "seeds": len(group), "records": recorded(group)}
            row["accuracy_mean"], row["accuracy_std"] = mean_std([run.final["test_accuracy"] for run in group])
            frames = [_of(shares(run), scope) for run in group]
            table.append(row | {k: v for measure in MEASURES for k, v in _summary(frames, measure, measure).items()})
        chosen = next((group for group in by_name.values() if group), [])
        if chosen:
            equal = _summary([_of(shares(run), scope) for run in chosen], "equal", "alpha")
            row = {"scope": scope, "variant": EQUAL, "seeds": 0, "accuracy_mean": math.nan, "accuracy_std": math.nan}
            table.append(row | equal)
    return pd.DataFrame(table)


def _of(frame: pd.DataFrame, scope: str) -> pd.DataFrame:
    return frame if scope == "all" else where(frame, kind=scope)


def _summary(frames: Sequence[pd.DataFrame], measure: str, column: str) -> dict[str, float]:
    found = []
    for frame in frames:
        part = where(frame, measure=measure)
        found.append(recovery(part["truth"].to_numpy(np.float64), part["share"].to_numpy(np.float64)))
    summary = {}
    for statistic in STATISTICS:
        mean, std = mean_std([one[statistic] for one in found])
        summary |= {f"{column}_{statistic}_mean": mean, f"{column}_{statistic}_std": std}
    return summary
