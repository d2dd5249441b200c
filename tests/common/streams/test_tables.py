"""Tables of a corpus and the batches made from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from common.streams import lexicon, tables
from common.streams.analyser import FIRST_SYMBOL, MASK, PAD
from common.streams.config import StreamConfig
from common.streams.grid import GridStreams
from common.streams.tables import build_tables

STRINGS = ["", "!", "cat", "cats", "don't", "dog", "dogs", "walk", "walked", "walking", "xyzzy", "猫"]
USES = [0, 5, 3, 2, 1, 4, 2, 3, 3, 2, 0, 1]
STREAMS = [StreamConfig(kind="phonetic"), StreamConfig(kind="morphological")]


@dataclass
class Corpus:
    folder: Path
    fingerprint: str = "some corpus"

    def strings(self):
        return iter(STRINGS)

    def train_uses(self):
        return np.array(USES, dtype=np.uint64)


@pytest.fixture
def built(tmp_path):
    return build_tables(Corpus(tmp_path), STREAMS, workers=1, progress=False)


def letters(table, row):
    return [table.analyser.symbols[n - FIRST_SYMBOL] if n >= FIRST_SYMBOL else n for n in table.rows[row] if n != PAD]


def test_rows_are_the_analyses_of_the_strings(built):
    made, vocabularies = built
    for table in made.values():
        assert not table.rows[0].any() and letters(table, table.mask_row) == [MASK]
        assert table.symbols == vocabularies[table.analyser.kind]
        for number, string in enumerate(STRINGS):
            known = [
                s if s in table.analyser.symbols else 1 for s in table.analyser.analyse(table.analyser.key(string))
            ]
            assert letters(table, number) == known
    assert letters(made["phonetic"], 2) == ["K", "AE1", "T"]
    assert 1 not in made["phonetic"].sounding and 2 in made["phonetic"].sounding


def test_tables_are_made_once_and_alike_in_parallel(tmp_path, monkeypatch):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, _ = build_tables(Corpus(tmp_path / "one"), STREAMS, workers=1, progress=False)
    monkeypatch.setattr(lexicon, "MIN_PARALLEL", 1)
    monkeypatch.setattr(tables, "CHUNK", 3)
    two, _ = build_tables(Corpus(tmp_path / "two"), STREAMS, workers=2, progress=False)
    for label in one:
        np.testing.assert_array_equal(one[label].rows, two[label].rows)
    monkeypatch.setattr(tables, "_write_table", lambda *a: pytest.fail("made again"))
    build_tables(Corpus(tmp_path / "one"), STREAMS, workers=1, progress=False)


def batch(built, streams, numbers, hidden=None, places=None):
    numbers = np.array(numbers)
    starts = np.diff(numbers, prepend=-1) != 0
    places = np.arange(numbers.size).reshape(numbers.shape) if places is None else places
    return GridStreams(streams, built[0]).batch(numbers, starts, places, hidden)


@pytest.mark.parametrize("alignment", ["word", "attention"])
def test_a_masked_word_leaves_nothing_of_itself(built, alignment):
    streams = [StreamConfig(kind=s.kind, alignment=alignment) for s in STREAMS]
    hidden = np.array([[False, True, True, False]])
    one = batch(built, streams, [[2, 8, 8, 5]], hidden)
    other = batch(built, streams, [[2, 10, 10, 5]], hidden)
    seen = batch(built, streams, [[2, 10, 10, 5]])
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    assert any(one[name].shape != seen[name].shape or (one[name] != seen[name]).any() for name in one)


@pytest.mark.parametrize("control", ["shuffled", "noise"])
def test_controls_are_silent_where_the_stream_is_and_never_right_by_design(built, control):
    (stream,) = [StreamConfig(kind="phonetic", control=control)]
    grid, table = GridStreams([stream], built[0]), built[0]["phonetic"]
    numbers = np.arange(len(STRINGS))[None]
    hidden = np.zeros(numbers.shape, dtype=bool)
    rows = grid.rows(stream, numbers, numbers, hidden)
    silent = ~np.isin(numbers, table.sounding)
    assert (rows[silent] == 0).all() and np.isin(rows[~silent], table.sounding).all()
    again = grid.rows(stream, numbers, numbers + 1000, hidden)
    if control == "shuffled":
        assert (rows != numbers)[~silent].all() and len(set(rows[~silent])) == len(table.sounding)
        np.testing.assert_array_equal(rows, again)
    else:
        assert (rows != again).any()


def test_sequences_hold_every_word_once(built):
    stream = StreamConfig(kind="phonetic", alignment="attention")
    found = batch(built, [stream], [[2, 8, 8, 1], [0, 0, 0, 0]])["phonetic_sequence"]
    table = built[0]["phonetic"]
    expected = [n for row in (2, 8) for n in table.rows[row] if n != PAD]
    assert found[0].tolist() == expected and not found[1].any()
