"""What a run knows of itself between steps: the best weights so far, the running averages, and how it can fail."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from common.training.config import TrainConfig


class TrainingFailed(RuntimeError):
    """The loss, the gradient or the validation metric that chooses the weights became NaN or infinite.

    Attributes:
        step: the optimiser step (1-based) at which it happened.
        last_good_checkpoint: path inside the run's folder, empty where none was written yet.
    """

    def __init__(self, step: int, what: str, last_good_checkpoint: str, more_advice: str = "") -> None:
        good = last_good_checkpoint or "none was written yet"
        super().__init__(
            f"{what} at step {step}; last good checkpoint: {good}. Try lower learning rates or more warmup{more_advice}"
        )
        self.step, self.last_good_checkpoint = step, last_good_checkpoint


@dataclass
class Selection:
    """Which weights are the best so far."""

    best_value: float | None = None
    best_step: int = -1
    without_gain: int = 0
    """Evaluations since the best one."""
    stopped: bool = False
    """Early stopping has ended the training."""

    def update(self, value: float, step: int, config: TrainConfig) -> bool:
        """Take in a validation value; whether it is the best so far."""
        sign = 1.0 if config.select_mode == "max" else -1.0
        better = self.best_value is None or sign * value > sign * self.best_value
        if better:
            self.best_value, self.best_step, self.without_gain = value, step, 0
        else:
            self.without_gain += 1
            self.stopped = 0 < config.patience <= self.without_gain
        return better


@dataclass
class Interval:
    """What was measured since the last logged value."""

    losses: list[Tensor] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)
    reports: list[dict[str, Tensor]] = field(default_factory=list)
    seconds: float = 0.0
    checked: int = 0
