"""Sequences of words and how often they occur."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

Words: TypeAlias = Sequence[str]
"""A caption as :func:`~common.evaluation.captions.tokenizer.ptb_tokenize` gives it."""
MAX_ORDER = 4


def ngram_counts(words: Words) -> list[Counter[tuple[str, ...]]]:
    """Counts of the sequences of 1, 2, 3 and 4 words, one counter for each length."""
    return [Counter(zip(*(words[start:] for start in range(order)), strict=False)) for order in range(1, MAX_ORDER + 1)]
