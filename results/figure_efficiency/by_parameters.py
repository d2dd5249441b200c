"""Gain over the reference alone against added parameters: a row per rule and domain, from the runs of every step.

Added parameters are those of the rule's model minus those of the reference alone. The gain is drawn in standard errors
(over seeds and examples, as in table 6), so that accuracies, captions and likelihoods stand on one axis. It says how
sure a gain is, not how large: that is in the table. Domains without the reference alone are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from results.figure_efficiency.configs import TASKS
from results.grouping import grouped
from results.reader import Run
from results.table6_universality.configs import REFERENCE
from results.table6_universality.domains import Domain, domains
from results.table6_universality.resampling import bounds, gains

COLUMNS = (
    "section", "variant", "task", "seeds", "paired_seeds", "parameters_added", "parameters_ratio", "score", "scale",
    "difference", "difference_low", "difference_high", "standard_error", "in_errors", "records",
)  # fmt: skip


def parameter_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Columns :data:`COLUMNS` of every domain of table 6 that has the reference alone, which has no row of its own.

    ``parameters_added`` is the parameters of the rule's model minus those of the reference, whatever they are in;
    ``difference`` and ``in_errors`` (over its standard error) are those of table 6. A standard error over one seed
    (``paired_seeds``) knows nothing of how much training varies.
    """
    by_name = {run.folder.name: run for run in runs}
    rows = [row for one in domains(runs) if one.anchor == REFERENCE for row in _domain(one, by_name)]
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def _domain(domain: Domain, by_name: Mapping[str, Run]) -> list[dict[str, object]]:
    own = {rule: [by_name[name] for name in domain.records[rule].split()] for rule in domain.rules}
    task = TASKS.get(own[REFERENCE][0].config["step"])
    if task is None:  # runs without a model of a size
        return []
    drawn, base = gains(domain), _parameters(own[REFERENCE])
    low, high = bounds(drawn.replicates)
    errors = drawn.standard_errors
    return [
        {
            "section": domain.title, "variant": rule, "task": task, "seeds": len(domain.scores[rule]),
            "paired_seeds": drawn.seeds[k], "parameters_added": _parameters(own[rule]) - base,
            "parameters_ratio": _parameters(own[rule]) / base, "score": domain.called, "scale": domain.scale,
            "difference": drawn.estimates[k], "difference_low": low[k], "difference_high": high[k],
            "standard_error": errors[k], "in_errors": drawn.estimates[k] / errors[k], "records": domain.records[rule],
        }
        for k, rule in enumerate(drawn.rules) if rule != REFERENCE
    ]  # fmt: skip


def _parameters(runs: Sequence[Run]) -> float:
    """Of a rule's model. Seeds do not change it; an ensemble of several variants has those of all its members."""
    sizes = [{run.final.get("parameters", math.nan) for run in group} for group in _variants(runs)]
    return float(np.sum([max(size) for size in sizes]))


def _variants(runs: Sequence[Run]) -> list[list[Run]]:
    return list(grouped(runs, lambda run: run.name).values())
