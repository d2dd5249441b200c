"""Training: configs, tasks, optimiser groups, the trainer and the record of a run."""

from common.training.config import RuntimeConfig, TrainConfig, config_hash
from common.training.evaluate import evaluate, resolve_device
from common.training.flops import flops_per_token, forward_flops
from common.training.loader import BucketedLoader
from common.training.progress import TrainingFailed
from common.training.record import FolderBusy, RunRecord, is_finished, run_folder
from common.training.task import Task, to_device
from common.training.trainer import fit

__all__ = [
    "BucketedLoader", "FolderBusy", "RunRecord", "RuntimeConfig", "Task", "TrainConfig", "TrainingFailed",
    "config_hash", "evaluate", "fit", "flops_per_token", "forward_flops", "is_finished", "resolve_device",
    "run_folder", "to_device",
]  # fmt: skip
