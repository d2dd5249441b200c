"""The Lightning module around a task: one optimiser step, and what is recorded, scored and saved between steps."""

from __future__ import annotations

import math
import signal
import threading
import time
from dataclasses import asdict
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from tqdm.auto import tqdm

from common.training.checkpoint import Checkpoints, rng_state, set_rng_state
from common.training.config import RuntimeConfig, TrainConfig
from common.training.evaluate import evaluate
from common.training.loader import BucketedLoader, steps_per_epoch
from common.training.optimiser import build_optimiser, build_scheduler
from common.training.progress import Interval, Selection, TrainingFailed
from common.training.record import RunRecord
from common.training.sharding import is_sharded, load_optimiser, optimiser_state, shard, weights_of, whole
from common.training.task import Task
from common.training.tracing import trace


class TrainingModule(pl.LightningModule):
    """Thin wrapper: Lightning brings devices, precision and processes, the task the mathematics.

    Optimisation is manual, so that one Lightning batch is one optimiser step and a position in a run is one number.
    """

    def __init__(
        self,
        task: Task,
        loaders: dict[str, BucketedLoader[Any]],
        config: TrainConfig,
        runtime: RuntimeConfig,
        record: RunRecord,
        checkpoints: Checkpoints,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.task = task
        self.loaders, self.config, self.runtime = loaders, config, runtime
        self.record, self.checkpoints = record, checkpoints
        self.steps_per_epoch = steps_per_epoch(loaders["train"], config.accumulate)
        self.total_steps = self.steps_per_epoch * config.epochs
        self.step = 0
        self.selection = Selection()
        self.step_times: list[float] = []
        self.train_seconds = 0.0
        self.interrupted = False
        self._resume: dict[str, Any] | None = None
        self._interval = Interval()
        self._warm = False
        self._traced = -1

    # ------------------------------------------------------------------ state

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a checkpoint; optimiser and random numbers follow when training starts."""
        here = {
            "world_size": (self.loaders["train"].world_size, "take --runtime.devices {} again"),
            "precision_name": (self.config.precision, "take --train.precision {} again"),
            "total_steps": (self.total_steps, "bring back the training data that give {} steps"),
        }
        for name, (value, advice) in here.items():
            if state[name] != value:
                raise ValueError(
                    f"the checkpoint has {name} {state[name]}, this run {value}: {advice.format(state[name])}, or "
                    f"delete {self.checkpoints.folder} to start anew"
                )
        self._resume = state
        self.step = state["step"]
        self.task.load_state_dict(state["task"])
        self.record.load_state_dict(state["record"])
        self.selection = Selection(**state["selection"])
        self.step_times, self.train_seconds = list(state["step_times"]), state["train_seconds"]
        self._traced = state["traced"]

    def save(self, new_best: bool = False) -> None:
        """Write ``last.ckpt``, and ``best.ckpt`` where `new_best`."""
        weights = weights_of(self.task)
        optimiser = optimiser_state(self.task, self.trainer.optimizers[0])
        states = [rng_state()]
        if self.trainer.world_size > 1:
            states = [{}] * self.trainer.world_size
            torch.distributed.all_gather_object(states, rng_state())
        if self.trainer.is_global_zero:
            state = {
                "step": self.step,
                "total_steps": self.total_steps,
                "world_size": self.trainer.world_size,
                "task": weights,
                "optimiser": optimiser,
                "scheduler": self._scheduler.state_dict(),
                "precision": self.trainer.precision_plugin.state_dict(),
                "precision_name": self.config.precision,
                "rng": states,
                "record": self.record.state_dict(),
                "selection": asdict(self.selection),
                "step_times": self.step_times,
                "train_seconds": self.train_seconds,
                "traced": self._traced,
            }
            self.checkpoints.save(state, {"step": self.step, "task": weights} if new_best else None)
        self.record.flush()
        self.record.status("running", step=self.step, last_good_checkpoint=self.checkpoints.last_good())
        self.trainer.strategy.barrier()

    # -------------------------------------------------------- Lightning hooks

    def configure_model(self) -> None:
        if self.runtime.sharded and not is_sharded(self.task):
            assert self.device_mesh is not None
            shard(self.task.model, self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> OptimizerLRScheduler:
        # A fused AdamW unscales fp16 gradients itself, which would come after clipping.
        known = self.device.type == "cuda" or (self.device.type == "cpu" and not self.runtime.sharded)
        fused = known and self.config.precision != "fp16"
        optimiser = build_optimiser(self.task, self.task.parts(), self.config, fused)
        self._scheduler = build_scheduler(optimiser, self.config, self.total_steps)
        return optimiser

    def on_train_start(self) -> None:
        self.task.train()
        if self._resume is None:
            pl.seed_everything(self.config.seed + self.trainer.global_rank, verbose=False)
        else:
            load_optimiser(self.task, self.trainer.optimizers[0], self._resume["optimiser"])
            self._scheduler.load_state_dict(self._resume["scheduler"])
            self.trainer.precision_plugin.load_state_dict(self._resume["precision"])
            set_rng_state(self._resume["rng"][self.trainer.global_rank])
            self._resume = None
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._stop_gently)
            signal.signal(signal.SIGTERM, self._stop_gently)
        show = self.runtime.progress and self.trainer.is_global_zero
        self._bar = tqdm(total=self.total_steps, initial=self.step, desc=self.record.folder.name, disable=not show)
        self._mark = time.perf_counter()

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        if self.task.wants_trace(self.step) and self._traced != self.step:
            start = time.perf_counter()
            self._trace()
            self._mark += time.perf_counter() - start

    def training_step(self, batch: dict[str, list[Any]], batch_idx: int) -> None:
        optimiser = self.optimizers()
        optimiser.zero_grad(set_to_none=True)  # pyright: ignore[reportAttributeAccessIssue]
        losses: list[Tensor] = []
        report: dict[str, Tensor] = {}
        for part, weight in zip(batch["batches"], batch["weights"], strict=True):  # weighted by examples
            loss, extra = self.task.training_forward(part)
            self.manual_backward(loss * weight)
            losses.append(loss.detach() * weight)
            for name, value in extra.items():
                report[name] = report.get(name, torch.zeros_like(value)) + value.detach() * weight
        optimiser.step()  # pyright: ignore[reportAttributeAccessIssue]
        self._scheduler.step()
        self._interval.losses.append(torch.stack(losses).sum())
        self._interval.reports.append(report)

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        # fp16 gradients are unscaled by now.
        limit = self.config.clip or math.inf
        norm = torch.nn.utils.clip_grad_norm_(self.task.parameters(), limit)
        self._interval.norms.append(whole(norm.detach()))

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.step += 1
        self._bar.update()
        stop = self._stop_requested()
        evaluates = self._is_evaluation(self.step)
        saves = stop or evaluates or self.step % self.config.checkpoint_every == 0
        logs = saves or self.step % self.runtime.log_every == 0
        if logs or self.device.type == "cpu":  # elsewhere looking at the loss means waiting for the device
            self._check_finite()
        self._interval.seconds += time.perf_counter() - self._mark
        if logs:
            self._close_interval()
        new_best = self._evaluate() if evaluates else False
        if saves:
            self.save(new_best)
        if stop or self.selection.stopped:
            self.interrupted = stop or self._stop_requested()  # a signal may have come during the evaluation
            self.trainer.should_stop = True
        self._mark = time.perf_counter()

    def on_train_end(self) -> None:
        self._bar.close()

    # ------------------------------------------------------------- internals

    def _is_evaluation(self, step: int) -> bool:
        within = (step - 1) % self.steps_per_epoch + 1
        share = self.steps_per_epoch / self.config.evaluations_per_epoch
        return within in {max(1, round(share * k)) for k in range(1, self.config.evaluations_per_epoch + 1)}

    def _evaluate(self) -> bool:
        _, scores = evaluate(self.task, self.loaders["validation"], self.device, self.config)
        selected = self.config.select_metric
        if selected not in scores:
            raise ValueError(f"no validation metric {selected!r}; there are {', '.join(scores)}")
        self._log("validation", scores)
        if not math.isfinite(scores[selected]):  # nothing compares with NaN: as the first value it would stay the best
            what = f"the validation metric {selected} is {scores[selected]}"
            more = ", or, where other metrics are finite, another --train.select-metric"
            raise TrainingFailed(self.step, what, self.checkpoints.last_good(), more)
        self._trace()
        return self.selection.update(scores[selected], self.step, self.config)

    def _trace(self) -> None:
        """Record α, gradients and contributions."""
        rows = trace(self.task, self.loaders["validation"], self.config.precision, self.device, self.runtime.sharded)
        self.record.trace(self.step, rows)
        self._traced = self.step

    def _check_finite(self) -> None:
        interval = self._interval
        pairs = [torch.stack(interval.losses[interval.checked :]), torch.stack(interval.norms[interval.checked :])]
        values = self.trainer.strategy.reduce(torch.stack([pair.float() for pair in pairs]), reduce_op="mean")
        first = self.step - len(interval.losses) + interval.checked + 1
        interval.checked = len(interval.losses)
        # fp16 gradients may overflow: the scaler then leaves the step out.
        norms = [0.0] * len(pairs[1]) if self.config.precision == "fp16" else values[1].tolist()
        for offset, (loss, norm) in enumerate(zip(values[0].tolist(), norms, strict=True)):
            if not (math.isfinite(loss) and math.isfinite(norm)):
                what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient norm is {norm}"
                raise TrainingFailed(first + offset, what, self.checkpoints.last_good())

    def _close_interval(self) -> None:
        interval, self._interval = self._interval, Interval()
        count = len(interval.losses)
        values = {"loss": torch.stack(interval.losses), "grad_norm": torch.stack(interval.norms)}
        values |= {name: torch.stack([report[name] for report in interval.reports]) for name in interval.reports[0]}
        means = {name: value.double().mean().item() for name, value in values.items()}
        self._log("train", means)
        self._bar.set_postfix(loss=f"{means['loss']:.4f}", refresh=False)
        self.train_seconds += interval.seconds
        # The first steps of a process warm up caches and compilers.
        if self._warm:
            self.step_times.append(1000 * interval.seconds / count)
        self._warm = True
        if self.runtime.logger != "none":
            self.record.flush()

    def _log(self, split: str, values: dict[str, float]) -> None:
        self.record.metric(self.step, self.step / self.steps_per_epoch, split, values)
        for logger in self.trainer.loggers:
            logger.log_metrics({f"{split}/{name}": value for name, value in values.items()}, self.step)

    def _stop_gently(self, _signum: int, _frame: Any) -> None:
        if self.interrupted:
            raise KeyboardInterrupt("second signal")
        self.interrupted = True

    def _stop_requested(self) -> bool:
        if self.trainer.world_size == 1:
            return self.interrupted
        return bool(self.trainer.strategy.reduce_boolean_decision(self.interrupted, all=False))
