"""One function over many items, in processes of their own.

Workers are plain ``python -c`` commands fed through a pipe. Unlike ``multiprocessing`` they
never import the caller's main script (works in notebooks), inherit no threads or locks, and end with the
caller even when it is killed, because their input then ends.
"""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from queue import SimpleQueue
from typing import Any

Item = Any
Result = Any


class WorkerError(RuntimeError):
    """A worker process ended before its answer."""

    def __init__(self, message: str = "a worker ended early; its message is above. workers=1 needs none.") -> None:
        super().__init__(message)


def parallel_map(
    make: Callable[..., Callable[[Item], Result]],
    arguments: tuple[Any, ...],
    items: Sequence[Item],
    workers: int,
    done: Callable[[Item, Result], Any] = lambda item, result: None,
) -> list[Result]:
    """``make(*arguments)`` of every item, in the order of the items.

    Args:
        make: a function or class of an importable module; called once in every worker.
        arguments: picklable.
        items: picklable, as are the results.
        workers: processes.
        done: called in this process after each item, in any order.

    Raises:
        WorkerError: a worker died; its own message stands on stderr.
        Exception: what the function raised on an item.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    # The folder of a `python -m` run or a notebook stands in sys.path as "".
    environment["PYTHONPATH"] = os.pathsep.join([*(p for p in sys.path if p), os.getcwd()])
    command = [sys.executable, "-c", "from common.parallel import main; main()"]
    processes: list[subprocess.Popen[bytes]] = []
    idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()

    def one(item: Item) -> Result:
        process = idle.get()
        failure, answer = _ask(process, item)
        idle.put(process)
        if failure is not None:
            raise failure
        done(item, answer)
        return answer

    pool = ThreadPoolExecutor(workers)
    try:
        for _ in range(min(workers, len(items))):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            processes.append(process)
            _send(process, (make.__module__, make.__qualname__, arguments))
            idle.put(process)
        return [future.result() for future in [pool.submit(one, item) for item in items]]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.communicate()
        # Threads that wait for a dead worker's turn are let go with an error of their own.
        for process in processes:
            idle.put(process)
        pool.shutdown(wait=True, cancel_futures=True)


def _send(process: subprocess.Popen[bytes], message: object) -> None:
    if process.stdin is None:
        raise WorkerError("the worker has no input")
    try:
        pickle.dump(message, process.stdin)
        process.stdin.flush()
    except BrokenPipeError as error:  # it died while it began
        raise WorkerError from error


def _ask(process: subprocess.Popen[bytes], item: Item) -> tuple[Exception | None, Result]:
    try:
        _send(process, item)
        if process.stdout is None:
            raise WorkerError("the worker has no output")
        return pickle.load(process.stdout)
    except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise WorkerError from error


def main() -> None:
    """Reads (module, name, arguments), then items until the input ends; answers each with (error, result)."""
    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # anything a function prints goes to stderr, not into the answers
    module, name, arguments = pickle.load(incoming)
    make: Any = reduce(getattr, name.split("."), importlib.import_module(module))
    function = make(*arguments)
    while True:
        try:
            item = pickle.load(incoming)
        except EOFError:
            return
        try:
            answer: tuple[Exception | None, Result] = (None, function(item))
        except Exception as error:  # raised again by the caller, who knows what it is about
            answer = (error, None)
        pickle.dump(answer, outgoing)
        outgoing.flush()
