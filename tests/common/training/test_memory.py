"""Freed memory stays with the process, so that the kernel need not clear its pages anew."""

import subprocess
import sys

import pytest

from common.training.memory import keep_freed

COUNT = """
import resource, sys
import torch
from common.training.memory import keep_freed
if sys.argv[1] == "kept":
    assert keep_freed()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(2):
    torch.ones(2**24)  # 64 MiB
before = faults()
for _ in range(10):
    torch.ones(2**24)
print(faults() - before)
"""


def faults(how: str) -> int:
    """Pages that a process had to be given for 10 blocks of 64 MiB, one after the other."""
    found = subprocess.run([sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True)
    return int(found.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is the C library of Linux")
def test_pages_of_freed_blocks_are_used_again():
    if not keep_freed():
        pytest.skip("this C library takes no such wish")
    kept, given_back = faults("kept"), faults("default")
    # Huge pages are fewer, but a block that was given back costs at least 32 of them.
    assert given_back >= 10 * 32 and kept < given_back / 10
