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


@pytest.mark.parametrize("bucket", [True, False])
@pytest.mark.parametrize("repeats", [1.0, 3.33, 100.5])
def test_repeated_examples_fill_an_epoch_evenly(bucket, repeats):
    few = BucketedLoader(
        list(range(85)), lambda items: {"ids": items}, 32, LENGTHS[:85].tolist(), True, bucket, repeats=repeats
    )
    batches = ids(few)
    assert len(batches) == len(few) == -(-round(85 * repeats) // 32)
    seen = np.bincount(sum(batches, []), minlength=85)
    assert seen.sum() == round(85 * repeats) and seen.max() - seen.min() <= 1
    assert max(np.bincount(batch).max() for batch in batches) <= 2  # a batch is never copies of a few examples
    few.load_state_dict({"epoch": 0, "position": 2})
    assert ids(few) == batches[2:]


def test_only_training_repeats():
    for options in ({"repeats": 0.5}, {"repeats": 2.0, "shuffle": False}):
        with pytest.raises(ValueError, match="repeats must be at least 1"):
            loader(**options)
