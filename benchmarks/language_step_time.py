"""Milliseconds of a training step of every variant of step 2 or 3, in turn on the same windows of text.

    python -m benchmarks.language_step_time --step step3_gpt --path FOLDER_OF_TEXTS \\
        --out results/records/benchmarks/step_time-step3_gpt.json

Compares variants of the preset ``small``. From this record the tables take their column of step times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tyro

from benchmarks.report import machine, write_report
from benchmarks.timing import Arm, Timing, side_by_side
from common.models.gpt2_size import SCRATCH
from common.training.config import RuntimeConfig
from common.training.evaluate import resolve_device
from common.training.precision import resolve_precision
from results.table2_mlm.configs import VARIANTS as MLM
from results.table3_gpt.configs import VARIANTS as GPT


@dataclass(frozen=True, kw_only=True)
class Settings(Timing):
    """What is compared."""

    step: Literal["step2_mlm", "step3_gpt"]
    path: str
    """Folder of the texts."""


def masked(base: Any, name: str, runtime: RuntimeConfig) -> Arm:
    """A variant of step 2."""
    from common.evaluation.word_facts import word_facts
    from common.variants import row
    from step2_mlm.data import build_data
    from step2_mlm.model import build_model
    from step2_mlm.task import MaskedLMTask

    config = row(base, name)
    data = build_data(config, runtime)
    facts = word_facts(data.corpus, False)

    def make() -> MaskedLMTask:
        return MaskedLMTask(build_model(config, data.corpus.tokenizer, data.vocabularies), facts)

    return Arm(config.train, make, data.loaders["train"])


def causal(base: Any, name: str, runtime: RuntimeConfig) -> Arm:
    """A variant of step 3."""
    from step3_gpt.config import variant
    from step3_gpt.data import build_data
    from step3_gpt.model import build_model
    from step3_gpt.task import GPTTask

    config = variant(replace(base, also=""), name)
    data = build_data(config, runtime)

    def make() -> GPTTask:
        return GPTTask(build_model(config, data.corpus.tokenizer, data.vocabularies), {})

    return Arm(config.train, make, data.loaders["train"])


def preset(step: str) -> Any:
    """The config ``small`` of a step."""
    if step == "step2_mlm":
        from step2_mlm.config import small
    else:
        from step3_gpt.config import small
    return small()


ARMS: dict[str, tuple[Callable[[Any, str, RuntimeConfig], Arm], tuple[str, ...]]] = {
    "step2_mlm": (masked, MLM),
    "step3_gpt": (causal, GPT),
}
"""Step -> maker of its arms, and its variants."""


def run(settings: Settings, base: Any = None) -> dict:
    """Median over rounds and batches, and its ratio to the first variant's.

    Args:
        settings: what is compared.
        base: config whose variants are compared; None takes the preset ``small``.
    """
    device = resolve_device(settings.device)
    runtime = RuntimeConfig(cache_dir=settings.cache, progress=False)
    base = base or preset(settings.step)
    precision = resolve_precision(base.train.precision, device)
    base = replace(
        base, data=replace(base.data, path=settings.path), train=replace(base.train, precision=precision)
    )  # fmt: skip
    build, names = ARMS[settings.step]
    rows = side_by_side({name: build(base, name, runtime) for name in names}, settings, device)
    shape = {
        "step": settings.step, "steps": settings.steps, "warm": settings.warm, "rounds": settings.rounds,
        "dataset": Path(settings.path).name, "backbone": base.backbone, "batch_size": base.train.batch_size,
        "max_length": base.train.max_length, "precision": precision,
    }  # fmt: skip
    if base.backbone == SCRATCH:
        shape |= {name: asdict(getattr(base, name)) for name in ("size", "scratch") if hasattr(base, name)}
    return {"benchmark": "language_step_time", "settings": shape, "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
