"""Items over processes: order, errors, death."""

from __future__ import annotations

import os

import pytest

from common.parallel import WorkerError, parallel_map


class Divider:
    """Divides a number by each item; the item -1 ends its process."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, item: int) -> float:
        if item == -1:
            os._exit(3)
        return self.number / item


def test_results_keep_the_order_of_the_items_and_each_is_announced():
    announced = []
    results = parallel_map(Divider, (12,), [1, 2, 3, 4], 2, lambda item, result: announced.append((item, result)))
    assert results == [12, 6, 4, 3]
    assert sorted(announced) == [(1, 12), (2, 6), (3, 4), (4, 3)]


def test_an_error_on_an_item_is_raised_as_it_was():
    with pytest.raises(ZeroDivisionError):
        parallel_map(Divider, (12,), [1, 0, 3], 2)


def test_a_dead_worker_is_an_error_not_a_hang():
    with pytest.raises(WorkerError, match="ended early"):
        parallel_map(Divider, (12,), [1, -1, 2, 3], 2)


def test_a_worker_that_dies_as_it_begins_is_an_error_of_its_own(monkeypatch):
    monkeypatch.setattr("common.parallel.sys.executable", "/bin/true")
    with pytest.raises(WorkerError, match="ended early"):
        parallel_map(Divider, ("x" * 10_000_000,), [1], 1)
