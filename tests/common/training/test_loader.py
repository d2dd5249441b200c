"""Batches cover every example once, in an order that seed and epoch fix, from any position."""

import numpy as np
import pytest

from common.training import BucketedLoader
from common.training.loader import StepLoader, steps_per_epoch

COUNT = 1003
LENGTHS = np.random.default_rng(0).integers(3, 60, COUNT)


def loader(**options) -> BucketedLoader:
    settings = {"batch_size": 8, "lengths": LENGTHS, "shuffle": True, "bucket": True, "seed": 3} | options
    return BucketedLoader(list(range(COUNT)), lambda items: {"ids": items}, **settings)


def ids(batches) -> list[list[int]]:
    return [batch["ids"] for batch in batches]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("bucket", [True, False])
def test_every_example_once(shuffle, bucket):
    batches = ids(loader(shuffle=shuffle, bucket=bucket))
    assert sorted(sum(batches, [])) == list(range(COUNT))
    assert len(batches) == len(loader()) == 126
    assert sorted(map(len, batches))[:2] == [3, 8]


def test_order_depends_on_seed_and_epoch_alone():
    first, second, other = loader(), loader(), loader(seed=4)
    assert ids(first) == ids(second) != ids(other)
    second.set_epoch(1)
    assert ids(second) != ids(first)
    first.set_epoch(1)
    assert ids(second) == ids(first)


def test_without_shuffling_or_buckets_the_order_is_kept():
    assert sum(ids(loader(shuffle=False, bucket=False)), []) == list(range(COUNT))


def test_buckets_save_padding():
    def padded(batches):
        return sum(len(batch) * LENGTHS[batch].max() for batch in batches)

    assert padded(ids(loader())) < 1.1 * LENGTHS.sum() < padded(ids(loader(bucket=False)))


@pytest.mark.parametrize("position", [0, 1, 50, 125])
def test_resumes_inside_an_epoch(position):
    whole = loader()
    whole.set_epoch(2)
    running = iter(whole)
    begun = [next(running)["ids"] for _ in range(position)]
    resumed = loader()
    resumed.load_state_dict(whole.state_dict())
    rest = ids(resumed)
    whole.set_epoch(2)
    assert begun + rest == ids(whole)
    assert resumed.state_dict() == {"epoch": 2, "position": 0}


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("start", [0, 1, 31, 32, 70])
def test_steps_of_a_whole_run(accumulate, start):
    epoch = steps_per_epoch(loader(), accumulate)
    stop = 3 * epoch
    whole = [ids(step["batches"]) for step in StepLoader(loader(), accumulate, 0, stop)]
    steps = list(StepLoader(loader(), accumulate, start, stop))
    assert [ids(step["batches"]) for step in steps] == whole[start:]
    assert len(whole) == stop
    assert all(sum(step["weights"]) == pytest.approx(1) for step in steps)
    assert sorted(sum(sum(whole[:epoch], []), [])) == list(range(COUNT))


def test_processes_share_the_batches():
    shares = []
    for rank in range(4):
        part = loader()
        part.shard(rank, 4)
        shares.append(ids(part))
        assert len(shares[-1]) == len(part) == 32
    assert set(sum(sum(shares, []), [])) == set(range(COUNT))
    assert sum(map(len, sum(shares, []))) <= COUNT + 3 * 8


def test_fewer_batches_than_processes():
    part = BucketedLoader([1, 2], lambda items: {"ids": items}, 2)
    part.shard(2, 3)
    assert ids(part) == [[1, 2]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"lengths": None}, "needs the lengths"),
        ({"lengths": [1]}, "1 lengths for 1003"),
    ],
)
def test_wrong_use(options, message):
    with pytest.raises(ValueError, match=message):
        loader(**options)


def test_wrong_positions_and_ranks():
    with pytest.raises(ValueError, match="position 200"):
        loader().load_state_dict({"epoch": 0, "position": 200})
    with pytest.raises(ValueError, match="rank 2"):
        loader().shard(2, 2)
    with pytest.raises(ValueError, match="at least one example"):
        BucketedLoader([], dict, 4)
