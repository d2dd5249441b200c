"""Step times measured side by side, which the tables show in place of those that runs recorded beside other jobs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from results.reader import RECORDS, RecordError


def step_time_record(step: str) -> Path:
    """Where the step times of a step are, in the folder of records."""
    return Path("benchmarks") / f"step_time-{step}.json"


@dataclass(frozen=True)
class StepTimes:
    """Milliseconds per training step of each variant on one dataset and backbone."""

    dataset: str
    backbone: str
    by_variant: Mapping[str, float]
    description: str
    """Machine and shape, for a caption."""

    def of(self, name: str, dataset: str, backbone: str) -> float:
        """Milliseconds of a variant, NaN where it was not measured on these data with this backbone."""
        if (self.dataset, self.backbone) != (dataset, backbone):
            return math.nan
        return self.by_variant.get(name, math.nan)


def read_step_times(step: str, records: Path = RECORDS) -> StepTimes | None:
    """The record of ``benchmarks.step_time`` or ``benchmarks.language_step_time``, None where there is none.

    Raises:
        RecordError: a file that cannot be read.
    """
    path = records / step_time_record(step)
    if not path.exists():
        return None
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        shape, machine = report["settings"], report["machine"]
        return StepTimes(
            dataset=shape["dataset"],
            backbone=shape["backbone"],
            by_variant={row["variant"]: float(row["step_ms"]) for row in report["rows"]},
            description=f"batch {shape['batch_size']}, {shape['precision']}, "
            f"{machine['gpu'] or '{cpu}, {threads} threads'.format(**machine)}",
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path} is no record of step times ({error!r}); measure it again") from error
