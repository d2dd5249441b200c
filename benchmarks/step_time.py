"""Milliseconds of a training step of every variant of step 1, in turn on the same batches.

    python -m benchmarks.step_time --base.data.path FOLDER_OF_SST \\
        --out results/records/benchmarks/step_time-step1_sentiment.json

``--base`` is any config of step 1. The tables take their column of step times from this record: the times that runs
record themselves depend on what ran beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import tyro

from benchmarks.report import machine, write_report
from benchmarks.timing import Arm, Timing, side_by_side
from common.training.config import RuntimeConfig
from common.training.evaluate import resolve_device
from common.training.precision import resolve_precision
from results.table1_ablation.configs import VARIANTS as ABLATION
from results.table1_sentiment.configs import VARIANTS as TABLE
from step1_sentiment.config import SentimentConfig, small, variant
from step1_sentiment.data import SentimentData, build_data
from step1_sentiment.model import build_model
from step1_sentiment.task import SentimentTask


@dataclass(frozen=True, kw_only=True)
class Settings(Timing):
    """What is compared."""

    base: SentimentConfig = field(default_factory=small)
    """Config whose variants are compared."""
    variants: tuple[str, ...] = tuple(dict.fromkeys((*TABLE, *ABLATION)))


def make(config: SentimentConfig, data: SentimentData) -> SentimentTask:
    return SentimentTask(build_model(config, data.processor, len(data.text.label_names)))


def run(settings: Settings) -> dict:
    """Median over rounds and batches, and its ratio to the first variant's."""
    device = resolve_device(settings.device)
    base = settings.base
    precision = resolve_precision(base.train.precision, device)
    base = replace(base, train=replace(base.train, precision=precision))
    configs = {name: variant(base, name) for name in settings.variants}
    runtime = RuntimeConfig(cache_dir=settings.cache, progress=False)
    # Variants with the same streams share their batches.
    by_streams = {config.streams: config for config in configs.values()}
    data = {streams: build_data(config, runtime) for streams, config in by_streams.items()}
    arms = {
        name: Arm(config.train, partial(make, config, data[config.streams]), data[config.streams].loaders["train"])
        for name, config in configs.items()
    }
    rows = side_by_side(arms, settings, device)
    shape = {
        "steps": settings.steps, "warm": settings.warm, "rounds": settings.rounds, "dataset": base.data.name,
        "backbone": base.backbone, "max_length": base.train.max_length, "batch_size": base.train.batch_size,
        "precision": precision,
    }  # fmt: skip
    return {"benchmark": "step_time", "settings": shape, "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
