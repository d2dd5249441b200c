"""The record of a run: small files that pandas alone can read, each written atomically."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pytorch_lightning.utilities.rank_zero import rank_zero_only
from safetensors import SafetensorError

from common.files import read_json, remove_leftovers, write_atomic, write_json, write_text
from common.training.config import config_hash, plain
from common.training.environment import capture_environment

Status = Literal["running", "finished", "failed", "interrupted"]
RISING = ("example", "place")
"""Columns of predictions whose whole numbers rise from row to row."""


def run_folder(runs_dir: str | Path, step: str, name: str, config: Any) -> Path:
    """``<runs_dir>/<step>/<name>-<hash>``, the folder in which a config is run."""
    return Path(runs_dir).expanduser() / step / f"{name}-{config_hash(step, config)}"


def is_finished(folder: Path) -> bool:
    """Whether the run in `folder` came to its end and all its files stand."""
    path = folder / "status.json"
    if not path.exists() or not (folder / "final.json").exists():
        return False
    return read_json(path)["status"] == "finished"


def settings_of_run(folder: Path, step: str) -> dict[str, Any]:
    """The config with which `step` trained the model in `folder`.

    Raises:
        FileNotFoundError: there is no trained model, or that of another step.
        ValueError: the record is damaged.
    """
    if not (folder / "model" / "config.json").is_file() or not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder} holds no trained model; name the folder of a finished run of {step}")
    with damage_named(folder):
        record = read_json(folder / "config.json")
        found, settings = record["step"], record["config"]
    if found != step:
        raise FileNotFoundError(f"{folder} holds a run of {found}; name the folder of a finished run of {step}")
    return settings


@contextmanager
def damage_named(folder: Path) -> Iterator[None]:
    """Raise ValueError that names the run in `folder` when a file of it cannot be read."""
    try:
        yield
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"the run in {folder} is damaged ({error!r}); delete the folder and train it again") from error


def packing(table: pa.Table) -> dict[str, Any]:
    """Options of ``pq.write_table``. Records are committed, and a row per token takes a third of the default's room."""
    rising = [field.name for field in table.schema if field.name in RISING]
    return {
        "compression": "zstd", "compression_level": 19,
        "column_encoding": dict.fromkeys(rising, "DELTA_BINARY_PACKED"),
        "use_dictionary": [
            field.name for field in table.schema if field.name not in rising and not pa.types.is_floating(field.type)
        ],
    }  # fmt: skip


def write_table(path: Path, columns: Mapping[str, Any]) -> None:
    """Atomically write a parquet file of equally long columns."""
    table = pa.table(dict(columns))
    write_atomic(path, lambda temporary: pq.write_table(table, temporary, **packing(table)))


def refuse_other_fingerprint(folder: Path, fingerprint: str | None) -> None:
    """Raise ValueError when the run in `folder` began on other data (None: not known)."""
    path = folder / "environment.json"
    began = read_json(path).get("data_fingerprint") if path.exists() else None
    if None not in (began, fingerprint) and began != fingerprint:
        raise ValueError(
            f"the data have changed since {folder} began; bring the old data back, or delete that folder and run anew"
        )


class FolderBusy(RuntimeError):
    """Another living process runs the same folder."""


