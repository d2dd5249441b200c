"""Registries: one name, one thing; an unknown name is answered with the known ones."""

import pytest

from common.data import DataError
from common.registry import Registry


def made(result):
    """A function as a notebook's cell defines it anew every time it is run."""

    def loader():
        return result

    return loader


def test_a_definition_that_runs_again_takes_its_own_place():
    known = Registry("dataset")
    known.add("a", made(1))
    known.add("a", made(2))
    assert known["a"]() == 2


def test_a_name_is_taken_once():
    known = Registry("dataset")
    known.add("a", made(1))
    with pytest.raises(ValueError, match="dataset 'a' is already registered, by .*made.<locals>.loader"):
        known.add("a", test_a_definition_that_runs_again_takes_its_own_place)
    assert known["a"]() == 1


def test_an_unknown_name_is_answered_with_the_known_ones():
    known = Registry("dataset", DataError)
    known.add("b", made(1))
    known.add("a", made(1))
    assert known.named("b") is known["b"]
    with pytest.raises(DataError, match="unknown dataset 'c'; known: a, b"):
        known.named("c")
