"""The reference path (backbone alone) in this repository's training loop against Hugging Face's ``Trainer``.

    python -m benchmarks.trainer --path FOLDER_OF_SST [--out results/records/benchmarks/trainer.json]

Same backbone, batch size, precision, optimiser, clipping and texts. Contestants alternate within one process; a
contestant's samples per second count from its `warm`-th to its last training forward.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import transformers
import tyro

from benchmarks.report import machine, write_report
from common.data.text import DataConfig
from common.training.config import RuntimeConfig, TrainConfig
from common.training.loader import BucketedLoader
from common.training.memory import keep_freed
from common.training.record import RunRecord
from common.training.trainer import fit
from step1_sentiment.config import SentimentConfig, variant
from step1_sentiment.data import SentimentData, build_data
from step1_sentiment.model import build_model
from step1_sentiment.task import SentimentTask


@dataclass(frozen=True)
class Settings:
    """What is compared."""

    path: str
    """Folder of SST's PTB trees."""
    backbone: str = "minilm"
    batch_size: int = 32
    steps: int = 60
    """Training steps per round."""
    warm: int = 10
    """Steps that are not counted."""
    rounds: int = 3
    precision: str = "bf16"
    threads: int = 0
    out: Path | None = None
    """Where the record goes."""


class Clock:
    """Time and size of every training forward of a model."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.times: list[float] = []
        self.sizes: list[int] = []
        self._handle = model.register_forward_pre_hook(self._tick, with_kwargs=True)

    def _tick(self, model: torch.nn.Module, _args, kwargs) -> None:
        if model.training:
            self.times.append(time.perf_counter())
            self.sizes.append(len(kwargs["input_ids"]))

    def samples_per_second(self, warm: int) -> float:
        return sum(self.sizes[warm:-1]) / (self.times[-1] - self.times[warm])


def train_config(settings: Settings, bucket: bool) -> TrainConfig:
    return TrainConfig(
        epochs=1, batch_size=settings.batch_size, max_length=80, precision=settings.precision,  # pyright: ignore
        bucket=bucket, checkpoint_every=10**6, weight_decay=0.0, lr_streams=1e-4, lr_head=1e-4,
    )  # fmt: skip


def cut(data: SentimentData, settings: Settings, bucket: bool) -> dict[str, BucketedLoader]:
    """As many training texts as the steps need, and one validation batch (the loop wants one to select on)."""
    count = settings.batch_size * settings.steps
    train, validation = data.loaders["train"], data.loaders["validation"]
    items = train.items[:count]
    lengths = [len(encoded.input_ids) for encoded, _ in items]
    return {
        "train": BucketedLoader(items, train.collate, settings.batch_size, lengths, shuffle=True, bucket=bucket),
        "validation": BucketedLoader(validation.items[: settings.batch_size], validation.collate, settings.batch_size),
    }


def ours(config: SentimentConfig, data: SentimentData, settings: Settings, bucket: bool) -> float:
    """Samples per second of :func:`common.training.trainer.fit`."""
    torch.manual_seed(0)
    task = SentimentTask(build_model(config, data.processor, 5))
    clock = Clock(task.model)
    with tempfile.TemporaryDirectory() as folder:
        record = RunRecord(Path(folder), "benchmark", "ours", config)
        runtime = RuntimeConfig(runs_dir=folder, progress=False, threads=settings.threads)
        fit(task, cut(data, settings, bucket), train_config(settings, bucket), runtime, Path(folder), record)
    return clock.samples_per_second(settings.warm)


def hugging_face(config: SentimentConfig, data: SentimentData, settings: Settings) -> float:
    """Samples per second of ``transformers.Trainer`` with its default loader (random order)."""
    torch.manual_seed(0)
    model = build_model(config, data.processor, 5).backbone
    clock = Clock(model)
    items = data.loaders["train"].items[: settings.batch_size * settings.steps]
    rows = [{"input_ids": encoded.input_ids, "labels": label} for encoded, label in items]
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            output_dir=folder, per_device_train_batch_size=settings.batch_size, num_train_epochs=1, report_to=[],
            bf16=settings.precision == "bf16", use_cpu=not torch.cuda.is_available(), save_strategy="no",
            logging_strategy="no", disable_tqdm=True, learning_rate=1e-4, max_grad_norm=1.0,
        )  # fmt: skip
        collator = transformers.DataCollatorWithPadding(data.processor.tokenizer)
        transformers.Trainer(model, arguments, collator, rows).train()  # pyright: ignore[reportArgumentType]
    return clock.samples_per_second(settings.warm)


def run(settings: Settings) -> dict:
    """All contestants in turn; median samples per second and ratio to Trainer's."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    if not torch.cuda.is_available():
        keep_freed()  # `fit` does; the contestants share this process, so it holds for all of them
    base = SentimentConfig(
        backbone=settings.backbone,
        data=DataConfig(name="sst5", path=settings.path),
        train=train_config(settings, False),
    )
    config = variant(base, "meaning")
    with tempfile.TemporaryDirectory() as cache:
        data = build_data(config, RuntimeConfig(cache_dir=cache, progress=False))
    contestants: dict[str, Callable[[], float]] = {
        "transformers.Trainer": lambda: hugging_face(config, data, settings),
        "ours": lambda: ours(config, data, settings, bucket=False),
        "ours, bucketed": lambda: ours(
            replace(config, train=train_config(settings, True)), data, settings, bucket=True
        ),
    }
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(settings.rounds):
        for name, contestant in contestants.items():
            speeds[name].append(contestant())
    reference = statistics.median(speeds["transformers.Trainer"])
    rows = [
        {
            "contestant": name,
            "samples_per_second": statistics.median(values),
            "ratio": statistics.median(values) / reference,
        }
        for name, values in speeds.items()
    ]
    shape = {key: value for key, value in asdict(settings).items() if key not in ("out", "path")}
    return {"benchmark": "trainer", "settings": shape, "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
