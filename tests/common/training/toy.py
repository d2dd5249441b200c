"""A tiny task for the tests, also run as a program: ``python -m tests.common.training.toy RUNS_DIR [JSON options]``."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from common.integration.mixing_weights import MixingWeights
from common.training import BucketedLoader, RunRecord, RuntimeConfig, Task, TrainConfig, fit

WIDTH, CLASSES = 8, 3


@dataclass(frozen=True)
class ToyConfig:
    """A run of the toy task; the last fields make it misbehave."""

    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(epochs=2, batch_size=8, precision="fp32", checkpoint_every=5)
    )
    runtime: RuntimeConfig = field(default_factory=lambda: RuntimeConfig(progress=False, device="cpu", log_every=4))
    examples: int = 100
    poison: int = -1
    """Training forward at which the loss becomes NaN."""
    kill: int = -1
    """Training forward of this process at which it is killed, if no file `killed` stands in the run's folder yet."""


class ToyModel(nn.Module):
    """A backbone and a stream, joined by α, then a head."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(WIDTH, 16), nn.LayerNorm(16), nn.ReLU(), nn.Dropout(0.3))
        self.streams = nn.Linear(WIDTH, 16)
        self.integration = nn.ModuleDict({"mix": toy_mixing(), "project": nn.Linear(16, 16, bias=False)})
        self.head = nn.Linear(16, CLASSES)

    def parts(self) -> dict[str, list[nn.Module]]:
        return {name: [getattr(self, name)] for name in ("backbone", "streams", "integration", "head")}

    def forward(self, x: Tensor, drop: bool) -> Tensor:
        stream = self.integration["project"](self.streams(x))  # [B, 16]
        if drop:  # stream dropout draws from the global generator
            stream = stream * (torch.rand(len(x), 1, device=x.device) > 0.2)
        alpha = self.integration["mix"]["alpha"]
        return self.head(self.backbone(x) + alpha.mean() * stream)


def toy_mixing() -> MixingWeights:
    """Mixing weights of two sites."""
    return MixingWeights(alpha=torch.tensor([0.5, 0.5]))


class ToyTask(Task):
    """Classify vectors."""

    def __init__(self, config: ToyConfig, folder: Path) -> None:
        super().__init__(ToyModel())
        self.config, self.folder, self.forwards = config, folder, 0

    def training_forward(self, batch):
        if self.training:
            self.forwards += 1
            if self.forwards == self.config.kill and not (self.folder / "killed").exists():
                (self.folder / "killed").write_text("once")
                os.kill(os.getpid(), signal.SIGKILL)
        loss = nn.functional.cross_entropy(self.model(batch["x"], self.training), batch["labels"])
        if self.training and self.forwards == self.config.poison:
            loss = loss * float("nan")
        return loss, {"double": 2 * loss.detach()}

    def predict_forward(self, batch):
        return {"logits": self.model(batch["x"], False), "labels": batch["labels"]}

    def metrics(self, outputs):
        logits, labels = outputs["logits"], outputs["labels"]
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return {
            "accuracy": float((logits.argmax(1) == labels).mean()),
            "loss": float(-log_p[np.arange(len(labels)), labels].mean()),
        }

    def trace(self):
        alpha = self.model.integration["mix"].get_parameter("alpha")
        rows = [("alpha", "stream", site, value) for site, value in enumerate(alpha.tolist())]
        if alpha.grad is not None:
            rows += [("gradient", "stream", site, value) for site, value in enumerate(alpha.grad.tolist())]
        return rows


def collate(items):
    """Vectors and labels of a list of (vector, label)."""
    return {"x": torch.stack([x for x, _ in items]), "labels": torch.tensor([y for _, y in items])}


def toy_loaders(config: ToyConfig) -> dict[str, BucketedLoader]:
    """Random vectors whose label is the largest of their first entries."""
    generator = torch.Generator().manual_seed(1)
    loaders = {}
    for split, count in (("train", config.examples), ("validation", 30), ("test", 30)):
        vectors = torch.randn(count, WIDTH, generator=generator)
        items = [(x, int(x[:CLASSES].argmax())) for x in vectors]
        lengths = [int(10 * x.abs().sum()) for x in vectors]
        shuffle, train = split == "train", config.train
        loaders[split] = BucketedLoader(items, collate, train.batch_size, lengths, shuffle, True, train.seed)
    return loaders


def run(config: ToyConfig) -> Path:
    """Train the toy task in its own folder."""
    record = RunRecord.open(config.runtime.runs_dir, "toy", "mlp", config)
    torch.manual_seed(config.train.seed)
    fit(ToyTask(config, record.folder), toy_loaders(config), config.train, config.runtime, record.folder, record)
    return record.folder


def toy_config(runs_dir: Path | str, threads: int = 1, runtime: dict | None = None, **options) -> ToyConfig:
    """Config from flat options; those of TrainConfig are found by name."""
    own = {name: options.pop(name) for name in ("examples", "poison", "kill") if name in options}
    train = TrainConfig(**({"epochs": 2, "batch_size": 8, "precision": "fp32", "checkpoint_every": 5} | options))
    settings = {"progress": False, "device": "cpu", "log_every": 4} | (runtime or {})
    return ToyConfig(train=train, runtime=RuntimeConfig(runs_dir=str(runs_dir), threads=threads, **settings), **own)


if __name__ == "__main__":
    run(toy_config(sys.argv[1], **(json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})))
