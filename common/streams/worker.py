"""Analysing many words in processes of their own.

Workers are plain ``python -c`` commands fed through a pipe. Unlike ``multiprocessing`` they
never import the caller's main script (works in notebooks), inherit no threads or locks, and end with the
caller even when it is killed, because their input then ends.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Callable, Sequence

from common.streams.analyser import WordAnalyser


class WorkerError(RuntimeError):
    """A worker process ended before its answer."""


def analyse_chunks(
    analyser: WordAnalyser, chunks: Sequence[Sequence[str]], workers: int, done: Callable[[int], Any]
) -> list[list[list[str]]]:
    """``analyser.analyse_many`` of every chunk, in order, by ``workers`` processes; ``done(n)`` after each chunk.

    Raises:
        WorkerError: a worker died; its own traceback stands on stderr.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    # The folder of a `python -m` run or a notebook stands in sys.path as "".
    environment["PYTHONPATH"] = os.pathsep.join([environment["PYTHONPATH"], os.getcwd()])
    command = [sys.executable, "-c", "from common.streams.worker import main; main()"]
    setup = (type(analyser).__module__, type(analyser).__qualname__, analyser.state())
    processes: list[subprocess.Popen[bytes]] = []
    idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()

    def one(chunk: Sequence[str]) -> list[list[str]]:
        process = idle.get()
        answer = _ask(process, list(chunk))
        idle.put(process)
        done(len(chunk))
        return answer

    pool = ThreadPoolExecutor(workers)
    try:
        for _ in range(workers):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            processes.append(process)
            _send(process, setup)
            idle.put(process)
        return [future.result() for future in [pool.submit(one, chunk) for chunk in chunks]]
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
    pickle.dump(message, process.stdin)
    process.stdin.flush()


def _ask(process: subprocess.Popen[bytes], chunk: list[str]) -> list[list[str]]:
    try:
        _send(process, chunk)
        if process.stdout is None:
            raise WorkerError("the worker has no output")
        return pickle.load(process.stdout)
    except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise WorkerError("a lexicon worker ended early; its message is above. workers=1 needs none.") from error


def main() -> None:
    """Reads (module, class, state), then lists of keys until the input ends; answers each with its symbols."""
    import importlib

    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # anything an analyser prints goes to stderr, not into the answers
    module, name, state = pickle.load(incoming)
    analyser = getattr(importlib.import_module(module), name).from_state(state)
    while True:
        try:
            keys = pickle.load(incoming)
        except EOFError:
            return
        pickle.dump(analyser.analyse_many(keys), outgoing)
        outgoing.flush()
