"""Number formats of the forward pass, and which of them a machine computes fastest."""

from __future__ import annotations

from pathlib import Path

import torch

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
FLAGS = Path("/proc/cpuinfo")


def resolve_precision(precision: str, device: torch.device) -> str:
    """`precision`, with ``auto`` replaced: bf16 where the device has matrix units for it, else fp32.

    Raises:
        ValueError: `device` cannot compute in `precision`.
    """
    if precision == "auto":
        if device.type == "cuda":
            return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
        return "bf16" if device.type == "cpu" and has_amx() else "fp32"
    if precision == "fp16" and device.type == "cpu":
        raise ValueError("fp16 needs a GPU; on the CPU use precision fp32 or bf16")
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise ValueError("this GPU has no bf16; use precision fp16 or fp32")
    return precision


def has_amx() -> bool:
    """Whether this CPU multiplies bf16 matrices in hardware (Intel AMX). Without it bf16 is slower than fp32."""
    return FLAGS.exists() and "amx_bf16" in FLAGS.read_text(encoding="utf-8", errors="replace")


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """The autocast context of a precision; does nothing for fp32."""
    precision = resolve_precision(precision, device)
    return torch.autocast(device.type, dtype=DTYPES.get(precision, torch.bfloat16), enabled=precision in DTYPES)
