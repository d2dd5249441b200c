"""Milliseconds of a training step of every variant of step 2 or 3, side by side on the same windows of text.

    python -m benchmarks.language_step_time --step step3_gpt --path FOLDER_OF_TEXTS \\
        --out results/records/benchmarks/step_time-step3_gpt.json

Variants of the preset ``small`` alternate within one process, as in ``benchmarks.step_time``. From this record the
tables take their column of step times.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from benchmarks.report import machine, write_report
from benchmarks.step_time import step
from common.training.config import RuntimeConfig
from common.training.evaluate import resolve_device
from common.training.memory import keep_freed
from common.training.optimiser import build_optimiser
from common.training.precision import resolve_precision
from common.training.task import Task, to_device
from common.variants import row
from results.table2_mlm.configs import VARIANTS as MLM
from results.table3_gpt.configs import VARIANTS as GPT


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How variants are timed in turn, and where that is kept."""

    steps: int = 3
    """Timed steps per variant and round."""
    warm: int = 1
    """Steps before them that are not timed."""
    rounds: int = 2
    """Turns of each variant."""
    device: str = "auto"
    cache: str = "~/.cache/multistream"
    """Folder of corpora and features."""
    out: Path | None = None
    """Where the record goes."""


@dataclass(frozen=True, kw_only=True)
class Settings(Timing):
    """What is compared."""

    step: Literal["step2_mlm", "step3_gpt"]
    path: str
    """Folder of the texts."""


def masked(name: str, settings: Settings, runtime: RuntimeConfig) -> tuple[Any, Callable[[], Task], Any]:
    """Config, maker of the task, and loader of a variant of step 2."""
    from common.evaluation.word_facts import word_facts
    from step2_mlm.config import small
    from step2_mlm.data import build_data
    from step2_mlm.model import build_model
    from step2_mlm.task import MaskedLMTask

    base = small()
    config = row(replace(base, data=replace(base.data, path=settings.path)), name)
    data = build_data(config, runtime)
    facts = word_facts(data.corpus, False)
    make = lambda: MaskedLMTask(build_model(config, data.corpus.tokenizer, data.vocabularies), facts)  # noqa: E731
    return config, make, data.loaders["train"]


def causal(name: str, settings: Settings, runtime: RuntimeConfig) -> tuple[Any, Callable[[], Task], Any]:
    """Config, maker of the task, and loader of a variant of step 3."""
    from step3_gpt.config import small, variant
    from step3_gpt.data import build_data
    from step3_gpt.model import build_model
    from step3_gpt.task import GPTTask

    base = replace(small(), also="")
    config = variant(replace(base, data=replace(base.data, path=settings.path)), name)
    data = build_data(config, runtime)
    make = lambda: GPTTask(build_model(config, data.corpus.tokenizer, data.vocabularies), {})  # noqa: E731
    return config, make, data.loaders["train"]


def timed(config: Any, make: Callable[[], Task], loader: Any, timing: Timing, device: torch.device) -> list[float]:
    """Milliseconds of each timed step: forward, backward, clipping, update."""
    torch.manual_seed(0)
    task = make().to(device).train()
    optimiser = build_optimiser(task, task.parts(), config.train, fused=True)
    loader.set_epoch(0)  # every variant sees the same windows
    batches = [to_device(batch, device) for batch in islice(loader, timing.warm + timing.steps)]
    return [step(task, optimiser, batch, config.train, device) for batch in batches][timing.warm :]


def run(settings: Settings) -> dict:
    """Median over rounds and batches, and its ratio to the first variant's."""
    device = resolve_device(settings.device)
    if device.type == "cpu":
        keep_freed()  # as in training
    runtime = RuntimeConfig(cache_dir=settings.cache, progress=False)
    build, names = {"step2_mlm": (masked, MLM), "step3_gpt": (causal, GPT)}[settings.step]
    arms = {name: build(name, settings, runtime) for name in names}
    first = next(iter(arms.values()))[0]
    precision = resolve_precision(first.train.precision, device)
    times: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(settings.rounds):
        for name, (config, make, loader) in arms.items():
            chosen = replace(config, train=replace(config.train, precision=precision))
            times[name] += timed(chosen, make, loader, settings, device)
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = [{"variant": name, "step_ms": ms, "ratio": ms / medians[names[0]]} for name, ms in medians.items()]
    shape = {key: value for key, value in asdict(settings).items() if key not in ("path", "cache", "out")}
    shape |= {
        "dataset": Path(settings.path).name, "backbone": first.backbone, "batch_size": first.train.batch_size,
        "precision": precision,
    }  # fmt: skip
    return {"benchmark": "language_step_time", "settings": shape, "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
