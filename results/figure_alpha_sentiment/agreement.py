"""Do α, contribution, leave-one-out and Shapley values say the same? And do they recover what was planted?

A stream is called important only where the measures agree. They are every measure that a record has by stream, among
them the signed projection where it was recorded. Agreement is Spearman's rank correlation between them, a mean over
seeds; on planted data each has a rank correlation with, and a calibration against, the planted shares. Shapley values
are those of the variants trained with stream dropout (``dm_dropout``, ``li_dropout``); the other models never met an
absent stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from common.evaluation.importance import agreement, validity
from common.evaluation.planted_parts import parts_of, shapley_shares
from results.figure_alpha_sentiment.values import site_values
from results.reader import Run, where

Measures = dict[str, dict[str, float]]


def measures(run: Run) -> Measures:
    """Measure -> stream -> value for one run; a measure that the run does not have is left out.

    ``alpha`` and ``effective`` are means of magnitudes over the sites, ``contribution`` and ``projection`` (signed) are
    means over the sites, ``zero``, ``mean`` and ``permutation`` losses of accuracy, ``shapley`` is the value itself.
    """
    sites = where(site_values([run]), stream=list(run.streams))  # without the recurrent term
    result: Measures = {}
    for name in sorted(set(sites["quantity"])):
        part = where(sites, quantity=name)
        part = part if name == "projection" else part.assign(value=part["value"].abs())
        result[name] = {stream: float(where(part, stream=stream)["value"].mean()) for stream in run.streams}
    if run.importance is not None:
        full = run.importance["accuracy_full"]
        for way, scores in run.importance["leave_one_out"].items():
            result[way] = {stream: full - score for stream, score in scores.items()}
        if "shapley" in run.importance:
            result["shapley"] = dict(run.importance["shapley"])
    return result


def importance_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns variant, measure, stream, mean, std (NaN with one seed), seeds."""
    rows = [
        (run.name, measure, stream, value)
        for run in runs
        if len(run.streams) > 1
        for measure, values in measures(run).items()
        for stream, value in values.items()
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(["variant", "measure", "stream", "value"]))
    groups = frame.groupby(["variant", "measure", "stream"], sort=False, as_index=False)
    return groups.agg(mean=("value", "mean"), std=("value", "std"), seeds=("value", "size"))


def agreement_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns variant, first, second, spearman: mean over seeds of the rank correlation over streams."""
    rows = []
    for run in runs:
        if len(run.streams) < 3:
            continue
        matrix = agreement(measures(run))
        names = list(matrix.index)
        rows += [
            (run.name, first, second, matrix.loc[first, second])
            for k, first in enumerate(names)
            for second in names[k + 1 :]
        ]
    frame = pd.DataFrame(rows, columns=pd.Index(["variant", "first", "second", "spearman"]))
    groups = frame.groupby(["variant", "first", "second"], sort=False, as_index=False)
    return groups.agg(spearman=("spearman", "mean"))


def validity_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns variant, measure, spearman, calibration_error, slope, intercept, seeds: means over the seeds.

    Only runs whose data state planted shares count; a measure without any positive value gives NaN.
    """
    rows = []
    for run in runs:
        shares = planted_shares(run)
        if len(run.streams) < 2 or not any(shares.values()):
            continue
        for measure, values in measures(run).items():
            known = any(value > 0 for value in values.values())
            found = validity(shares, values) if known else {}
            rows.append({"variant": run.name, "measure": measure, **found})
    columns = ["variant", "measure", "spearman", "calibration_error", "slope", "intercept"]
    frame = pd.DataFrame(rows, columns=pd.Index(columns))
    means = {name: (name, "mean") for name in columns[2:]}
    groups = frame.groupby(["variant", "measure"], sort=False, as_index=False)
    return groups.agg(**means, seeds=("measure", "size"))


def planted_shares(run: Run) -> Mapping[str, float]:
    """Stream -> share of the label information that was planted in it; all zero where nothing was planted.

    Of what several streams carry it is the Shapley share among the streams that the run has.
    """
    planted = run.settings["data"].get("planted_shares") or () if run.dataset == "planted" else ()
    return shapley_shares(parts_of(planted), run.streams)