class RunRecord:
    """Writer of one run's files. Metrics and traces are kept in memory (and in checkpoints) and rewritten whole.

    Args:
        folder: see :func:`run_folder`.
        step: the step's package, for example ``step1_sentiment``.
        name: short name of the arm, for example ``dm``.
        config: the step's config; any :class:`RuntimeConfig` in it is left out.

    Raises:
        ValueError: when `folder` already holds a run of another config.
    """

    def __init__(self, folder: Path, step: str, name: str, config: Any) -> None:
        self.folder = Path(folder)
        self.final: dict[str, Any] = {}
        """Content of final.json; callers may add to it until the run is finished."""
        self._metrics: list[tuple[int, float, str, str, float]] = []
        self._traces: list[tuple[int, str, str, int, float]] = []
        self._depth = 0
        self.active = (getattr(rank_zero_only, "rank", 0) or 0) == 0
        """Whether this process writes; among processes that train together only the first does."""
        head = {"step": step, "name": name, "hash": config_hash(step, config), "config": plain(config)}
        path = self.folder / "config.json"
        if path.exists() and read_json(path) != json.loads(json.dumps(head)):
            raise ValueError(f"{self.folder} holds the run of another config; choose another folder or delete it")
        if self.active and not path.exists():
            write_json(path, head)

    @classmethod
    def open(cls, runs_dir: str | Path, step: str, name: str, config: Any) -> RunRecord:
        """The record of `config` in the folder its hash names."""
        return cls(run_folder(runs_dir, step, name, config), step, name, config)

    @contextmanager
    def running(self, **environment: Any) -> Iterator[RunRecord]:
        """Hold the folder's lock while the run goes on, and write its status: running, then how it ended.

        Entering again inside is allowed and only adds to the environment, so a caller can put more work (importance,
        words, saving the model) into the run than :func:`fit` does. `environment` is added to environment.json.
        final.json is rewritten at the end.

        Raises:
            FolderBusy: when another living process holds the folder.
            KeyboardInterrupt: after SIGINT or SIGTERM, the status being ``interrupted``.
        """
        if self._depth or not self.active:
            self._depth += 1
            if environment:
                self.environment(environment)
            try:
                yield self
            finally:
                self._depth -= 1
            return
        with self._lock(), _terminate_as_interrupt():
            self._depth = 1
            remove_leftovers(self.folder)
            self.environment(capture_environment() | environment)
            self.status("running", step=self._last_step())
            try:
                yield self
            except (KeyboardInterrupt, SystemExit) as error:
                self.flush()
                self.status("interrupted", self._last_step(), "stopped by a signal; start it again to resume")
                raise KeyboardInterrupt("run interrupted") from error
            except BaseException as error:
                self.flush()
                good = getattr(error, "last_good_checkpoint", "")
                step = getattr(error, "step", self._last_step())
                self.status("failed", step=step, message=f"{type(error).__name__}: {error}", last_good_checkpoint=good)
                raise
            else:
                self.flush()
                self.write_final()
                self.status("finished", step=self._last_step())
            finally:
                self._depth = 0

    def metric(self, step: int, epoch: float, split: str, values: Mapping[str, float]) -> None:
        """Add metrics of a split after `step` updates."""
        self._metrics += [(step, round(epoch, 4), split, name, float(value)) for name, value in values.items()]

    def trace(self, step: int, rows: Sequence[tuple[str, str, int, float]]) -> None:
        """Add (quantity, stream, site, value) rows after `step` updates."""
        self._traces += [(step, quantity, stream, int(site), float(value)) for quantity, stream, site, value in rows]

    def flush(self) -> None:
        """Bring metrics.csv and alphas.csv up to date."""
        if self.active:
            _write_csv(self.folder / "metrics.csv", "step,epoch,split,metric,value", self._metrics)
            _write_csv(self.folder / "alphas.csv", "step,quantity,stream,site,value", self._traces)

    def environment(self, content: Mapping[str, Any]) -> None:
        """Write `content` over the keys of environment.json."""
        path = self.folder / "environment.json"
        known = read_json(path) if path.exists() else {}
        if self.active:
            write_json(path, known | dict(content))

    def status(self, status: Status, step: int = 0, message: str = "", last_good_checkpoint: str = "") -> None:
        """Write status.json."""
        if self.active:
            content = {"status": status, "step": step, "message": message, "last_good_checkpoint": last_good_checkpoint}
            write_json(self.folder / "status.json", content)

    def predictions(self, split: str, columns: Mapping[str, np.ndarray]) -> None:
        """Write predictions_<split>.parquet: ``example`` (position in the split), then `columns`, each ``[N]``."""
        length = len(next(iter(columns.values())))
        self.table(f"predictions_{split}.parquet", {"example": np.arange(length)} | dict(columns))

    def words(self, rows: Sequence[tuple[str, int, str, float, int]]) -> None:
        """Write words.parquet from (word, count, stream, mean contribution, count in training) rows."""
        names = ("word", "count", "stream", "contribution", "train_count")
        self.table("words.parquet", {name: [row[k] for row in rows] for k, name in enumerate(names)})

    def importance(self, content: Mapping[str, Any]) -> None:
        """Write importance.json."""
        if self.active:
            write_json(self.folder / "importance.json", dict(content))

    def table(self, name: str, columns: Mapping[str, Any]) -> None:
        """Write a parquet file of equally long columns."""
        if self.active:
            write_table(self.folder / name, columns)

    def write_final(self) -> None:
        """Write final.json."""
        if self.active:
            write_json(self.folder / "final.json", self.final)

    def state_dict(self) -> dict[str, Any]:
        """Metrics and traces so far."""
        return {"metrics": list(self._metrics), "traces": list(self._traces)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Forget everything after the checkpoint that held `state`."""
        self._metrics = [tuple(row) for row in state["metrics"]]
        self._traces = [tuple(row) for row in state["traces"]]

    def _last_step(self) -> int:
        return self._metrics[-1][0] if self._metrics else 0

    @contextmanager
    def _lock(self) -> Iterator[None]:
        # flock, not a pid file: the kernel gives the lock back however its process dies.
        with open(self.folder / "lock", "a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise FolderBusy(f"{self.folder} is being run by process {file.read().strip() or '?'}") from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl-C does (only the main thread can arrange that)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_signum: int, _frame: Any) -> None:
        raise KeyboardInterrupt("SIGTERM")

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write_csv(path: Path, header: str, rows: Sequence[tuple[Any, ...]]) -> None:
    write_text(path, "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
