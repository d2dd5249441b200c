"""Arms that are timed in turn, each in a process of its own.

So its peak memory is its own, and a machine that slows down or speeds up does so for all arms.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import torch


def serve(pipe: Connection, step: Callable[[], object], device: torch.device) -> int:
    """In an arm's process: at every request times a round of steps and sends the seconds of each; at a request of 0
    returns the peak of the process' memory in bytes.
    """
    step()
    while steps := pipe.recv():
        step()  # what the other arms have left in the caches is no arm's business
        seconds = []
        for _ in range(steps):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
        pipe.send(seconds)
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def alternate(
    arms: Sequence[str], measure: Callable[..., None], arguments: tuple, rounds: int, steps: int, keep_freed: bool
) -> dict[str, dict[str, Any]]:
    """All arms at once, timed in turn; what each sends at its end, and ``seconds`` of its steps.

    Args:
        arms: their names.
        measure: run in each process as ``measure(arm, *arguments, pipe)``; it calls :func:`serve`, then sends a dict.
        arguments: handed on.
        rounds: how often each arm has its turn.
        steps: timed steps of a turn.
        keep_freed: let glibc keep memory that was freed, as a GPU's allocator does. Otherwise up to a third of a step
            on a CPU goes into getting it back from the kernel, more or less of it by the accident of the heap's end.
    """
    if keep_freed:  # read by the new processes when they start
        os.environ |= {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**30)}
    context = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    for arm in arms:
        pipes[arm], theirs = context.Pipe()
        processes.append(context.Process(target=measure, args=(arm, *arguments, theirs)))
        processes[-1].start()
        theirs.close()

    def ask(arm: str, count: int) -> Any:
        try:
            pipes[arm].send(count)
            return pipes[arm].recv()
        except (EOFError, BrokenPipeError):
            raise RuntimeError(f"arm {arm!r} ended without a result; its own message stands above") from None

    seconds: dict[str, list[float]] = {arm: [] for arm in arms}
    for _ in range(rounds):
        for arm in arms:
            seconds[arm] += ask(arm, steps)
    results = {arm: {**ask(arm, 0), "seconds": seconds[arm]} for arm in arms}
    for process in processes:
        process.join()
    return results
