"""From shards with strings of their own to one sorted list of strings for the corpus, in constant memory."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import repeat
from pathlib import Path

import numpy as np

from common.data.language.shards import lines_of, read_shard, strings_of, write_shard

BLOCK = 1 << 16


def merge_strings(
    shards: Sequence[Path], strings: Path, train_uses: Path, training: Sequence[bool]
) -> list[np.ndarray]:
    """Write the strings of all shards, sorted and each once, and how often each is a word of a training shard.

    Args:
        shards: unfinished shards.
        strings: where the strings go, one per line; the empty one comes first.
        train_uses: where the counts go, as raw uint64.
        training: whether each shard is one of the training split.

    Returns:
        Per shard, number among its own strings -> number in the corpus; memory-mapped beside `strings`.
    """
    sizes = [_length(strings_of(shard)) for shard in shards]
    offsets = np.cumsum([0, *sizes])
    path = strings.with_suffix(".map")
    numbers = np.memmap(path, dtype=np.uint32, mode="w+", shape=(max(1, int(offsets[-1])),))
    uses = [read_shard(shard)[0]["uses"] for shard in shards]
    filled = [0] * len(shards)
    streams = [zip(lines_of(strings_of(shard)), repeat(k)) for k, shard in enumerate(shards)]
    # In the order of code points, which is also that of the UTF-8 bytes.
    with open(strings, "wb") as out, open(train_uses, "wb") as counted:
        last: str | None = None
        number, times = -1, 0
        pending: list[int] = []
        for string, k in heapq.merge(*streams):
            if string != last:
                if last is not None:
                    pending.append(times)
                last, times, number = string, 0, number + 1
                out.write(string.encode("utf-8", "surrogatepass") + b"\n")
                if len(pending) >= BLOCK:
                    np.array(pending, dtype=np.uint64).tofile(counted)
                    pending.clear()
            numbers[offsets[k] + filled[k]] = number
            if training[k]:
                times += int(uses[k][filled[k]])
            filled[k] += 1
        if last is not None:
            pending.append(times)
        np.array(pending, dtype=np.uint64).tofile(counted)
    return [numbers[offsets[k] : offsets[k + 1]] for k in range(len(shards))]


def finish_shard(shard: Path, numbers: np.ndarray, target: Path) -> None:
    """Write the shard again with the corpus' numbers in place of its own."""
    arrays, counts = read_shard(shard)
    arrays = {name: np.array(array) for name, array in arrays.items() if name != "uses"}
    for name in ("words", "prefixes"):
        arrays[name] = np.asarray(numbers)[arrays[name]]
    target.parent.mkdir(parents=True, exist_ok=True)
    write_shard(target, arrays, counts)


def _length(path: Path) -> int:
    count = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            count += block.count(b"\n")
    return count
