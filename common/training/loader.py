"""Length-bucketed batches in an order that depends on seed and epoch alone, and can be resumed at any batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

Item = TypeVar("Item")
POOL = 50
"""Batches of random examples that are sorted by length together."""


class BucketedLoader(Generic[Item]):
    """Batches of `items`.

    With `shuffle` and `bucket`: the examples are shuffled, pools of :data:`POOL` batches are sorted by length, and the
    batches are shuffled again. Without `shuffle`, `bucket` sorts all examples by length.

    Args:
        items: the examples.
        collate: makes a batch of a list of examples.
        batch_size: examples per batch; the last batch of an epoch may be smaller.
        lengths: tokens of each example; needed for `bucket`.
        shuffle: new order every epoch.
        bucket: put examples of similar length together.
        seed: of the shuffling.
        repeats: passes over the examples in one epoch, at least 1 and only with `shuffle`. Each pass has its own
            order; of a last one that is not whole, a random part is taken.
    """

    def __init__(
        self,
        items: Sequence[Item],
        collate: Callable[[list[Item]], dict[str, Any]],
        batch_size: int,
        lengths: Sequence[int] | None = None,
        shuffle: bool = False,
        bucket: bool = False,
        seed: int = 0,
        repeats: float = 1.0,
    ) -> None:
        if len(items) == 0:
            raise ValueError("a loader needs at least one example")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if bucket and lengths is None:
            raise ValueError("bucketing needs the lengths of the examples")
        if lengths is not None and len(lengths) != len(items):
            raise ValueError(f"{len(lengths)} lengths for {len(items)} examples")
        if repeats < 1 or (repeats > 1 and not shuffle):
            raise ValueError(f"repeats must be at least 1, and 1 without shuffling, got {repeats}")
        self.items = items
        self.count = round(repeats * len(items))
        self.collate = collate
        self.batch_size = batch_size
        self.lengths = None if lengths is None else np.asarray(lengths)
        self.shuffle = shuffle
        self.bucket = bucket
        self.seed = seed
        self.epoch = 0
        self.position = 0
        self.rank, self.world_size = 0, 1

    def shard(self, rank: int, world_size: int) -> None:
        """From now on give only the batches of one of `world_size` processes; every process gets equally many."""
        if not 0 <= rank < world_size:
            raise ValueError(f"rank {rank} is not one of {world_size} processes")
        self.rank, self.world_size = rank, world_size

    def set_epoch(self, epoch: int) -> None:
        """Start epoch `epoch` at its first batch."""
        self.epoch, self.position = epoch, 0

    def indices(self) -> list[np.ndarray]:
        """Indices of the examples of each batch of the current epoch."""
        size, count, distinct = self.batch_size, self.count, len(self.items)
        random = np.random.default_rng([self.seed, self.epoch])
        passes = [
            random.permutation(distinct) if self.shuffle else np.arange(distinct) for _ in range(0, count, distinct)
        ]
        order = np.concatenate(passes)[:count]
        if self.bucket and self.lengths is not None:
            # No pool is longer than a pass: sorted, the copies of an example would make a batch of one text.
            pool = min(POOL * size, distinct) if self.shuffle else count
            pools = [order[start : start + pool] for start in range(0, count, pool)]
            # Stable sorting: equally long examples stay in random order.
            order = np.concatenate([part[np.argsort(self.lengths[part], kind="stable")] for part in pools])
        batches = [order[start : start + size] for start in range(0, count, size)]
        if self.bucket and self.shuffle:
            batches = [batches[k] for k in random.permutation(len(batches))]
        # Ranks must take equally many steps: the first batches are given twice where the count does not divide.
        surplus = -len(batches) % self.world_size
        batches += [batches[k % len(batches)] for k in range(surplus)]
        return batches[self.rank :: self.world_size]

    def __len__(self) -> int:
        batches = -(-self.count // self.batch_size)
        return -(-batches // self.world_size)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The batches from the current position to the end of the epoch; then the position is 0 again."""
        for chosen in self.indices()[self.position :]:
            self.position += 1
            yield self.collate([self.items[int(k)] for k in chosen])
        self.position = 0

    def state_dict(self) -> dict[str, int]:
        """Epoch and number of batches already given in it."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue where `state_dict` was taken."""
        if not 0 <= state["position"] <= len(self):
            raise ValueError(f"position {state['position']} lies outside an epoch of {len(self)} batches")
        self.epoch, self.position = state["epoch"], state["position"]


class StepLoader:
    """The batches of the optimiser steps `start` to `stop` (not included) of a whole run.

    One element is what one optimiser step consumes: ``{"batches": [...], "weights": [...]}``, the weights being the
    share of each batch in the examples of the step. So accumulation equals one large batch where the loss is a mean
    over examples; a mean over tokens weights those of a batch with few of them a little more.
    """

    def __init__(self, loader: BucketedLoader[Any], accumulate: int, start: int, stop: int) -> None:
        self.loader, self.accumulate, self.start, self.stop = loader, accumulate, start, stop
        self.steps_per_epoch = steps_per_epoch(loader, accumulate)

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[dict[str, list[Any]]]:
        step = self.start
        while step < self.stop:
            epoch, within = divmod(step, self.steps_per_epoch)
            self.loader.load_state_dict({"epoch": epoch, "position": within * self.accumulate})
            sizes = [len(chosen) for chosen in self.loader.indices()]
            batches = iter(self.loader)
            for first in range(within * self.accumulate, len(sizes), self.accumulate):
                if step == self.stop:
                    return
                chosen = sizes[first : first + self.accumulate]
                yield {
                    "batches": [next(batches) for _ in chosen],
                    "weights": [size / sum(chosen) for size in chosen],
                }
                step += 1


def steps_per_epoch(loader: BucketedLoader[Any], accumulate: int) -> int:
    """Optimiser steps in one epoch."""
    return -(-len(loader) // accumulate)
