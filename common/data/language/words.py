"""The word of every token, and the part of that word which the tokens so far have spelled out.

A prefix is decided by the tokens up to its own alone, so that a causal model may see it: a letter of which
only some bytes have come is not yet part of it, and a word that later tokens continue is cut where its token ends.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from common.streams.words import split_words, words_of_tokens


class TokenText(NamedTuple):
    """A text as tokens: ids ``[T]``; characters ``[begin, end)`` that each spans ``[T]``. A character counts from the
    token that completes it, so ``end`` never falls and a token may complete none.
    """

    text: str
    ids: np.ndarray
    begin: np.ndarray
    end: np.ndarray


class Words(NamedTuple):
    """words: those of the text. word: index of each token's, -1 for none ``[T]``. prefixes: per token, "" for none."""

    words: list[str]
    word: np.ndarray
    prefixes: list[str]


class TokenReader:
    """Encodes texts with one fast tokenizer and says which characters each token spans."""

    def __init__(self, backend: Any, pieces: list[bytes] | None) -> None:
        """A tokenizer of the library `tokenizers`, and what :func:`byte_pieces` says of it."""
        self.backend = type(backend).from_str(backend.to_str())
        # Packaged tokenizers come with the longest text of their model.
        self.backend.no_truncation()
        self.backend.no_padding()
        self.pieces = pieces
        self._lengths = None if pieces is None else np.array([len(piece) for piece in pieces])

    @classmethod
    def of(cls, tokenizer: Any) -> TokenReader:
        """The reader of a fast tokenizer of `transformers`."""
        return cls(tokenizer.backend_tokenizer, byte_pieces(tokenizer))

    def encode_many(self, texts: Sequence[str]) -> list[TokenText]:
        """Tokens of every text, without special ones."""
        if self._lengths is None:
            found = self.backend.encode_batch(list(texts), add_special_tokens=False)
            return [_from_offsets(text, one.ids, one.offsets) for text, one in zip(texts, found, strict=True)]
        if self.backend.normalizer is not None:  # the bytes of the tokens are those of the normalised text
            texts = [self.backend.normalizer.normalize_str(text) for text in texts]
        found = self.backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [
            self._from_bytes(text, np.array(one.ids, dtype=np.int64)) for text, one in zip(texts, found, strict=True)
        ]

    def _from_bytes(self, text: str, ids: np.ndarray) -> TokenText:
        assert self._lengths is not None
        taken = np.cumsum(self._lengths[ids])  # bytes after each token
        content = text.encode("utf-8", "surrogatepass")
        if (taken[-1] if len(taken) else 0) != len(content):
            raise ValueError(f"the tokenizer does not keep every byte of {text[:40]!r}; prefixes need one that does")
        end = taken if len(text) == len(content) else complete_characters(content, taken)
        return TokenText(text, ids, np.append(0, end[:-1])[: len(end)], end)

    def prefix(self, ids: Sequence[int]) -> str:
        """The prefix at the last of `ids`, from a few tokens back to the last space: what generation needs.

        Raises:
            ValueError: the tokenizer is not byte-level.
        """
        if self.pieces is None:
            raise ValueError("word prefixes of tokens need a byte-level tokenizer, such as GPT-2's")
        content = b""
        for token in reversed(ids):
            piece = self.pieces[token]
            if not piece:
                break  # a special token ends every word
            content = piece + content
            if piece[:1].isspace():
                break
        # An incremental decoder holds an incomplete character back, as the vectorised count does.
        text = codecs.getincrementaldecoder("utf-8")("replace").decode(content)
        words, spans = split_words(text)
        return words[-1] if words and spans[-1, 1] == len(text) else ""


def _from_offsets(text: str, ids: list[int], offsets: list[tuple[int, int]]) -> TokenText:
    places = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    begin, end = places[:, 0], places[:, 1].copy()
    # Tokens that share a character complete it with the last of them.
    end[:-1] = np.minimum(end[:-1], np.maximum(begin[1:], begin[:-1]))
    return TokenText(text, np.array(ids, dtype=np.int64), begin, np.maximum.accumulate(end) if len(end) else end)


def complete_characters(content: bytes, taken: np.ndarray) -> np.ndarray:
    """Characters of UTF-8 `content` that its first ``taken`` bytes hold in full ``[T]``."""
    data = np.frombuffer(content, dtype=np.uint8)
    begins = (data & 0xC0) != 0x80
    begun = np.append(0, np.cumsum(begins))  # characters begun within the first n bytes
    # The last one begun is whole where the next byte begins another, or there is none.
    whole = np.append(begins, True)[taken]
    return begun[taken] - ~whole


def byte_pieces(tokenizer: Any) -> list[bytes] | None:
    """Bytes of every token of a byte-level tokenizer, b"" for special ones; None for other tokenizers."""
    decoder = json.loads(tokenizer.backend_tokenizer.to_str()).get("decoder") or {}
    kinds = {decoder.get("type"), *(part.get("type") for part in decoder.get("decoders", []))}
    if "ByteLevel" not in kinds:
        return None
    table = _byte_of_letter()
    special = set(tokenizer.all_special_ids)
    added = {index: token.content for index, token in tokenizer.added_tokens_decoder.items()}
    pieces = []
    for index, token in enumerate(tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))):
        if index in special or token is None:
            pieces.append(b"")
        elif index in added:
            pieces.append(added[index].encode())
        else:
            pieces.append(bytes(table[letter] for letter in token))
    return pieces


def masks_letters(tokenizer: Any) -> bool:
    """Whether words are masked that tokens may cut within a letter: a byte-level tokenizer with a mask token.

    Only in such corpora does :func:`starts_of` join what a word was cut into. Others keep the starts that finished runs
    were trained on: causal models mask nothing, and other tokenizers hardly ever cut a letter (Korean ones, by uncased
    BERT's).
    """
    return tokenizer.mask_token_id is not None and byte_pieces(tokenizer) is not None


def starts_of(word: np.ndarray, join: bool) -> np.ndarray:
    """Where a word starts ``[T]``, given the word of each token, -1 for none.

    Args:
        join: a token that completes no letter, and so has no word, does not make the next one of the same word a start.
    """
    there = np.flatnonzero(word >= 0) if join else np.arange(len(word))
    starts = np.zeros(len(word), dtype=bool)
    starts[there] = np.diff(word[there], prepend=-1) != 0
    return starts & (word >= 0)


def _byte_of_letter() -> dict[str, int]:
    """Letter that stands for a byte in a byte-level vocabulary -> that byte (GPT-2's scheme, Radford et al. 2019):
    printable bytes stand for themselves, the others for the letters from 256 on, in order.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


def words_of(encoded: TokenText) -> Words:
    """Words, the word of each token, and the prefix at each token."""
    text, ids, begin, end = encoded
    words, spans = split_words(text)
    special = np.zeros(len(ids), dtype=np.int64)
    word = words_of_tokens(spans, np.stack([begin, end], axis=1), special)
    if not len(spans):
        return Words(words, word, [""] * len(ids))
    # The word that holds the last character so far, if that is no space.
    last = end - 1
    holder = np.minimum(np.searchsorted(spans[:, 1], last, side="right"), len(spans) - 1)
    start = spans[holder, 0]
    inside = (start <= last) & (last < spans[holder, 1]) & (last >= 0)
    start = np.where(inside, start, end)  # an empty slice
    return Words(words, word, [text[a:b] for a, b in zip(start.tolist(), end.tolist(), strict=True)])
