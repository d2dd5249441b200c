"""Streams of a corpus whose words and prefixes are numbered: one memory-mapped row of pieces per number.

A word reaches its analyser alone, without the text around it: a reading chosen by the context would tell a language
model something of the words it has to predict.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from common.files import write_atomic
from common.parallel import parallel_map
from common.streams.analyser import FIRST_SYMBOL, MASK, PAD, UNKNOWN, WordAnalyser, analyser_class, digest, symbol_ids
from common.streams.config import StreamConfig
from common.streams.fitting import fit_analyser
from common.streams.lexicon import analyser_of, parallel_setup

CHUNK = 16_384
"""Strings analysed at once."""


class Strings(Protocol):
    """What a table needs of a corpus (see ``common.data.language.corpus.LanguageCorpus``)."""

    @property
    def folder(self) -> Path: ...
    @property
    def fingerprint(self) -> str: ...
    def strings(self) -> Iterator[str]: ...
    def train_uses(self) -> np.ndarray: ...


@dataclass(frozen=True)
class StreamTable:
    """Pieces of one stream: ``rows [V + 1, P]``, by number of the string; the last row is one ``MASK``.

    ``sounding``: numbers of the strings that have pieces, ascending; controls draw from them.
    """

    analyser: WordAnalyser
    rows: np.ndarray
    sounding: np.ndarray

    @property
    def mask_row(self) -> int:
        """Number that stands for a masked word."""
        return len(self.rows) - 1

    @property
    def symbols(self) -> int:
        """Symbol ids, special ones included."""
        return len(self.analyser.symbols) + FIRST_SYMBOL


def build_tables(
    corpus: Strings,
    streams: Sequence[StreamConfig],
    workers: int | None = None,
    progress: bool = True,
    learn_from: Strings | None = None,
) -> tuple[dict[str, StreamTable], dict[str, int]]:
    """Table of each analyser stream by label, and symbol ids of every stream (of a duplicate with `of`: of that kind).

    Analysers learn from the words of the training split, that of the corpus `learn_from` where it is given. Fitted
    analysers are kept in its folder, tables in the corpus' own.
    """
    teacher = learn_from or corpus
    fitted: dict[str, WordAnalyser] = {}
    shared: dict[tuple[str, int], StreamTable] = {}
    tables: dict[str, StreamTable] = {}
    vocabularies: dict[str, int] = {}
    for stream in streams:
        kind = stream.of or stream.kind
        if kind == "duplicate":
            continue
        if kind not in fitted:
            words = _train_words(teacher)
            fitted[kind] = fit_analyser(analyser_class(kind), words, teacher.folder, progress)
        vocabularies[stream.label] = len(fitted[kind].symbols) + FIRST_SYMBOL
        if stream.of:
            continue
        key = kind, stream.max_pieces
        if key not in shared:
            shared[key] = _table(corpus, fitted[kind], stream.max_pieces, workers or os.cpu_count() or 1, progress)
        tables[stream.label] = shared[key]
    return tables, vocabularies


def _train_words(corpus: Strings) -> dict[str, int]:
    uses = corpus.train_uses()
    return {word: int(count) for word, count in zip(corpus.strings(), uses, strict=True) if count}


def _table(corpus: Strings, analyser: WordAnalyser, max_pieces: int, workers: int, progress: bool) -> StreamTable:
    name = digest(analyser.fingerprint(), corpus.fingerprint, max_pieces)
    path = corpus.folder / f"table-{analyser.kind}-{name}.npy"
    if not path.exists():
        write_atomic(path, lambda part: _write_table(part, corpus, analyser, max_pieces, workers, progress))
    rows = np.load(path, mmap_mode="r")
    return StreamTable(analyser, rows, np.flatnonzero(rows[:-1, 0] != PAD))


def _write_table(
    path: Path, corpus: Strings, analyser: WordAnalyser, max_pieces: int, workers: int, progress: bool
) -> None:
    count = len(corpus.train_uses())
    ids = symbol_ids(analyser.symbols)
    kind = np.int16 if len(ids) + FIRST_SYMBOL <= np.iinfo(np.int16).max else np.int32
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(count + 1, max_pieces))
    rows[count, 0] = MASK
    setup = parallel_setup(analyser, count, workers)
    chunks = _numbered(corpus.strings(), CHUNK)
    with tqdm(total=count, desc=f"{analyser.kind} table", unit="string", disable=not progress) as bar:
        # A few chunks per process at a time, so that memory does not grow with the corpus.
        while batch := list(islice(chunks, 4 * workers if setup else 1)):
            keys = [[analyser.key(string) for string in strings] for _, strings in batch]
            if setup is None:
                answers: list[list[list[str]]] = [analyser.analyse_many(one) for one in keys]
            else:
                answers = parallel_map(analyser_of, setup, keys, workers)
            for (first, strings), answer in zip(batch, answers, strict=True):
                rows[first : first + len(strings)] = _ids(answer, ids, max_pieces, kind)
                bar.update(len(strings))
    rows.flush()


def _ids(symbols: Iterable[Sequence[str]], ids: Mapping[str, int], max_pieces: int, kind: Any) -> np.ndarray:
    found = list(symbols)
    rows = np.full((len(found), max_pieces), PAD, dtype=kind)
    for row, word in zip(rows, found, strict=True):
        kept = word[:max_pieces]
        row[: len(kept)] = [ids.get(symbol, UNKNOWN) for symbol in kept]
    return rows


def _numbered(strings: Iterator[str], size: int) -> Iterator[tuple[int, list[str]]]:
    first = 0
    while chunk := list(islice(strings, size)):
        yield first, chunk
        first += len(chunk)
