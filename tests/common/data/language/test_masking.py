"""Masks: their shares, whole words, and what of a word must be hidden."""

from __future__ import annotations

import numpy as np
import pytest

from common.data.language.corpus import load_corpus
from common.data.language.masking import NOTHING, MaskConfig, mask
from common.data.language.tokenizers import train_bpe
from common.streams.config import StreamConfig
from common.streams.grid import GridStreams
from common.streams.tables import build_tables
from tests.common.data.language.texts import TRAIN_TEXT, config, write_folder

MASK, VOCABULARY = 4, np.arange(5, 1000)


def window(seed=0, length=20_000):
    """Words of one to four tokens, now and then a token outside."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 5, size=length)
    word = np.repeat(np.arange(1, length + 1), sizes)[:length]
    words = np.where(random.random(length + 1)[word] < 0.1, 0, word)
    starts = (np.diff(word, prepend=0) != 0) & (words != 0)
    return random.integers(5, 1000, size=length), starts, words


def masked(config, seed=1, **arrays):
    tokens, starts, words = window()
    return tokens, words, mask(tokens, starts, words, config, np.random.default_rng(seed), MASK, VOCABULARY)


@pytest.mark.parametrize("unit", ["word", "token"])
def test_shares(unit):
    tokens, words, found = masked(MaskConfig(unit=unit))
    chosen = found.labels != NOTHING
    assert chosen[words != 0].mean() == pytest.approx(0.15, abs=0.01)
    assert (found.labels[chosen] == tokens[chosen]).all() and (found.inputs[~chosen] == tokens[~chosen]).all()
    assert not chosen[words == 0].any() and not found.hidden[words == 0].any()
    assert (found.inputs[chosen] == MASK).mean() == pytest.approx(0.8, abs=0.03)
    assert (found.inputs[chosen] == tokens[chosen]).mean() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("unit", ["word", "token"])
def test_every_token_of_a_touched_word_is_hidden_and_no_other(unit):
    _, words, found = masked(MaskConfig(unit=unit))
    chosen = found.labels != NOTHING
    np.testing.assert_array_equal(found.hidden, np.isin(words, words[chosen]) & (words != 0))
    if unit == "word":
        np.testing.assert_array_equal(found.hidden, chosen)
    else:
        assert (found.hidden & ~chosen).any()


def test_equal_neighbours_are_two_words():
    """ "that that": the number of the word is the same, where it starts is not."""
    tokens, words = np.full(4000, 7), np.full(4000, 3)
    found = mask(tokens, np.ones(4000, bool), words, MaskConfig(), np.random.default_rng(0), MASK, VOCABULARY)
    assert 0.1 < found.hidden.mean() < 0.2


def test_a_word_cut_off_at_the_left_edge_is_one():
    tokens, words, starts = np.array([7, 8, 9]), np.array([3, 3, 4]), np.array([False, False, True])
    seen = {
        tuple(mask(tokens, starts, words, MaskConfig(rate=0.5), np.random.default_rng(s), MASK, VOCABULARY).hidden)
        for s in range(50)
    }
    assert seen == {(a, a, b) for a in (False, True) for b in (False, True)}


def test_a_word_cut_off_within_a_letter_begins_with_its_first_whole_one():
    tokens, words, starts = np.array([7, 8, 9, 7]), np.array([0, 3, 3, 4]), np.array([False, False, False, True])
    seen = {
        tuple(
            mask(tokens, starts, words, MaskConfig(unit=unit, rate=0.5), np.random.default_rng(s), MASK, VOCABULARY)[2]
        )
        for unit in ("word", "token")
        for s in range(50)
    }
    assert seen == {(False, a, a, b) for a in (False, True) for b in (False, True)}


@pytest.mark.parametrize("word", ["cafés", "caféteria", "naïve", "ab日cd"])
def test_no_part_of_a_word_keeps_its_sound_where_a_letter_is_cut(tmp_path, word):
    """A byte-level tokenizer that has never seen the letter cuts it in two; the half that has no word is no end."""
    folder = write_folder(tmp_path / "texts")
    (folder / "test.txt").write_text(f"one {word} two\n")
    tokenizer = train_bpe([TRAIN_TEXT], 300, specials=["[MASK]"])
    tokenizer.add_special_tokens({"mask_token": "[MASK]"})
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    corpus = load_corpus(config(folder, tokenizer=str(tmp_path / "tokenizer")), tmp_path, workers=1, progress=False)
    stream = StreamConfig("phonetic")
    grid = GridStreams([stream], build_tables(corpus, [stream], workers=1, progress=False)[0])
    split, strings = corpus.split("test"), list(corpus.strings())
    tokens, words, _, starts = split.window(0, len(split))
    pieces = np.flatnonzero(words == strings.index(word))
    assert (np.diff(pieces) > 1).any(), "the letter is not cut"
    assert starts[pieces].tolist() == [True] + [False] * (len(pieces) - 1)
    for seed in range(60):
        random = np.random.default_rng(seed)
        found = mask(tokens, starts, words, MaskConfig(unit="token"), random, tokenizer.mask_token_id, VOCABULARY)
        rows = grid.rows(stream, words[None], words[None], found.hidden[None])[0]
        if (found.labels[pieces] != NOTHING).any():
            assert (rows[pieces] == grid.tables["phonetic"].mask_row).all()


def test_the_generator_decides_everything():
    one, two, other = (masked(MaskConfig(), seed)[2] for seed in (1, 1, 2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (one.labels != other.labels).any()


def test_bad_shares_are_refused():
    for options in ({"rate": 0.0}, {"masked": 0.8, "random": 0.3}, {"unit": "letter"}):
        with pytest.raises(ValueError):
            MaskConfig(**options)
