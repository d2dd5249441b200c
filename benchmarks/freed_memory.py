"""What it costs a training step on the CPU to give freed memory back to the kernel, and to keep it.

    python -m benchmarks.freed_memory [--out results/records/benchmarks/freed_memory.json]

One arm trains with :func:`common.training.memory.keep_freed`, as every run on a CPU does, the other without. Both train
a variant of step 3 at the sizes of its preset ``small``, on Python's own documentation; ratios are made from the
medians of one run, in which the arms take turns (``benchmarks.alternate``).
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, replace
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import torch
import tyro

from benchmarks.alternate import alternate, serve
from benchmarks.report import machine, write_report
from benchmarks.timing import step
from common.training.config import RuntimeConfig
from common.training.memory import keep_freed
from common.training.optimiser import build_optimiser
from step3_gpt.config import quick, small, variant
from step3_gpt.data import build_data
from step3_gpt.model import build_model
from step3_gpt.task import GPTTask

GIVEN_BACK, KEPT = "given back", "kept"


@dataclass(frozen=True)
class Settings:
    """What is compared."""

    variant: str = "dm_b"
    precision: Literal["fp32", "bf16"] = "bf16"
    threads: int = 1
    steps: int = 3
    """Timed steps of a turn."""
    rounds: int = 6
    """Turns of each arm."""
    cache: str = "~/.cache/multistream"
    """Folder of the corpus."""
    out: Path | None = None
    """Where the record goes."""


def measure(arm: str, settings: Settings, pipe: Connection) -> None:
    """Time one arm's steps in this process, whenever asked."""
    if arm == KEPT and not keep_freed():
        raise RuntimeError("freed memory can be kept with glibc only, and this is another C library")
    torch.set_num_threads(settings.threads)
    base = replace(small(), data=replace(quick().data, vocab_size=small().data.vocab_size), also="")
    config = variant(replace(base, train=replace(base.train, precision=settings.precision)), settings.variant)
    data = build_data(config, RuntimeConfig(cache_dir=settings.cache, progress=False))
    torch.manual_seed(0)
    task = GPTTask(build_model(config, data.corpus.tokenizer, data.vocabularies), {}).train()
    optimiser = build_optimiser(task, task.parts(), config.train)
    device, batches = torch.device("cpu"), cycle(data.loaders["train"])
    peak = serve(pipe, lambda: step(task, optimiser, next(batches), config.train, device), device)
    pipe.send({"peak_mib": peak / 2**20})
    pipe.close()


def run(settings: Settings) -> dict:
    """Median step of both arms, and the ratio to memory given back."""
    torch.set_num_threads(settings.threads)  # what the report says of the machine
    results = alternate((GIVEN_BACK, KEPT), measure, (settings,), settings.rounds, settings.steps, keep_freed=False)
    medians = {arm: 1000 * statistics.median(found["seconds"]) for arm, found in results.items()}
    rows = [
        {
            "freed_memory": arm, "step_ms": medians[arm], "peak_mib": found["peak_mib"],
            "step_ratio": medians[arm] / medians[GIVEN_BACK],
            "peak_ratio": found["peak_mib"] / results[GIVEN_BACK]["peak_mib"],
        }
        for arm, found in results.items()
    ]  # fmt: skip
    shape = {key: value for key, value in asdict(settings).items() if key not in ("out", "cache")}
    return {"benchmark": "freed_memory", "settings": shape, "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(run(chosen), chosen.out)
