"""Memory that a training step frees is kept for the next one."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Of ``mallopt`` in glibc's malloc.h: free bytes at the heap's end from which they are given back, and size from which
a block is mapped by itself and given back as soon as it is freed."""
KEPT = 2**30
"""Bytes."""


def keep_freed() -> bool:
    """Let this process keep up to 1 GiB of freed memory, as the allocator of a GPU does.

    A step on the CPU frees all its activations. By default glibc gives them back to the kernel, which has to clear
    every page anew for the next step; ``benchmarks.freed_memory`` measures what that costs.

    Returns:
        whether the C library takes such a wish; only glibc does.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(option, KEPT) == 1 for option in (TRIM_THRESHOLD, MMAP_THRESHOLD))
