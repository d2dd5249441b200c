"""Which runs of two folders of records belong together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from results.grouping import data_of, grouped, placeless, recipe
from results.reader import RecordError, Run
from results.table4_vision_language.configs import STEP as VISION
from results.vision_language import task_of

Seeds = dict[int, Run]


@dataclass(frozen=True)
class Pair:
    """Runs of one variant and setting from both folders."""

    setting: str
    variant: str
    first: tuple[Run, ...]
    """Of the seeds that both folders have, in ascending order; may be empty."""
    second: tuple[Run, ...]
    """Of the same seeds in the same order."""
    further: tuple[tuple[Run, ...], tuple[Run, ...]] = ((), ())
    """Of each folder the runs of seeds that the other one lacks."""

    @property
    def any_run(self) -> Run:
        """A run of the pair."""
        return (*self.first, *self.further[0])[0]


def pairs(first: Sequence[Run], second: Sequence[Run]) -> tuple[list[Pair], list[Run], list[Run]]:
    """What can be compared, and the runs of each side that have no run of the same seed to be compared with.

    Where both sides have runs of the same config, seeds apart, these are paired; else, of each side, the config with
    most seeds, whatever else differs. Local paths count by their last part, so that two machines can be compared.

    Raises:
        RecordError: one side has two records of one config and seed.
    """
    called, found = titles([*first, *second]), []
    left, right = (_by_config(runs) for runs in (first, second))
    for key in left:
        if key not in right:
            continue
        same = [config for config in left[key] if config in right[key]]
        both = [(config, config) for config in same] or [(_most(left[key]), _most(right[key]))]
        for one, other in both:
            ours, theirs = left[key][one], right[key][other]
            seeds = sorted(ours.keys() & theirs.keys())
            setting, variant = key
            name = variant if len(both) == 1 else f"{variant} ({_any(ours).config['hash'][:6]})"
            further = (_without(ours, seeds), _without(theirs, seeds))
            found.append(
                Pair(called[setting], name, tuple(ours[s] for s in seeds), tuple(theirs[s] for s in seeds), further)
            )
    paired = {run.folder for pair in found for run in (*pair.first, *pair.second)}
    left_alone, right_alone = ([run for run in runs if run.folder not in paired] for runs in (first, second))
    return found, left_alone, right_alone


def setting_of(run: Run) -> str:
    """What names the data and the models that runs must share, the same on every machine."""
    parts = {name: run.settings.get(name) for name in ("backbone", "objective", "vision")} | {"data": data_of(run)}
    return json.dumps({"step": run.config["step"], **placeless(parts)}, sort_keys=True)


def titles(runs: Sequence[Run]) -> dict[str, str]:
    """Setting -> what it is called; numbered where several have one name."""
    plain = {setting: _title(group[0]) for setting, group in grouped(runs, setting_of).items()}
    names = list(plain.values())
    return {
        setting: f"{name} #{names[: k + 1].count(name)}" if names.count(name) > 1 else name
        for k, (setting, name) in enumerate(plain.items())
    }


def _title(run: Run) -> str:
    dataset = run.dataset if "data" in run.settings else ""
    task = task_of(run) if run.config["step"] == VISION else ""
    return ", ".join(filter(None, (run.config["step"], dataset, task, placeless(run.backbone))))


def _by_config(runs: Sequence[Run]) -> dict[tuple[str, str], dict[str, Seeds]]:
    """(setting, variant) -> config -> seed -> run."""
    found: dict[tuple[str, str], dict[str, Seeds]] = {}
    for run in runs:
        seeds = found.setdefault((setting_of(run), run.name), {}).setdefault(_config_of(run), {})
        if run.seed in seeds:
            raise RecordError(f"two records of one config and seed: {seeds[run.seed].folder} and {run.folder}")
        seeds[run.seed] = run
    return found


def _any(runs: Seeds) -> Run:
    return runs[min(runs)]


def _without(runs: Seeds, seeds: Sequence[int]) -> tuple[Run, ...]:
    return tuple(runs[seed] for seed in sorted(runs.keys() - set(seeds)))


def _most(configs: Mapping[str, Seeds]) -> str:
    return max(configs, key=lambda config: len(configs[config]))


def _config_of(run: Run) -> str:
    return json.dumps(placeless(recipe(run)), sort_keys=True)
