"""Costs measured side by side, which the tables show in place of those that runs recorded beside other jobs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from results.reader import RECORDS, RecordError, Run


def step_time_records(step: str, records: Path = RECORDS) -> list[Path]:
    """The records of a step, of which each is of one setting."""
    return sorted((records / "benchmarks").glob(f"step_time-{step}*.json"))


@dataclass(frozen=True)
class StepTimes:
    """Milliseconds per training step of each variant in one setting."""

    shape: Mapping[str, Any]
    """What was measured, of which :data:`FACTS` are compared with a run."""
    by_variant: Mapping[str, float]
    description: str
    """Machine and shape, for a caption."""
    flops_per_text: Mapping[str, float] = field(default_factory=dict)
    """FLOPs of the forward of one text, where they were counted."""

    def of(self, name: str, run: Run) -> float:
        """Milliseconds of a variant, NaN where it was not measured in the setting of `run`."""
        return self.by_variant.get(name, math.nan) if self.fits(run) else math.nan

    def fits(self, run: Run) -> bool:
        """Whether `run` is in all :data:`FACTS` that were noted as what was measured."""
        return all(_as_noted(self.shape[name], fact(run)) for name, fact in FACTS.items() if name in self.shape)


FACTS: dict[str, Callable[[Run], Any]] = {
    "dataset": lambda run: run.dataset,
    "backbone": lambda run: run.backbone,
    "size": lambda run: run.settings.get("size"),
    "scratch": lambda run: run.settings.get("scratch"),
    "objective": lambda run: run.settings.get("objective"),
    "task": lambda run: run.settings["data"].get("scene_task"),
    "vision": lambda run: run.settings["vision"]["name"],
    "image_size": lambda run: run.settings["vision"].get("image_size"),
    "max_length": lambda run: run.settings["train"].get("max_length"),
}
"""Field of a record's settings -> what a run says of it, None where it says nothing."""


def _as_noted(noted: Any, own: Any) -> bool:
    """Equal, in the fields that were noted."""
    if isinstance(noted, dict) and isinstance(own, dict):
        return all(own.get(name) == value for name, value in noted.items())
    return noted == own


def read_step_times(step: str, records: Path = RECORDS) -> StepTimes | None:
    """What :mod:`benchmarks.step_time` or :mod:`benchmarks.language_step_time` measured, None where there is none.

    Raises:
        RecordError: a file that cannot be read, or several.
    """
    paths = step_time_records(step, records)
    if len(paths) > 1:
        raise RecordError(
            f"{step} has several records of step times, its tables show one: {', '.join(map(str, paths))}"
        )
    return _read(paths[0]) if paths else None


def fitting_step_times(runs: Sequence[Run], records: Path = RECORDS) -> StepTimes | None:
    """What :mod:`benchmarks.vision_step_time` measured in the setting of `runs`, None where there is none.

    Raises:
        RecordError: a file that cannot be read.
    """
    paths = step_time_records(runs[0].config["step"], records)
    return next((times for times in map(_read, paths) if times.fits(runs[0])), None)


def _read(path: Path) -> StepTimes:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        shape, machine, rows = report["settings"], report["machine"], report["rows"]
        return StepTimes(
            shape={name: shape[name] for name in ("dataset", "backbone")} | shape,
            by_variant={row["variant"]: float(row["step_ms"]) for row in rows if row["step_ms"] is not None},
            description=f"batch {shape['batch_size']}, {shape['precision']}, "
            f"{machine['gpu'] or '{cpu}, {threads} threads'.format(**machine)}",
            flops_per_text={row["variant"]: float(row["flops_per_text"]) for row in rows if "flops_per_text" in row},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path} is no record of step times ({error!r}); measure it again") from error
