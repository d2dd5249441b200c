"""Shards: about a million tokens each in one file, memory-mapped, with the words and prefixes of every token.

A shard is a safetensors file: ``tokens [T]``; ``words`` and ``prefixes [T]``, numbers of strings; ``starts [T]``, 1
where a token is the first of a word; ``documents [D]``, the tokens at which documents begin; ``hashes [D]`` of their
first piece; ``counts``, see :data:`COUNTED`. While a corpus is being built its numbers are those of the shard's own
strings, one per line beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from common.data.language.sources import Piece
from common.data.language.words import TokenText, starts_of, words_of
from common.files import write_atomic

TOKENS = 1 << 20
"""Tokens above which a shard is closed, at the end of a piece."""
COUNTS, COUNTED = "counts", ("tokens", "words", "lines", "bytes", "documents", "pieces")
NONE = 0
"""Number of the empty string: a token without a word."""


@dataclass
class Counts:
    """Size of a stretch of text, in the units that perplexities are given in."""

    tokens: int = 0
    words: int = 0
    """Between white space, in the text as it came: special tokens and line ends not counted."""
    lines: int = 0
    bytes: int = 0
    """UTF-8 bytes of the text as it came."""
    documents: int = 0

    def add(self, other: Mapping[str, int]) -> None:
        """Add another stretch."""
        for name, value in other.items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class ShardBuilder:
    """Collects encoded pieces of one unit until they fill a shard."""

    separator: int
    wide: bool
    """Whether a token needs more than 16 bits."""
    join: bool
    """Whether a word starts once though a letter of it is cut, see ``words.starts_of``."""
    counts: Counts = field(default_factory=Counts)
    _numbers: dict[str, int] = field(default_factory=lambda: {"": NONE})
    _parts: dict[str, list[np.ndarray]] = field(default_factory=dict)
    _documents: list[int] = field(default_factory=list)
    _hashes: list[int] = field(default_factory=list)
    _uses: list[np.ndarray] = field(default_factory=list)

    def add(self, piece: Piece, encoded: TokenText, original: str) -> None:
        """One piece; `original` is its text as it came, by which it is counted."""
        if piece.starts:
            self._documents.append(self.counts.tokens)
            digest = hashlib.blake2b(" ".join(original.split()).encode("utf-8", "surrogatepass"), digest_size=8)
            self._hashes.append(int.from_bytes(digest.digest(), "little"))
            nothing = np.zeros(1, dtype=np.uint32)
            self._append(np.array([self.separator]), nothing, nothing, np.zeros(1, dtype=np.uint8))
        words, word, prefixes = words_of(encoded)
        numbers = self._numbers
        of_words = np.array([numbers.setdefault(w, len(numbers)) for w in words] + [NONE], dtype=np.uint32)
        of_prefixes = np.array([numbers.setdefault(p, len(numbers)) for p in prefixes], dtype=np.uint32)
        self._append(encoded.ids, of_words[word], of_prefixes, starts_of(word, self.join).astype(np.uint8))
        self._uses.append(of_words[:-1])
        self.counts.words += len(original.split())
        self.counts.lines += piece.lines
        self.counts.bytes += len(original.encode("utf-8", "surrogatepass"))
        self.counts.documents += piece.starts

    def _append(self, tokens: np.ndarray, words: np.ndarray, prefixes: np.ndarray, starts: np.ndarray) -> None:
        tokens = tokens.astype(np.uint32 if self.wide else np.uint16)
        arrays = {"tokens": tokens, "words": words, "prefixes": prefixes, "starts": starts}
        for name, array in arrays.items():
            self._parts.setdefault(name, []).append(array)
        self.counts.tokens += len(tokens)

    def write(self, path: Path, pieces: int) -> None:
        """The shard and, beside it, its strings in sorted order; `pieces` went into it."""
        names = sorted(self._numbers)
        place = np.empty(len(names), dtype=np.uint32)  # old number -> place in sorted order
        place[[self._numbers[name] for name in names]] = np.arange(len(names), dtype=np.uint32)
        arrays = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        for name in ("words", "prefixes"):
            arrays[name] = place[arrays[name]]
        used = np.concatenate(self._uses) if self._uses else np.zeros(0, dtype=np.uint32)
        arrays["uses"] = np.bincount(place[used], minlength=len(names)).astype(np.uint32)
        arrays["documents"] = np.array(self._documents, dtype=np.uint32)
        arrays["hashes"] = np.array(self._hashes, dtype=np.uint64)
        strings_of(path).write_text("\n".join(names) + "\n", encoding="utf-8", errors="surrogatepass", newline="\n")
        write_shard(path, arrays, {**vars(self.counts), "pieces": pieces})


def strings_of(path: Path) -> Path:
    """Place of an unfinished shard's strings."""
    return path.with_suffix(".strings")


def write_shard(path: Path, arrays: Mapping[str, np.ndarray], counts: Mapping[str, int]) -> None:
    """Write a shard in one move."""
    # As an array: the order of a safetensors file's metadata is left to chance, and the hash must not be.
    content = {**arrays, COUNTS: np.array([counts[name] for name in COUNTED], dtype=np.uint64)}
    write_atomic(path, lambda temporary: save_file(content, temporary))


def read_shard(path: Path) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Memory-mapped arrays and counts of a shard.

    Raises:
        ValueError: the file is not a whole safetensors file.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length < size:
            raise ValueError(f"{path} is damaged")
        head: dict[str, Any] = json.loads(file.read(length))
    kinds = {"U8": np.uint8, "U16": np.uint16, "U32": np.uint32, "U64": np.uint64}
    arrays = {}
    for name, entry in head.items():
        begin, end = entry["data_offsets"]
        kind = np.dtype(kinds[entry["dtype"]])
        if 8 + length + end > size:
            raise ValueError(f"{path} is cut short")
        shape = ((end - begin) // kind.itemsize,)
        if end > begin:
            arrays[name] = np.memmap(path, dtype=kind, mode="r", offset=8 + length + begin, shape=shape)
        else:
            arrays[name] = np.zeros(0, dtype=kind)
    counts = dict(zip(COUNTED, map(int, arrays.pop(COUNTS)), strict=True))
    return arrays, counts


def lines_of(path: Path, block: int = 1 << 16) -> Iterator[str]:
    """Lines of a text file without their ends; it is open only while a block is read, so that there can be many."""
    place = 0
    while True:
        with open(path, "rb") as file:
            file.seek(place)
            lines = file.readlines(block)
            place = file.tell()
        if not lines:
            return
        for line in lines:
            yield line[:-1].decode("utf-8", "surrogatepass")


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def total(counts: Iterable[Mapping[str, int]]) -> Counts:
    """Sum of several stretches."""
    result = Counts()
    for one in counts:
        result.add(one)
    return result
