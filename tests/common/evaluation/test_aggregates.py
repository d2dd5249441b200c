"""The interquartile mean by hand, and how often its interval covers the truth."""

import numpy as np
import pytest

from common.evaluation.aggregates import aggregate, interquartile_mean


def test_by_hand():
    # Pooled and sorted: 1 2 | 3 4 5 6 | 7 100. A failed or lucky run does not move it.
    found = aggregate([[1, 2, 3, 4], [5, 6, 7, 100]])
    assert (found.estimate, found.tasks, found.seeds) == (4.5, 2, 4)
    assert aggregate([[1, 2, 3, 4], [5, 6, 7, 1000]]).estimate == 4.5
    # Six runs: a quarter of them is 1.5, rounded down to one on each side.
    assert aggregate([[1, 2, 3], [4, 5, 6]]).estimate == 3.5


def test_the_mean_alone_along_an_axis():
    assert interquartile_mean([1, 2, 9]) == pytest.approx(4)  # a quarter of three is none
    np.testing.assert_allclose(interquartile_mean([[1, 10], [2, 20], [3, 30], [100, 0]]), [2.5, 15])
    np.testing.assert_allclose(interquartile_mean([[1, 2, 3, 100], [0, 0, 0, 8]], axis=1), [2.5, 0])


def test_it_keeps_the_unit_and_does_not_depend_on_the_order_of_the_runs():
    scores = np.random.default_rng(0).normal(size=(3, 5))
    found, shifted = aggregate(scores), aggregate(10 + 2 * scores)
    assert (shifted.estimate, shifted.low, shifted.high) == pytest.approx(
        (10 + 2 * found.estimate, 10 + 2 * found.low, 10 + 2 * found.high)
    )
    assert aggregate(scores[::-1, ::-1]).estimate == pytest.approx(found.estimate)
    assert found.low <= found.estimate <= found.high


def test_seeds_are_drawn_within_their_task():
    # All spread lies between the tasks, so no draw can change the result.
    found = aggregate(np.repeat([[1.0], [2.0], [9.0]], 4, axis=1))
    assert found.low == found.estimate == found.high


def test_the_interval_covers_the_truth():
    random = np.random.default_rng(1)
    means = np.array([[-1.0], [-0.3], [0.3], [1.0]])  # symmetric, so the truth is 0
    hits = []
    for trial in range(150):
        found = aggregate(means + random.normal(size=(4, 10)), replicates=200, seed=trial)
        hits.append(found.low <= 0 <= found.high)
    assert 0.87 < np.mean(hits) < 0.99  # ten seeds cover a little less than 95 %


def test_other_input_is_refused():
    with pytest.raises(ValueError, match="same number of seeds"):
        aggregate([[1.0, 2.0], [1.0, 2.0, 3.0]])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="two seeds"):
        aggregate([[1.0], [2.0]])
    with pytest.raises(ValueError, match="not finite"):
        aggregate([[1.0, np.nan]])
