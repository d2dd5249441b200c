"""``fit``: train a task into a run folder, resume where a killed run stood, then score the best weights once."""

from __future__ import annotations

import copy
import importlib.util
import logging
import signal
import statistics
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger, TensorBoardLogger, WandbLogger
from pytorch_lightning.strategies import ModelParallelStrategy

from common.training.checkpoint import Checkpoints
from common.training.config import RuntimeConfig, TrainConfig
from common.training.evaluate import evaluate, resolve_device
from common.training.loader import BucketedLoader, StepLoader
from common.training.memory import keep_freed
from common.training.module import TrainingModule
from common.training.optimiser import freeze_groups
from common.training.precision import resolve_precision, warn_if_slow
from common.training.record import RunRecord
from common.training.task import Task

PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def fit(
    task: Task,
    loaders: dict[str, BucketedLoader[Any]],
    config: TrainConfig,
    runtime: RuntimeConfig,
    folder: Path,
    record: RunRecord,
) -> str:
    """Train `task`, leaving the best weights in it and the run's files in `folder`.

    Called again after a kill at any moment it continues from the last checkpoint; in fp32 on the CPU the result is then
    bit-equal to the uninterrupted run's. The caller must build the same task (same seed) and loaders each time.
    Afterwards ``record.final`` may be added to inside ``with record.running():`` around the call.

    Args:
        task: model, loss and metrics.
        loaders: ``train`` and ``validation``, and any other splits (``test``), which are read once at the end.
        config: what is trained, hashed.
        runtime: where it is trained, not hashed.
        folder: the run's folder; checkpoints go to ``<folder>/checkpoints``.
        record: the writer of the run's files.

    Returns:
        The number format of training, also where the config says ``auto``: whatever the caller computes with the
        trained task should be in it too. Asked for anew, ``auto`` may come out otherwise.

    Raises:
        TrainingFailed: when the loss, the gradient or the validation metric `select_metric` become NaN or infinite.
        KeyboardInterrupt: after SIGINT or SIGTERM; a checkpoint was written.
        CheckpointError: checkpoints that are damaged or missing.
        ValueError: for a precision or device this machine lacks, a missing split, or a checkpoint of other settings.
    """
    missing = {"train", "validation"} - set(loaders)
    if missing:
        raise ValueError(f"loaders lack {sorted(missing)}; got {sorted(loaders)}")
    device = resolve_device(runtime.device)
    automatic = config.precision == "auto"
    config = replace(config, precision=resolve_precision(config.precision, device))
    warn_if_slow(config.precision, device)
    if runtime.threads:
        torch.set_num_threads(runtime.threads)
    if device.type == "cpu":
        keep_freed()
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    with record.running(device=str(device), devices=runtime.devices, precision=config.precision):
        freeze_groups(task, task.parts(), config)
        checkpoints = Checkpoints(Path(folder) / "checkpoints")
        state = checkpoints.load()
        if automatic and state is not None and state["precision_name"] != config.precision:
            # What it was when the run began; measured anew, it may come out otherwise.
            config = replace(config, precision=resolve_precision(state["precision_name"], device))
            record.environment({"precision": config.precision})
        trainer = _trainer(config, runtime, device, Path(folder))
        loaders["train"].shard(trainer.global_rank, trainer.world_size)
        # Sharding cannot be undone: what is sharded is a copy.
        trained = copy.deepcopy(task) if runtime.sharded else task
        module = TrainingModule(trained, loaders, config, runtime, record, checkpoints)
        if state is not None:
            module.restore(state)
        if config.compile:
            trained.model.compile()
        if module.step < module.total_steps and not module.selection.stopped:
            trained.train()  # from_pretrained leaves a backbone in eval mode, and Lightning keeps the mode it finds
            _train(trainer, module)
        task.load_state_dict(checkpoints.best(module.selection.best_step)["task"])
        _finish(task.to(device), loaders, config, device, record, module)
    return config.precision


def _train(trainer: pl.Trainer, module: TrainingModule) -> None:
    steps = StepLoader(module.loaders["train"], module.config.accumulate, module.step, module.total_steps)
    main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    try:
        with warnings.catch_warnings():
            # Lightning's own use of torch.utils._pytree, printed by torch 2.9 and later at every start.
            warnings.filterwarnings("ignore", message=".*LeafSpec.*")
            # Encoders that are frozen stay in eval mode on purpose.
            warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")
            trainer.fit(module, train_dataloaders=steps)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if module.interrupted:
        raise KeyboardInterrupt(f"stopped after step {module.step}")


def _trainer(config: TrainConfig, runtime: RuntimeConfig, device: torch.device, folder: Path) -> pl.Trainer:
    devices = [device.index] if device.index is not None else runtime.devices
    if device.index is not None and runtime.devices > 1:
        raise ValueError(f"device {device} names one GPU; use device=cuda for {runtime.devices} processes")
    return pl.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=devices,
        strategy=_strategy(runtime),
        precision=PRECISIONS[config.precision],  # pyright: ignore[reportArgumentType]
        max_epochs=1,  # one Lightning epoch is the whole run, see StepLoader
        logger=_loggers(runtime, folder),
        limit_val_batches=0,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
    )


def _strategy(runtime: RuntimeConfig) -> Any:
    if runtime.sharded:
        return ModelParallelStrategy(data_parallel_size=runtime.devices, tensor_parallel_size=1)
    return "ddp" if runtime.devices > 1 else "auto"


def _loggers(runtime: RuntimeConfig, folder: Path) -> list[Logger]:
    if runtime.logger in ("csv", "none"):
        return []
    if importlib.util.find_spec(runtime.logger) is None:
        raise ValueError(f"logger {runtime.logger} needs its package: pip install {runtime.logger}")
    if runtime.logger == "tensorboard":
        return [TensorBoardLogger(folder, name="tensorboard", version="")]
    return [WandbLogger(name=folder.name, save_dir=folder, id=folder.name, resume="allow", project="multistream")]


def _finish(
    task: Task,
    loaders: dict[str, BucketedLoader[Any]],
    config: TrainConfig,
    device: torch.device,
    record: RunRecord,
    module: TrainingModule,
) -> None:
    for split in ("validation", *(name for name in loaders if name not in ("train", "validation"))):
        outputs, metrics = evaluate(task, loaders[split], device, config)
        columns = task.predictions(outputs)
        if columns:
            record.predictions(split, columns)
        record.final.update({f"{split}_{name}": value for name, value in metrics.items()})
    record.final.update(
        {
            "steps": module.step,
            "best_step": module.selection.best_step,
            "parameters": _count([task]),
            "parameters_trainable": sum(p.numel() for p in task.parameters() if p.requires_grad),
            **{f"parameters_{part}": _count(modules) for part, modules in task.parts().items()},
            # A run too short for warm-up steps apart has its mean.
            "step_time_ms": statistics.median(module.step_times or [1000 * module.train_seconds / module.step]),
            "train_seconds": module.train_seconds,
        }
    )
    record.flush()
    record.write_final()


def _count(modules: list[Any]) -> int:
    unique = {id(p): p.numel() for module in modules for p in module.parameters()}
    return sum(unique.values())
