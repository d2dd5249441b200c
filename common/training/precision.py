"""Number formats of the forward pass, and which of them a machine computes fastest."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from functools import cache

import torch

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
CLOCK = time.process_time if time.get_clock_info("process_time").resolution < 1e-4 else time.perf_counter
"""CPU time, in which nothing counts that runs beside it; the time of day where the system counts CPU time coarsely."""
SIDE = 768
"""Rows and columns of the matrices by which a CPU is judged; about those of a layer."""


def resolve_precision(precision: str, device: torch.device) -> str:
    """`precision`, with ``auto`` replaced by the faster of bf16 and fp32; the same answer throughout a process.

    Raises:
        ValueError: `device` cannot compute in `precision`.
    """
    if precision == "auto":
        if device.type == "cuda":
            return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
        return "bf16" if device.type == "cpu" and cpu_prefers_bf16() else "fp32"
    if precision == "fp16" and device.type == "cpu":
        raise ValueError("fp16 needs a GPU; on the CPU use precision fp32 or bf16")
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise ValueError("this GPU has no bf16; use precision fp16 or fp32")
    return precision


def warn_if_slow(precision: str, device: torch.device) -> None:
    """Say so where a CPU would be faster in another precision than the one that a config names."""
    if precision == "bf16" and device.type == "cpu" and not cpu_prefers_bf16():
        warnings.warn(
            "this CPU gains little from bf16, or loses by it; --train.precision fp32 may take a fraction of the "
            "time, as a run of another name, since it is another config",
            stacklevel=2,
        )


@cache
def cpu_prefers_bf16() -> bool:
    """Whether this CPU multiplies bf16 matrices clearly faster than fp32 ones.

    Measured, because the names of instruction sets do not tell: with some, bf16 is six times as fast, and with others
    that have the same name half as fast.
    """
    seconds = matmul_seconds((torch.bfloat16, torch.float32))
    return seconds[torch.bfloat16] < 0.8 * seconds[torch.float32]


def matmul_seconds(kinds: Sequence[torch.dtype], rounds: int = 8) -> dict[torch.dtype, float]:
    """Least seconds of a matrix product in each format, by :data:`CLOCK`; the formats take turns."""
    matrices = {kind: torch.ones(SIDE, SIDE, dtype=kind) for kind in kinds}
    seconds = dict.fromkeys(kinds, float("inf"))
    for turn in range(rounds + 1):
        for kind, matrix in matrices.items():
            start = CLOCK()
            _ = matrix @ matrix
            if turn:  # the first one prepares
                seconds[kind] = min(seconds[kind], CLOCK() - start)
    return seconds


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """The autocast context of a precision; does nothing for fp32."""
    precision = resolve_precision(precision, device)
    return torch.autocast(device.type, dtype=DTYPES.get(precision, torch.bfloat16), enabled=precision in DTYPES)
