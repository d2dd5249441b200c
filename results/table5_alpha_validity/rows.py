"""From runs on planted vectors to how well each measure recovers the planted shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from common.evaluation.statistics import mean_std
from results.best import UNTESTED, marks_by_seed
from results.grouping import by_variant
from results.reader import RecordError, Run, where
from results.table5_alpha_validity.configs import EQUAL, MEASURES, SCOPES

STATISTICS = {"spearman": "rank correlation", "calibration_error": "calibration error"}
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
    # What is equal but for the last bits is tied.
    long["truth"], long["share"] = long["truth"].round(12), (positive / total.where(total > 0)).round(12)
    return long.loc[:, [*named, "measure", "share"]]


def recovery(truth: np.ndarray, measured: np.ndarray) -> dict[str, float]:
    """``spearman`` and ``calibration_error`` (mean absolute gap) of measured and planted shares; NaN where not all are
    known, since rows are compared over the same settings.
    """
    if not np.isfinite(measured).all() or len(truth) < 3 or np.ptp(truth) == 0:
        return dict.fromkeys(STATISTICS, math.nan)
    ranked = math.nan if np.ptp(measured) == 0 else float(np.asarray(spearmanr(truth, measured))[0])
    return {"spearman": ranked, "calibration_error": float(np.abs(truth - measured).mean())}


def recovered(runs: Sequence[Run], variants: Sequence[str]) -> pd.DataFrame:
    """A row per scope, variant, seed and measure: scope, its number of settings, and of streams in all of them,
    variant, seed, record, accuracy, measure, and the :data:`STATISTICS` of values that pool all streams of the scope's
    settings. The measure ``equal`` calls all streams equal. Of several configs of one name, that with most seeds.
    """
    columns = ["scope", "settings", "streams", "variant", "seed", "record", "accuracy", "measure", *STATISTICS]
    by_name = by_variant(runs)
    rows: list[dict[str, object]] = []
    for run in [run for name in variants if name in by_name for run in by_name[name]]:
        whole = shares(run)
        said = {
            "variant": run.name,
            "seed": run.seed,
            "record": run.folder.name,
            "accuracy": run.final["test_accuracy"],
        }
        for scope in SCOPES:
            own = whole if scope == "all" else where(whole, kind=scope)
            size = {"settings": own["setting"].nunique(), "streams": len(own[["setting", "stream"]].drop_duplicates())}
            for measure, part in own.groupby("measure", sort=False):
                found = recovery(part["truth"].to_numpy(np.float64), part["share"].to_numpy(np.float64))
                rows.append({"scope": scope, **size, **said, "measure": measure, **found})
    return pd.DataFrame(rows, columns=pd.Index(columns))


def validity_frame(values: pd.DataFrame, statistic: str, scope: str, variants: Sequence[str]) -> pd.DataFrame:
    """A row per variant of `variants`, from :func:`recovered`.

    Returns:
        columns variant, settings, streams, seeds, records, accuracy_mean, accuracy_std, and for each measure
        ``<measure>_mean`` and ``_std`` over the ``_seeds`` that have it, and ``<measure>_mark``: whether the row is
        best by it. The last row, :data:`EQUAL`, says what is had without measuring, in the columns of ``alpha``.
    """
    known = where(values, scope=scope)
    by_name = {name: part for name in variants if not (part := where(known, variant=name)).empty}
    best = {measure: marks_by_seed(_by_seed(by_name, measure, statistic)) for measure in MEASURES}
    sizes = {name: known[name].max() for name in ("settings", "streams")}
    table: list[dict[str, object]] = []
    for name, part in by_name.items():
        own = part.drop_duplicates("record")
        row: dict[str, object] = {"variant": name, **sizes, "seeds": len(own), "records": " ".join(own["record"])}
        row["accuracy_mean"], row["accuracy_std"] = mean_std(own["accuracy"])
        for measure in MEASURES:
            row |= _summary(part, measure, statistic, measure) | {f"{measure}_mark": best[measure].get(name, UNTESTED)}
        table.append(row)
    if table:
        equal = _summary(next(iter(by_name.values())), "equal", statistic, "alpha")
        unknown = {"records": "", "accuracy_mean": math.nan, "accuracy_std": math.nan}
        table.append({"variant": EQUAL, **sizes, "seeds": 0, **unknown, **equal})
    return pd.DataFrame(table)


def _by_seed(by_name: Mapping[str, pd.DataFrame], measure: str, statistic: str) -> dict[str, dict[int, float]]:
    """Variant -> seed -> value, higher is better."""
    sign = -1.0 if statistic == "calibration_error" else 1.0
    found = {}
    for name, part in by_name.items():
        own = where(part, measure=measure)
        found[name] = dict(zip(own["seed"], sign * own[statistic], strict=True))
    return found


def _summary(part: pd.DataFrame, measure: str, statistic: str, column: str) -> dict[str, float]:
    known = where(part, measure=measure)[statistic].dropna()
    mean, std = mean_std(known)
    return {f"{column}_mean": mean, f"{column}_std": std, f"{column}_seeds": len(known)}
