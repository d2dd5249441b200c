"""Planted vectors: the shares are where they are said to be, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from alpha_validity.settings import PLANTED, SETTINGS, TENTHS
from common.data.planted_vectors import planted_vectors
from common.evaluation.planted_parts import Part, losses, readable, shapley_shares, stream_names

MIXED = (
    Part("unique", ("a",), 0.3), Part("redundant", ("a", "b"), 0.2), Part("synergistic", ("b", "c"), 0.5),
)  # fmt: skip


def test_truth_of_a_hand_worked_case():
    values = {name: readable(MIXED, frozenset(name)) for name in ("", "a", "b", "c", "ab", "bc", "ac", "abc")}
    expected = {"": 0, "a": 0.5, "b": 0.2, "c": 0, "ab": 0.5, "bc": 0.7, "ac": 0.5, "abc": 1.0}
    assert values == pytest.approx(expected)
    # A redundant share is split between those who have it, a synergistic one between those who are needed.
    assert shapley_shares(MIXED) == pytest.approx({"a": 0.4, "b": 0.35, "c": 0.25})
    assert losses(MIXED) == pytest.approx({"a": 0.3, "b": 0.5, "c": 0.5})


@pytest.mark.parametrize("name", PLANTED)
def test_every_setting_is_whole(name):
    parts = PLANTED[name]
    assert sum(part.share for part in parts) == pytest.approx(1.0)
    assert sum(shapley_shares(parts).values()) == pytest.approx(1.0)
    assert stream_names(parts) == tuple("abcde"[: len(stream_names(parts))])


@pytest.mark.parametrize("kind", ["unique", "redundant", "synergistic"])
def test_a_share_goes_up_in_tenths(kind):
    """What stream b is worth is the share in the name, or half of it where c has the other."""
    halves = 1 if kind == "unique" else 2
    for count in (2, 3, 4, 5) if kind == "unique" else (3,):
        found = [shapley_shares(parts) for name, parts in TENTHS.items()
                 if name.startswith(kind) and name.endswith(f", {count} streams")]  # fmt: skip
        assert [len(shares) for shares in found] == [count] * 11
        assert [shares["b"] for shares in found] == pytest.approx([share / 10 / halves for share in range(11)])
        assert all(shares["c"] == pytest.approx(shares["b"]) for shares in found if halves == 2)
        alike = [{name: x for name, x in shares.items() if name not in "bc"[:halves]} for shares in found]
        assert all(np.ptp(list(shares.values())) == pytest.approx(0) for shares in alike)


def test_settings_that_records_name_keep_their_places():
    """The place of a setting is the seed of its data."""
    assert list(PLANTED)[: len(SETTINGS)] == list(SETTINGS) and len(SETTINGS) == 17
    assert not set(SETTINGS) & set(TENTHS)


@pytest.mark.parametrize("present", ["a", "b", "c", "ab", "bc", "abc"])
def test_a_reader_of_some_streams_is_right_as_often_as_planted(present):
    """Neighbours of the training samples, without any model of ours."""
    train, test = planted_vectors(MIXED, (6000, 1500), classes=4, noise=0.3, seed=3)

    def joined(part):  # brought to one scale, as each stream has its own
        return np.concatenate([part.streams[n] / train.streams[n].std() for n in present], axis=1)

    reader = KNeighborsClassifier(15).fit(joined(train), train.labels)
    expected = 0.25 + 0.75 * readable(MIXED, frozenset(present))
    assert reader.score(joined(test), test.labels) == pytest.approx(expected, abs=0.05)


def test_the_same_seed_gives_the_same_vectors():
    one, other, third = (planted_vectors(MIXED, (50,), seed=seed)[0] for seed in (1, 1, 2))
    assert all(np.array_equal(one.streams[n], other.streams[n]) for n in "abc")
    assert one.streams["a"].shape != third.streams["a"].shape or not np.allclose(one.streams["a"], third.streams["a"])


def test_wrong_parts_are_refused():
    with pytest.raises(ValueError, match="sum to 1"):
        planted_vectors((Part("unique", ("a",), 0.5), Part("unique", ("b",), 0.4)), (10,))
    for kind, streams in (("unique", ("a", "b")), ("redundant", ("a",)), ("synergistic", ("a", "a"))):
        with pytest.raises(ValueError, match="unique part has one stream"):
            Part(kind, streams, 1.0)
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        Part("unique", ("a",), 1.5)
