"""What the run of every step begins and ends with."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from typing_extensions import Self

from common.training.checkpoint import Checkpoints
from common.training.config import RuntimeConfig
from common.training.record import RunRecord, is_finished, refuse_other_fingerprint, run_folder


class RunConfig(Protocol):
    """What every config has."""

    @property
    def name(self) -> str: ...

    def named(self) -> Self:
        """The config with the name that its content gives it."""
        ...


Config = TypeVar("Config", bound=RunConfig)


@dataclass(frozen=True)
class Runner(Generic[Config]):
    """From configs of a step to the folders of their runs."""

    step: str
    """The step's package, and the folder below ``runs_dir``."""
    train: Callable[[Config, RuntimeConfig, Path], RunRecord]
    """Trains, evaluates and records one config in a folder, or goes on where that was interrupted."""
    data: Callable[[Config], Hashable]
    """The part of a config that says which data; equal for equal data."""
    fingerprint: Callable[[Any], str | None]
    """From such a part to what changes when the data do; None where they cannot."""
    lost: type[Exception] = OSError
    """What `fingerprint` raises when the data cannot be had any more."""

    def folder_of(self, config: Config, runtime: RuntimeConfig) -> Path:
        """Where the run of `config` lives: ``<runs_dir>/<step>/<name>-<hash>``."""
        config = config.named()
        return run_folder(runtime.runs_dir, self.step, config.name, config)

    def run(self, config: Config, runtime: RuntimeConfig) -> Path:
        """Train, evaluate and record one config; returns its folder.

        A finished run is left as it is; an interrupted one resumes.

        Raises:
            ValueError: the data are not those with which the folder's run began.
        """
        config = config.named()
        folder = self.folder_of(config, runtime)
        if is_finished(folder):
            self.refuse_changed_data([config], runtime)
            return folder
        if runtime.threads:
            torch.set_num_threads(runtime.threads)
        record = self.train(config, runtime, folder)
        if record.active:  # the best weights are in model/, and a finished run never resumes
            Checkpoints(folder / "checkpoints").clear()
        return folder

    def refuse_changed_data(self, configs: Sequence[Config], runtime: RuntimeConfig) -> None:
        """Raise ValueError where the data of a finished run have changed since. That they cannot be had any more
        changes nothing: the finished run stands.
        """
        known: dict[Hashable, str | None] = {}
        for config in configs:
            folder, data = self.folder_of(config, runtime), self.data(config)
            if not is_finished(folder):
                continue
            if data not in known:
                try:
                    known[data] = self.fingerprint(data)
                except self.lost:
                    known[data] = None
            refuse_other_fingerprint(folder, known[data])
