"""One run: on every planted setting, train a model and take all measures.

Each stream has an encoder of its own, a rule joins them at every depth, and a head that is not linear reads the state.
The measures are written beside the planted truth (``measures.parquet``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from alpha_validity.config import ValidityRunConfig
from alpha_validity.measures import MEASURES, accuracy, all_measures
from alpha_validity.model import VectorModel
from alpha_validity.settings import PLANTED, SETTINGS
from common.data.planted_vectors import Vectors, planted_vectors
from common.evaluation.planted_parts import losses, shapley_shares
from common.integration.mixing_weights import MixingWeights
from common.training.config import RuntimeConfig
from common.training.record import RunRecord
from common.training.runner import Runner

STEP = "alpha_validity"


def train(config: ValidityRunConfig, runtime: RuntimeConfig, folder: Path) -> RunRecord:
    """Train and measure one config; one that was interrupted starts anew.

    Raises:
        ValueError: another device than one CPU is asked for.
    """
    if runtime.device not in ("auto", "cpu") or runtime.devices > 1:
        raise ValueError("these models are so small that they run on one CPU; leave runtime.device and devices out")
    record = RunRecord.open(runtime.runs_dir, STEP, config.name, config)
    rows: dict[str, list[Any]] = {name: [] for name in ("setting", "stream", "truth", "loss", *MEASURES)}
    models: dict[str, list[Any]] = {name: [] for name in ("setting", "accuracy", "parameters")}
    with record.running(data_name="planted_vectors"):
        for number, name in enumerate(_progress(config.settings or tuple(SETTINGS), runtime)):
            parts, seed = PLANTED[name], 1000 * config.train.seed + list(PLANTED).index(name)
            sizes = (config.train.samples, config.tested)
            train, test = planted_vectors(parts, sizes, config.classes, config.noise, seed)
            torch.manual_seed(seed)
            model = VectorModel(config, {stream: x.shape[1] for stream, x in train.streams.items()})
            fit(model, train, config, seed)
            streams, labels = tensors(test)
            found = all_measures(model, streams, labels)
            truth, lost = shapley_shares(parts), losses(parts)
            for stream in model.names:
                values = {"setting": name, "stream": stream, "truth": truth[stream], "loss": lost[stream]}
                values |= {measure: found[measure][stream] for measure in MEASURES}
                for column, value in values.items():
                    rows[column].append(value)
            right = accuracy(model, streams, labels, frozenset(model.names))
            parameters = sum(p.numel() for p in model.parameters())
            for column, value in zip(models, (name, right, parameters), strict=True):
                models[column].append(value)
            record.metric(number + 1, number + 1.0, "test", {"accuracy": right})
        record.table("measures.parquet", rows)
        record.final |= {"test_accuracy": float(np.mean(models["accuracy"])), "settings": len(models["setting"])}
        record.final["parameters"] = int(np.mean(models["parameters"]))
    return record


def tensors(vectors: Vectors) -> tuple[dict[str, Tensor], Tensor]:
    """Streams and labels as tensors."""
    return {name: torch.from_numpy(x) for name, x in vectors.streams.items()}, torch.from_numpy(vectors.labels)


def fit(model: VectorModel, data: Vectors, config: ValidityRunConfig, seed: int) -> None:
    """Train `model` on `data`, and leave it in evaluation mode."""
    train = config.train
    streams, labels = tensors(data)
    mixing = [p for module in model.modules() if isinstance(module, MixingWeights) for p in module.parameters()]
    known = {id(p) for p in mixing}
    rest = [p for p in model.parameters() if id(p) not in known]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": train.weight_decay, "lr": train.lr},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0, "lr": train.lr},
        {"params": mixing, "weight_decay": 0.0, "lr": train.lr * train.alpha_lr_multiplier},
    ]
    optimiser = torch.optim.AdamW([group for group in groups if group["params"]])
    warm = max(1, train.steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * step / train.steps))
    )
    generator = torch.Generator().manual_seed(seed)
    model.train()
    for _ in range(train.steps):
        chosen = torch.randint(len(labels), (train.batch_size,), generator=generator)
        loss = model.loss({name: x[chosen] for name, x in streams.items()}, labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    model.eval()


def _progress(names: Sequence[str], runtime: RuntimeConfig) -> Iterable[str]:
    if not runtime.progress:
        return names
    from rich.progress import track

    return track(names, description="planted settings")


# The data follow from the config, so their fingerprint cannot change.
RUNNER = Runner(STEP, train, data=attrgetter("name"), fingerprint=str)
run, folder_of, refuse_changed_data = RUNNER.run, RUNNER.folder_of, RUNNER.refuse_changed_data
