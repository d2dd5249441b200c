"""Words and bytes of the first tokens of a split."""

from __future__ import annotations

from typing import Any

from common.data.language.corpus import TokenSplit
from common.data.language.shards import Counts
from common.data.language.words import byte_pieces

BLOCK = 1 << 16


def counts_up_to(tokenizer: Any, split: TokenSplit, stop: int) -> Counts:
    """Size of the text of the first `stop` tokens: of a whole split that of the text as it came, of a part that of the
    text which the tokens spell, so a tokenizer must keep every byte.

    Raises:
        ValueError: a part is asked for, and the tokenizer is not byte-level.
    """
    if stop >= len(split):
        return split.counts
    pieces = byte_pieces(tokenizer)
    if pieces is None:
        raise ValueError("words and bytes of a part of a text need a byte-level tokenizer; score the whole split")
    text = bytearray()
    for begin in range(0, stop, BLOCK):
        tokens = split.window(begin, min(begin + BLOCK, stop)).tokens
        # Special tokens spell nothing, but they part the words around them.
        text += b"".join(pieces[token] or b"\0" for token in tokens.tolist())
    spelled = bytes(text).replace(b"\0", b"")
    words = len(bytes(text).replace(b"\0", b" ").decode("utf-8", "replace").split())
    documents = int((split.documents() < stop).sum())
    return Counts(tokens=stop, words=words, lines=spelled.count(b"\n"), bytes=len(spelled), documents=documents)
