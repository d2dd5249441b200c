"""The lexicon and its cache: kills, damage, concurrency, workers."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from common.streams import UNKNOWN, analyser_class, lexicon, store
from common.streams.lexicon import Lexicon
from common.streams.words import count_words, find_words
from docs.examples import letters_stream

KEYS = ["film", "good", "!", "42", "abcdefgh"]
SLOW = """
import os, sys, time
from pathlib import Path
from common.streams import lexicon, store
from docs.examples.letters_stream import LettersAnalyser

def tell(*_):
    print("here", flush=True)
    time.sleep(60)

if sys.argv[1] == "analysis":
    LettersAnalyser.analyse = tell
else:
    os.replace = tell
lexicon.Lexicon.build(LettersAnalyser(), ["film", "good"], 4, Path(sys.argv[2]))
"""


@pytest.fixture
def letters():
    return letters_stream.LettersAnalyser()


def test_rows(letters):
    built = Lexicon.build(letters, [*KEYS, "film"], 4)
    assert built.table.dtype == np.int16 and built.table.shape == (5, 4) and not built.table[0].any()
    assert built.row("!") == 0
    assert built.table[built.row("film")].tolist() == [8, 11, 14, 15]
    assert built.table[built.row("42")].tolist() == [UNKNOWN, UNKNOWN, 0, 0]
    new = built.row("new")
    assert new == 5 and built.row("new") == 5 and built.table[new].tolist() == [16, 7, 25, 0] and built.built == 4
    assert built.row("?") == 0 and len(built.table) == 6


def test_example_is_short_and_registered():
    assert len(Path(letters_stream.__file__).read_text().splitlines()) <= 25
    assert analyser_class("letters") is letters_stream.LettersAnalyser


def test_unknown_kind_names_the_known_ones():
    with pytest.raises(ValueError, match="morphological.*phonetic"):
        analyser_class("smell")


def test_cache_is_used_and_keyed(letters, tmp_path, monkeypatch):
    first = Lexicon.build(letters, KEYS, 4, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(letters_stream.LettersAnalyser, "analyse_many", None)  # any analysis would fail
        second = Lexicon.build(letters, reversed(KEYS), 4, tmp_path)
        for keys, pieces in (([*KEYS, "more"], 4), (KEYS, 5)):
            with pytest.raises(TypeError):
                Lexicon.build(letters, keys, pieces, tmp_path)
        patch.setattr(letters_stream.LettersAnalyser, "version", classmethod(lambda cls: "2"))
        with pytest.raises(TypeError):
            Lexicon.build(letters, KEYS, 4, tmp_path)
    assert [second.row(key) for key in KEYS] == [first.row(key) for key in KEYS]
    np.testing.assert_array_equal(first.table, second.table)


@pytest.mark.parametrize("damage", [lambda b: b[:-7], lambda b: b"", lambda b: b[:90] + bytes([b[90] ^ 1]) + b[91:]])
def test_corrupt_cache_is_named_and_rebuilt(letters, tmp_path, damage):
    first = Lexicon.build(letters, KEYS, 4, tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    with pytest.warns(UserWarning, match=path.name):
        again = Lexicon.build(letters, KEYS, 4, tmp_path)
    np.testing.assert_array_equal(first.table, again.table)
    store.read(path)  # whole once more


@pytest.mark.parametrize("moment", ["analysis", "replace"])
def test_killed_build_leaves_nothing_that_hurts(letters, tmp_path, moment):
    process = subprocess.Popen([sys.executable, "-c", SLOW, moment, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"here\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not list(tmp_path.glob("*.bin"))
    leftovers = list(tmp_path.glob("*.tmp"))
    assert len(leftovers) == (moment == "replace")
    for leftover in leftovers:
        os.utime(leftover, (time.time() - 7200, time.time() - 7200))
    built = Lexicon.build(letters, ["film", "good"], 4, tmp_path)
    assert built.table.any() and [path.suffix for path in tmp_path.iterdir()] == [".bin"]


def test_workers_give_the_same_table(letters, tmp_path, monkeypatch):
    keys = [f"word{n}" for n in range(40)] + KEYS
    alone = Lexicon.build(letters, keys, 6)
    monkeypatch.setattr(lexicon, "MIN_PARALLEL", 10)
    monkeypatch.setattr(lexicon, "CHUNK", 7)
    together = Lexicon.build(letters, keys, 6, workers=2)
    np.testing.assert_array_equal(alone.table, together.table)


class Unloadable(letters_stream.LettersAnalyser):
    @classmethod
    def from_state(cls, state):
        raise RuntimeError("cannot be loaded")


def test_dead_worker_is_an_error_not_a_hang(monkeypatch):
    monkeypatch.setattr(lexicon, "MIN_PARALLEL", 1)
    monkeypatch.setattr(lexicon, "CHUNK", 1)
    with pytest.raises(RuntimeError, match="worker ended early"):
        Lexicon.build(Unloadable(), KEYS, 4, workers=2)


def test_concurrent_builders(tmp_path):
    code = SLOW.replace("time.sleep(60)", "pass").replace("sys.argv[1] ==", "not sys.argv[1] ==")
    code = code.split("if not")[0] + code[code.index("lexicon.Lexicon") :]
    builders = [subprocess.Popen([sys.executable, "-c", code, "", str(tmp_path)]) for _ in range(3)]
    assert [builder.wait(30) for builder in builders] == [0, 0, 0]
    (path,) = tmp_path.iterdir()
    assert store.read(path)[1]["table"].shape == (3, 4)


def test_large_inventories_take_int32(letters, monkeypatch):
    monkeypatch.setattr(letters_stream.LettersAnalyser, "symbols", tuple(str(n) for n in range(40_000)))
    assert Lexicon.build(letters, ["12"], 4).table.dtype == np.int32


def test_save_and_load(letters, tmp_path):
    built = Lexicon.build(letters, KEYS, 4)
    built.row("later")
    built.save(tmp_path / "lexicon.bin")
    loaded = Lexicon.load(tmp_path / "lexicon.bin", letters)
    assert [loaded.row(key) for key in KEYS] == [built.row(key) for key in KEYS]
    assert loaded.built == built.built and loaded.row("new") == built.built + 1


def test_words_are_counted_as_they_are_found():
    texts = ["A film, a  good\tfilm", "\u0301 don't cafe\u0301\u00a0film 4th", "", " ...!", "\u00b2 x\u00b2"]
    expected = Counter(word for text in texts for word in find_words(text))
    assert list(count_words(texts).items()) == list(expected.items())


def test_garbage_collection_is_back_after_an_error(letters, monkeypatch):
    monkeypatch.setattr(letters_stream.LettersAnalyser, "analyse_many", None)
    with pytest.raises(TypeError):
        Lexicon.build(letters, KEYS, 4)
    assert gc.isenabled()
