"""Typed settings of a training run, and the hash that names it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from common.later import stands


@dataclass(frozen=True)
class TrainConfig:
    """Everything about training that changes the result. A learning rate of 0 freezes its part of the model."""

    seed: int = 0
    """Seed of the order of the examples, of dropout, and (through the step) of the initial weights."""
    epochs: int = 3
    """Passes over the training split."""
    batch_size: int = 32
    """Examples of one forward pass on one device."""
    max_length: int = 128
    """Longest text in tokens; what stands beyond is cut off."""
    lr_backbone: float = 1e-4
    """Peak learning rate of the backbone."""
    lr_streams: float = 5e-4
    """Peak learning rate of the secondary streams and of the integration's matrices."""
    lr_head: float = 5e-4
    """Peak learning rate of the task's head."""
    alpha_lr_multiplier: float = 5.0
    """The mixing weights α and γ learn at `lr_streams` times this; 0 freezes them."""
    weight_decay: float = 0.01
    """AdamW's decay of all parameters of two or more dimensions, but for embedding tables and mixing weights (α, γ
    and their like). Among the decayed are DM's biases b_l, rows of one matrix; vectors and numbers (other biases,
    norms) are never decayed."""
    warmup: float = 0.06
    """Share of the optimiser steps over which learning rates rise from 0; afterwards they fall linearly to 0."""
    clip: float = 1.0
    """Largest gradient norm over all parameters; 0 = no clipping."""
    accumulate: int = 1
    """Batches per optimiser step, each weighted by its examples."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "bf16"
    """Number format of the forward pass (autocast); weights stay fp32. fp16 needs a GPU. auto: the
    faster of bf16 and fp32; which, the record says."""
    bucket: bool = True
    """Put texts of similar length into one batch."""
    patience: int = 0
    """Stop after this many evaluations without a better `select_metric`; 0 = never."""
    evaluations_per_epoch: int = 1
    """How often the validation split is scored in an epoch."""
    checkpoint_every: int = 200
    """Optimiser steps between two checkpoints."""
    select_metric: str = "accuracy"
    """Validation metric by which the best weights are chosen."""
    select_mode: Literal["max", "min"] = "max"
    """Whether a larger or a smaller `select_metric` is better."""
    compile: bool = False
    """Run the model through torch.compile."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "max_length", "accumulate", "evaluations_per_epoch", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in (
            "lr_backbone", "lr_streams", "lr_head", "alpha_lr_multiplier", "weight_decay", "clip", "patience", "seed",
        ):  # fmt: skip
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if not 0.0 <= self.warmup < 1.0:
            raise ValueError(f"warmup is a share of the steps in [0, 1), got {self.warmup}")
        if self.precision not in ("auto", "fp32", "bf16", "fp16"):
            raise ValueError(f"precision must be auto, fp32, bf16 or fp16, got {self.precision!r}")
        if self.select_mode not in ("max", "min"):
            raise ValueError(f"select_mode must be max or min, got {self.select_mode!r}")

    @property
    def betas(self) -> tuple[float, float]:
        """AdamW's decay rates of the averages of gradient and squared gradient."""
        return 0.9, 0.999

    def decayed(self, share: float) -> float:
        """Factor of the learning rates when `share` of the steps after warm-up is over: falls linearly to 0."""
        return 1.0 - share

    @property
    def lr_alpha(self) -> float:
        """Peak learning rate of the mixing weights α and γ."""
        return self.lr_streams * self.alpha_lr_multiplier

    def learning_rates(self) -> dict[str, float]:
        """Peak learning rate of each part of a model, and of the mixing weights."""
        return {
            "backbone": self.lr_backbone, "streams": self.lr_streams, "integration": self.lr_streams,
            "head": self.lr_head, "vision": 0.0, "alpha": self.lr_alpha,
        }  # fmt: skip


