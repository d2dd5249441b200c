"""Which runs belong together: keys by which configs are told apart, and the config that a table shows of a variant."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from results.reader import RecordError, Run


def variant_key(run: Run) -> str:
    """12 hex digits, equal for runs that differ in the training seed only."""
    settings = deepcopy(run.settings)
    settings["train"].pop("seed")
    return _digest({"step": run.config["step"], "config": settings})


def recipe(run: Run) -> dict[str, Any]:
    """The config but for the training seed; of frozen mixing weights, which come from a run per seed, only how they
    were taken and from which variant: ``transfer``, ``dm_b``.
    """
    settings = deepcopy(run.settings)
    settings["train"].pop("seed")
    transfer = settings.get("transfer", {})
    if transfer.get("arm", "none") != "none":
        source = Path(transfer.get("source", "")).name.rpartition("-")[0]
        settings["transfer"] = {"arm": transfer["arm"], "source": source}
    return settings


def tried(runs: Iterable[Run]) -> int:
    """How many configs `runs` have, see :func:`recipe`."""
    return len({_digest({"step": run.config["step"], "config": recipe(run)}) for run in runs})


SCRATCH = "scratch"
"""Backbone that starts from random weights."""
SIZES = ("size", "scratch")
"""Fields of a step's config that say how large a backbone is that starts from random weights."""


def setting_key(run: Run) -> str:
    """12 hex digits, equal for runs that one table may compare: same step, data, backbone and its size, and as many
    training tokens, wherever data and backbone lie.
    """
    here = {"step": run.config["step"], "data": data_of(run), "backbone": run.backbone}
    if run.backbone == SCRATCH:
        here |= {name: run.settings[name] for name in SIZES if name in run.settings}
    return _digest(placeless(here | {"tokens": run.settings.get("train_tokens", 0)}))


PLANTED = ("settings", "classes", "noise", "tested")
"""Fields that say which data a run makes for itself, where its config has no ``data``."""


def data_of(run: Run) -> Any:
    """What a run's config says of its data."""
    return run.settings.get("data") or [run.settings.get(name) for name in PLANTED]


def most_frequent_setting(runs: Sequence[Run]) -> list[Run]:
    """Of `runs` those of the setting that most of them have, for tables that show one."""
    return max(grouped(runs, setting_key).values(), key=len, default=[])


PATHS = ("path", "also_path", "weights")
"""Fields of configs that say where something lies."""


def placeless(value: Any) -> Any:
    """`value` with local paths cut to their last part."""
    if isinstance(value, dict):
        return {
            key: Path(part).name if key in PATHS and isinstance(part, str) and part else placeless(part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [placeless(part) for part in value]
    return Path(value).name if isinstance(value, str) and value.startswith(("/", "~", ".")) else value


def grouped(runs: Iterable[Run], key: Any) -> dict[str, list[Run]]:
    """Runs by ``key(run)``, both in the order of `runs`."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return groups


def by_variant(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Variant -> the runs of the config to show, in the order of the seeds, of runs that one table compares.

    Of several configs of a variant: most seeds, then the number format that most variants can be shown in, so that
    rows differ in as little else as can be, then the best on the validation split by the metric that chose its weights.
    The test has no say.

    Raises:
        RecordError: two records of one config and seed.
    """
    candidates = {name: _most_seeds(group) for name, group in grouped(runs, lambda run: run.name).items()}
    if all(len(configs) == 1 for configs in candidates.values()):
        return {name: configs[0] for name, configs in candidates.items()}
    common = Counter(form for configs in candidates.values() for form in {_formats(config) for config in configs})

    def worth(config: Sequence[Run]) -> tuple[int, str, float]:
        form = _formats(config)
        return common[form], form, float(np.mean([_selected(run) for run in config]))

    return {name: max(configs, key=worth) for name, configs in candidates.items()}


def _most_seeds(runs: Sequence[Run]) -> list[list[Run]]:
    """The configs with most seeds, each in the order of its seeds."""
    groups = grouped(runs, variant_key)
    for group in groups.values():
        if len({run.seed for run in group}) < len(group):
            raise RecordError(f"two records of one config and seed: {', '.join(str(run.folder) for run in group)}")
    most = max(map(len, groups.values()))
    return [sorted(groups[key], key=lambda run: run.seed) for key in sorted(groups) if len(groups[key]) == most]


def _formats(runs: Iterable[Run]) -> str:
    return ", ".join(sorted({run.number_format for run in runs}))


def _selected(run: Run) -> float:
    """What `run` reached on its validation split, higher is better; 0 where it has none."""
    train = run.settings["train"]
    value = float(run.final.get(f"validation_{train.get('select_metric')}", 0.0))
    return -value if train.get("select_mode") == "min" else value


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
