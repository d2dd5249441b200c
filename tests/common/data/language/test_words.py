"""Tokens, words and prefixes: complete, causal, and the same however they are computed."""

from __future__ import annotations

import random

import numpy as np
import pytest

from common.data.language.tokenizers import train_tokenizer
from common.data.language.words import TokenReader, byte_pieces, starts_of, words_of
from tests.common.data.language.texts import TRAIN_TEXT, config, units_of

ODD = [
    "", " ", "\n\n", "don't stop", "naïve café — ﬁne", "emoji 😀😀 and 👩‍👩‍👧 family", "русский текст и 日本語の文",
    "1,234.5 m²",
    "a" * 300, "x\u0301y\u0302 combining", "tab\tand\r\nline", "…... !!", "ends with space ", " starts",
]  # fmt: skip


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    (folder / "train.txt").write_text(TRAIN_TEXT)
    return {
        kind: TokenReader.of(train_tokenizer(config(folder, tokenizer=kind), units_of(folder)))
        for kind in ("bpe", "wordpiece")
    }


def random_text(seed: int) -> str:
    chosen = random.Random(seed)
    alphabet = "ab c'-.\n😀é日\u0301ñ9 "
    return "".join(chosen.choice(alphabet) for _ in range(60))


TEXTS = [*ODD, *map(random_text, range(20))]


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_hold_every_byte_and_characters_count_once_complete(readers, text):
    reader = readers["bpe"]
    (encoded,) = reader.encode_many([text])
    assert b"".join(reader.pieces[token] for token in encoded.ids).decode() == text
    for place in range(len(encoded.ids)):
        spelled = b"".join(reader.pieces[token] for token in encoded.ids[: place + 1])
        assert encoded.text[: encoded.end[place]] == spelled.decode(errors="ignore")


@pytest.mark.parametrize("text", TEXTS)
def test_prefixes_are_those_of_generation(readers, text):
    """The prefix from all tokens of a text at once equals the one from the tokens up to each place alone."""
    reader = readers["bpe"]
    (encoded,) = reader.encode_many([text])
    prefixes = words_of(encoded).prefixes
    assert prefixes == [reader.prefix(encoded.ids[: place + 1].tolist()) for place in range(len(encoded.ids))]


def test_a_prefix_does_not_see_what_follows(readers):
    reader = readers["bpe"]
    for start, one, other in [
        ("the char", "acter", "coal"),
        ("a 😀", "😀", "b"),
        ("don", "'t", " quixote"),
        ("x", "\u0301", "y"),
    ]:
        first, second = reader.encode_many([start + one, start + other])
        common = next((k for k, (a, b) in enumerate(zip(first.ids, second.ids, strict=False)) if a != b), 0)
        assert words_of(first).prefixes[:common] == words_of(second).prefixes[:common]


def test_words_and_starts(readers):
    for reader in readers.values():
        (encoded,) = reader.encode_many(["unbelievable things, don't"])
        found = words_of(encoded)
        assert found.words == ["unbelievable", "things", ",", "don't"]
        assert sorted(set(found.word.tolist())) == [0, 1, 2, 3] and (np.diff(found.word) >= 0).all()
        assert found.prefixes[-1] == "don't"


def test_a_special_token_ends_a_word(readers):
    reader = readers["bpe"]
    end = next(token for token, piece in enumerate(reader.pieces) if not piece)
    token = reader.encode_many(["char"])[0].ids.tolist()
    assert reader.prefix([*token, end]) == ""
    assert reader.prefix([*token, end, *token]) == "char"


def test_wordpiece_has_no_prefixes_from_tokens_alone(readers):
    with pytest.raises(ValueError, match="byte-level"):
        readers["wordpiece"].prefix([5])


def test_pieces_of_a_byte_level_tokenizer_are_its_bytes(readers):
    pieces = readers["bpe"].pieces
    assert {bytes([n]) for n in range(256)} <= set(pieces)
    assert byte_pieces is not None and len(pieces) == readers["bpe"].backend.get_vocab_size()


def test_a_tokenizer_that_truncates_is_kept_from_it(readers):
    backend = readers["bpe"].backend
    cut = type(backend).from_str(backend.to_str())
    cut.enable_truncation(5)
    (encoded,) = TokenReader(cut, readers["bpe"].pieces).encode_many(["the character of water " * 30])
    assert len(encoded.ids) > 100


@pytest.mark.parametrize("text", TEXTS)
def test_every_word_starts_once_however_its_letters_are_cut(readers, text):
    for reader in readers.values():
        (encoded,) = reader.encode_many([text])
        word = words_of(encoded).word
        starts = starts_of(word, join=True)
        assert sorted(set(word[word >= 0])) == word[starts].tolist()
        # Without joining, only a token that completes no letter makes a difference.
        assert (starts_of(word, join=False) | ~starts).all()
        if len(word) and word.min() >= 0:
            np.testing.assert_array_equal(starts_of(word, join=False), starts)