@dataclass(frozen=True)
class LanguageTrainConfig(TrainConfig):
    """As language models are trained from scratch: cosine decay, and a shorter memory of squared gradients (after
    Brown et al. 2020, "Language Models are Few-Shot Learners", appendix B).
    """

    final_lr: float = 0.1
    """Learning rate at the end as a share of the peak; it falls as a cosine."""
    beta2: float = 0.95
    """AdamW's decay rate of the average of squared gradients."""
    checkpoint_activations: bool = False
    """Compute the layers anew in the backward pass: less memory, more time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.final_lr <= 1.0 or not 0.0 < self.beta2 < 1.0:
            raise ValueError(f"final_lr is a share in [0, 1] and beta2 in (0, 1), got {self.final_lr}, {self.beta2}")

    @property
    def betas(self) -> tuple[float, float]:
        """AdamW's decay rates."""
        return 0.9, self.beta2

    def decayed(self, share: float) -> float:
        """Half a cosine from 1 to `final_lr`."""
        return self.final_lr + (1.0 - self.final_lr) * 0.5 * (1.0 + math.cos(math.pi * share))


@dataclass(frozen=True)
class VisionTrainConfig(LanguageTrainConfig):
    """As language models are, with a learning rate for the vision encoder."""

    lr_vision: float = 0.0
    """Peak learning rate of the vision encoder; 0 freezes it."""

    def learning_rates(self) -> dict[str, float]:
        return {**super().learning_rates(), "vision": self.lr_vision}


@dataclass(frozen=True)
class RuntimeConfig:
    """Where and how a run is executed. Not part of a run's hash."""

    runs_dir: str = "runs"
    """Folder of all run records."""
    cache_dir: str = "~/.cache/multistream"
    """Folder of lexicons and prepared data."""
    logger: Literal["csv", "tensorboard", "wandb", "none"] = "csv"
    """csv: the record's metrics.csv, brought up to date every `log_every` steps. none: metrics.csv only at
    checkpoints and evaluations. tensorboard, wandb: the same, and the named logger beside it."""
    log_every: int = 10
    """Optimiser steps over which the training loss and the step time are averaged for one logged value."""
    progress: bool = True
    """Show a progress bar."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:<index> or mps."""
    devices: int = 1
    """Processes that train together; each takes `batch_size` examples."""
    strategy: Literal["ddp", "fsdp"] = "ddp"
    """How several processes do: each with the whole model, or (fsdp) with a part of parameters and optimiser states."""
    threads: int = 0
    """CPU threads of torch; 0 leaves torch's own choice."""

    def __post_init__(self) -> None:
        if self.logger not in ("csv", "tensorboard", "wandb", "none"):
            raise ValueError(f"logger must be csv, tensorboard, wandb or none, got {self.logger!r}")
        if self.strategy not in ("ddp", "fsdp"):
            raise ValueError(f"strategy must be ddp or fsdp, got {self.strategy!r}")
        if self.threads < 0 or self.devices < 1 or self.log_every < 1:
            raise ValueError("threads must not be negative; devices and log_every must be at least 1")
        if self.device.partition(":")[0] not in ("auto", "cpu", "cuda", "mps"):
            raise ValueError(f"device must be auto, cpu, cuda, cuda:<index> or mps, got {self.device!r}")

    @property
    def sharded(self) -> bool:
        """Whether each process holds only a part of the model."""
        return self.strategy == "fsdp" and self.devices > 1


def plain(config: Any) -> Any:
    """`config` as JSON-able dicts and lists, without any :class:`RuntimeConfig` inside it, and without those fields of
    :func:`common.later.later` that have their default.

    Raises:
        TypeError: for a value that JSON cannot hold.
    """
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        members = {
            field.name: getattr(config, field.name) for field in dataclasses.fields(config) if stands(config, field)
        }
        return {name: plain(value) for name, value in members.items() if not isinstance(value, RuntimeConfig)}
    if isinstance(config, dict):
        return {str(key): plain(value) for key, value in config.items() if not isinstance(value, RuntimeConfig)}
    if isinstance(config, (list, tuple)):
        return [plain(value) for value in config]
    if isinstance(config, Path):
        return str(config)
    if config is None or isinstance(config, (str, int, float, bool)):
        return config
    raise TypeError(f"a config holds dataclasses, dicts, lists and plain values, not {type(config).__name__}")


def config_hash(step: str, config: Any) -> str:
    """12 hex digits that name a run: SHA-256 over the canonical JSON of the step and its config."""
    text = json.dumps({"step": step, "config": plain(config)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
