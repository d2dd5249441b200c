"""Costs measured side by side, which the tables show in place of those that runs recorded beside other jobs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from results.reader import RECORDS, RecordError, Run


def step_time_records(step: str, records: Path = RECORDS) -> list[Path]:
    """The records of a step, of which each is of one setting."""
    return sorted((records / "benchmarks").glob(f"step_time-{step}*.json"))


@dataclass(frozen=True)
class StepTimes:
    """Milliseconds per training step of each variant on one dataset and backbone."""

    dataset: str
    backbone: str
    by_variant: Mapping[str, float]
    description: str
    """Machine and shape, for a caption."""
    flops_per_text: Mapping[str, float] = field(default_factory=dict)
    """FLOPs of the forward of one text, where they were counted."""
    objective: str = ""
    """Of step 4, with the vision encoder; empty in others."""
    vision: str = ""
    size: Mapping[str, int] = field(default_factory=dict)
    """Of a language model from random weights."""

    def of(self, name: str, dataset: str, backbone: str) -> float:
        """Milliseconds of a variant, NaN where it was not measured on these data with this backbone."""
        if (self.dataset, self.backbone) != (dataset, backbone):
            return math.nan
        return self.by_variant.get(name, math.nan)

    def fits(self, run: Run) -> bool:
        """Whether `run` of step 4 has the data, objective and models that were measured."""
        seen, size = run.settings["vision"]["name"], run.settings["size"]
        here = (
            run.dataset,
            run.backbone,
            run.settings["objective"],
            seen,
            {name: size.get(name) for name in self.size},
        )
        return (self.dataset, self.backbone, self.objective, self.vision, self.size) == here


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
            dataset=shape["dataset"],
            backbone=shape["backbone"],
            by_variant={row["variant"]: float(row["step_ms"]) for row in rows if row["step_ms"] is not None},
            description=f"batch {shape['batch_size']}, {shape['precision']}, "
            f"{machine['gpu'] or '{cpu}, {threads} threads'.format(**machine)}",
            flops_per_text={row["variant"]: float(row["flops_per_text"]) for row in rows if "flops_per_text" in row},
            objective=shape.get("objective", ""),
            vision=shape.get("vision", ""),
            size=shape.get("size", {}),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path} is no record of step times ({error!r}); measure it again") from error
