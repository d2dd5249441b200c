"""Many runs: one after another in this process, or spread over a Ray cluster."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.training.record import is_finished

Config = TypeVar("Config")
RETRIES = 3
"""How often Ray starts a run again whose worker died; the run resumes from its last checkpoint."""


@dataclass(frozen=True)
class Outcome(Generic[Config]):
    """How one run ended."""

    config: Config
    status: Literal["finished", "skipped", "failed"]
    folder: Path | None
    """The run's folder; None for a failed run whose folder is not known."""
    seconds: float = 0.0
    message: str = ""
    """The error of a failed run, with its traceback."""

    @property
    def ok(self) -> bool:
        """Whether the run's folder holds a finished run."""
        return self.status != "failed"

    @property
    def note(self) -> str:
        """The last line of the message: the error itself."""
        return self.message.strip().splitlines()[-1] if self.message else ""


def launch(
    configs: Sequence[Config],
    run: Callable[[Config], Path],
    folder: Callable[[Config], Path] | None = None,
    engine: Literal["serial", "ray"] = "serial",
    address: str | None = None,
    workers: int | None = None,
    cpus: int = 1,
    gpus: float = 0.0,
    show: bool = True,
) -> list[Outcome[Config]]:
    """Run every config that is not finished; a failed run is reported and the others go on.

    Killed runs resume, since `run` (which calls :func:`common.training.fit`) does.

    Args:
        configs: what to run, in this order.
        run: runs one config and returns its folder; picklable for Ray. A finished run it leaves as it is.
        folder: the folder of a config, see :func:`common.training.run_folder`. With it, finished runs are recognised
            without starting anything, and failed ones are named.
        engine: serial, or ray.
        address: an existing Ray cluster (``auto`` or ``ray://host:10001``), whose nodes see this code and the run
            folders under the same paths; None starts one on this machine and stops it afterwards.
        workers: runs at a time on a cluster of this machine; default as many as there are cores for.
        cpus: cores per run under Ray.
        gpus: GPUs per run under Ray, also fractions; without any a run on Ray sees no GPU.
        show: print a line per ended run and a table at the end.

    Returns:
        One outcome per config, in the order of `configs`.

    Raises:
        ValueError: an unknown engine, or resources that the cluster does not have.
    """
    if engine not in ("serial", "ray"):
        raise ValueError(f"engine must be serial or ray, got {engine!r}")
    if cpus < 1 or gpus < 0:
        raise ValueError(f"a run needs at least one core and no negative number of GPUs, got {cpus} and {gpus}")
    folders = [folder(config) if folder else None for config in configs]
    done: dict[int, Outcome[Config]] = {}
    for k, (config, path) in enumerate(zip(configs, folders, strict=True)):
        if path is not None and is_finished(path):
            done[k] = Outcome(config, "skipped", path)
    todo = {k: (config, folders[k]) for k, config in enumerate(configs) if k not in done}
    console = Console(quiet=not show)
    for k, outcome in _serial(todo, run) if engine == "serial" else _ray(todo, run, address, workers, cpus, gpus):
        done[k] = outcome
        line = f"[{len(done)}/{len(configs)}] {_name(k, outcome)}: {outcome.status} {outcome.seconds:.0f} s"
        console.print(f"{line} {outcome.note}".rstrip(), markup=False, highlight=False)
    outcomes = [done[k] for k in range(len(configs))]
    console.print(_summary(outcomes))
    return outcomes


Jobs = dict[int, tuple[Config, "Path | None"]]


def _attempt(config: Config, path: Path | None, run: Callable[[Config], Path]) -> Outcome[Config]:
    start = time.perf_counter()
    try:
        path = run(config)
    except Exception:  # reported in the outcome, so that the other runs go on
        return Outcome(config, "failed", path, time.perf_counter() - start, traceback.format_exc())
    return Outcome(config, "finished", path, time.perf_counter() - start)


def _attempt_in(directory: str, config: Config, path: Path | None, run: Callable[[Config], Path]) -> Outcome[Config]:
    """:func:`_attempt` where relative paths mean what they mean here: a worker starts where its cluster was started."""
    try:
        os.chdir(directory)
    except OSError as error:
        return Outcome(config, "failed", path, message=f"the worker has no folder {directory} ({error.strerror})")
    return _attempt(config, path, run)


def _serial(jobs: Jobs[Config], run: Callable[[Config], Path]) -> Iterator[tuple[int, Outcome[Config]]]:
    for k, (config, path) in jobs.items():
        yield k, _attempt(config, path, run)


def _ray(
    jobs: Jobs[Config],
    run: Callable[[Config], Path],
    address: str | None,
    workers: int | None,
    cpus: int,
    gpus: float,
) -> Iterator[tuple[int, Outcome[Config]]]:
    if not jobs:
        return
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('the Ray engine needs Ray: pip install "ray[default]"') from error
    from ray.exceptions import RayError

    started = not ray.is_initialized()
    if started:
        root = str(Path(__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        environment = {"env_vars": {"PYTHONPATH": path, "OMP_NUM_THREADS": str(cpus)}}
        total = None if address else cpus * (workers or max(1, (os.cpu_count() or 1) // cpus))
        ray.init(address, num_cpus=total, include_dashboard=False, log_to_driver=False, runtime_env=environment)
    try:
        offered = ray.cluster_resources()
        for kind, wanted in (("CPU", cpus), ("GPU", gpus)):
            if wanted > offered.get(kind, 0):  # Ray itself would wait for ever
                raise ValueError(f"a run wants {wanted:g} {kind}, but the Ray cluster has {offered.get(kind, 0):g}")
        # Errors of a run come back inside its outcome; only the death of a worker makes Ray try again.
        task = ray.remote(_attempt_in).options(
            num_cpus=cpus, num_gpus=gpus, max_retries=RETRIES, retry_exceptions=False
        )
        pending = {task.remote(os.getcwd(), config, path, run): k for k, (config, path) in jobs.items()}
        while pending:
            (reference, *_), _ = ray.wait(list(pending), num_returns=1)
            k = pending.pop(reference)
            config, path = jobs[k]
            try:
                yield k, ray.get(reference)
            except RayError as error:
                yield k, Outcome(config, "failed", path, message=f"{type(error).__name__}: {error}")
    finally:
        if started:
            ray.shutdown()


def _name(k: int, outcome: Outcome[Any]) -> str:
    return outcome.folder.name if outcome.folder is not None else f"run {k + 1}"


def _summary(outcomes: Sequence[Outcome[Any]]) -> Table:
    table = Table(title=f"{len(outcomes)} runs")
    for name in ("run", "status", "seconds", "message"):
        table.add_column(name, justify="right" if name == "seconds" else "left", overflow="fold")
    styles = {"finished": "green", "skipped": "dim", "failed": "red"}
    for k, outcome in enumerate(outcomes):
        seconds = f"{outcome.seconds:.0f}" if outcome.seconds else ""
        status = Text(outcome.status, style=styles[outcome.status])
        table.add_row(Text(_name(k, outcome)), status, seconds, Text(outcome.note))
    return table
