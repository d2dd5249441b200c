"""Milliseconds of a training step of every variant of step 1, side by side on the same batches of SST.

    python -m benchmarks.step_time --path FOLDER_OF_SST \\
        --out results/records/benchmarks/step_time-step1_sentiment.json

Variants alternate within one process, so that whatever else the machine does falls on all of them. The tables take
their column of step times from this record: the times that runs record themselves depend on what ran beside them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import torch
import tyro

from benchmarks.report import machine, write_report
from common.data.text import DataConfig
from common.streams.config import StreamConfig
from common.training.config import RuntimeConfig, TrainConfig
from common.training.evaluate import resolve_device
from common.training.memory import keep_freed
from common.training.optimiser import build_optimiser
from common.training.precision import autocast
from common.training.task import Batch, Task, to_device
from results.table1_ablation.configs import VARIANTS as ABLATION
from results.table1_sentiment.configs import VARIANTS as TABLE
from step1_sentiment.config import SentimentConfig, small, variant
from step1_sentiment.data import SentimentData, build_data
from step1_sentiment.model import build_model
from step1_sentiment.task import SentimentTask


@dataclass(frozen=True)
class Settings:
    """What is compared."""

    path: str
    """Folder of SST's PTB trees."""
    backbone: str = "minilm"
    variants: tuple[str, ...] = tuple(dict.fromkeys((*TABLE, *ABLATION)))
    steps: int = 6
    """Timed steps per variant and round."""
    warm: int = 2
    """Steps before them that are not timed."""
    rounds: int = 3
    device: str = "auto"
    threads: int = 0
    out: Path | None = None
    """Where the record goes."""


def timed(config: SentimentConfig, data: SentimentData, settings: Settings, device: torch.device) -> list[float]:
    """Milliseconds of each timed step: forward, backward, clipping, update."""
    torch.manual_seed(0)
    task = SentimentTask(build_model(config, data.processor, len(data.text.label_names))).to(device)
    task.train()
    optimiser = build_optimiser(task, task.parts(), config.train, fused=True)
    loader = data.loaders["train"]
    loader.set_epoch(0)  # every variant sees the same texts
    batches = [to_device(batch, device) for batch in islice(loader, settings.warm + settings.steps)]
    return [step(task, optimiser, batch, config.train, device) for batch in batches][settings.warm :]


def step(
    task: Task, optimiser: torch.optim.Optimizer, batch: Batch, config: TrainConfig, device: torch.device
) -> float:
    """Milliseconds of one step: forward, backward, clipping, update."""
    start = time.perf_counter()
    optimiser.zero_grad(set_to_none=True)
    with autocast(config.precision, device):
        loss, _ = task.training_forward(batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(task.parameters(), config.clip)
    optimiser.step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start)


def _one_each(configs: Iterable[SentimentConfig]) -> dict[tuple[StreamConfig, ...], SentimentConfig]:
    """One config per set of streams: those share their batches."""
    return {config.streams: config for config in configs}


def run(settings: Settings) -> dict:
    """Median over rounds and batches, and its ratio to the first variant's."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    device = resolve_device(settings.device)
    if device.type == "cpu":
        keep_freed()  # as in training
    base = replace(small(), backbone=settings.backbone, data=DataConfig(name="sst5", path=settings.path))
    configs = {name: variant(base, name) for name in settings.variants}
    with tempfile.TemporaryDirectory() as cache:
        runtime = RuntimeConfig(cache_dir=cache, progress=False)
        data = {streams: build_data(config, runtime) for streams, config in _one_each(configs.values()).items()}
    times: dict[str, list[float]] = {name: [] for name in settings.variants}
    for _ in range(settings.rounds):
        for name, config in configs.items():
            times[name] += timed(config, data[config.streams], settings, device)
    medians = {name: statistics.median(values) for name, values in times.items()}
    first = medians[settings.variants[0]]
    rows = [{"variant": name, "step_ms": value, "ratio": value / first} for name, value in medians.items()]
    kept = {key: value for key, value in asdict(settings).items() if key not in ("out", "path", "variants")}
    shape = kept | {"dataset": "sst5", "batch_size": base.train.batch_size, "precision": base.train.precision}
    return {"benchmark": "step_time", "settings": shape, "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
