"""Splitting a text into words, and finding the word of each backbone token."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Iterable

import numpy as np
import regex

_WORD = regex.compile(r"[\p{L}\p{N}'’][\p{L}\p{M}\p{N}'’]*|\S\p{M}*")
"""Runs of letters, their marks, digits and apostrophes; anything else that is not space stands alone."""


def split_words(text: str) -> tuple[list[str], np.ndarray]:
    """Words of a text and their character spans ``[W, 2]`` (start, end)."""
    matches = list(_WORD.finditer(text))
    spans = np.array([match.span() for match in matches], dtype=np.int64).reshape(-1, 2)
    return [match.group() for match in matches], spans


def find_words(text: str) -> list[str]:
    """The words of ``split_words`` without their places."""
    return _WORD.findall(text)


def count_words(texts: Iterable[str]) -> Counter[str]:
    """How often ``find_words`` finds each word. No word contains a space, so equal pieces are split only once."""
    words: Counter[str] = Counter()
    for piece, times in Counter(chain.from_iterable(text.split(" ") for text in texts)).items():
        # Most pieces are one plain word; seeing that is faster than the expression.
        for word in [piece] if piece.isascii() and piece.isalnum() else find_words(piece):
            words[word] += times
    return words


def words_of_tokens(spans: np.ndarray, offsets: np.ndarray, special: np.ndarray) -> np.ndarray:
    """Index of each token's word ``[T]``; -1 for special tokens and tokens of mere space.

    A token that covers several words (a byte-level merge such as ``...``) belongs to the first of them. A byte-level
    token may begin with the space before its word; that space belongs to no word and is passed over.

    Args:
        spans: words' (start, end) ``[W, 2]``, ascending and disjoint.
        offsets: tokens' (start, end) in the same text ``[T, 2]``.
        special: 1 for tokens added by the tokeniser ``[T]``.
    """
    if not len(spans) or not len(offsets):
        return np.full(len(offsets), -1, dtype=np.int64)
    start, end = offsets[:, 0], offsets[:, 1]
    word = np.searchsorted(spans[:, 1], start, side="right")  # the first word that ends after the token's start
    there = word < len(spans)
    word = np.minimum(word, len(spans) - 1)
    there &= (spans[word, 0] < end) & (end > start) & (special == 0)
    return np.where(there, word, -1)
