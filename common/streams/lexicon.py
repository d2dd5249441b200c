"""The lexicon of a stream: every distinct word is analysed once and becomes one padded row of symbol ids."""

from __future__ import annotations

import gc
import importlib
import os
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from tqdm import tqdm

from common.parallel import parallel_map
from common.streams import store
from common.streams.analyser import PAD, UNKNOWN, WordAnalyser, digest, symbol_ids

CHUNK = 8192
"""Words analysed at once."""
MIN_PARALLEL = 65_536
"""Below this many words the start of the processes would take longer than the work."""


class Lexicon:
    """key -> row of a table of symbol ids.

    Row 0 is "nothing here", all ``PAD``; keys without symbols share it. Rows 1 to ``built`` were built, in the order
    of their sorted keys; rows of keys met later follow and live in memory only.
    """

    def __init__(self, analyser: WordAnalyser, keys: Sequence[str], rows: Sequence[int], table: np.ndarray) -> None:
        """Keys with their rows, and the table ``[1 + built, max_pieces]`` of int16 or int32."""
        self.analyser = analyser
        self.built = len(table) - 1
        self._ids = symbol_ids(analyser.symbols)
        self._rows = dict(zip(keys, rows, strict=True))
        self._built_keys = len(keys)
        self._table, self._used = table, len(table)

    @classmethod
    def build(
        cls,
        analyser: WordAnalyser,
        keys: Iterable[str],
        max_pieces: int,
        cache_dir: Path | None = None,
        workers: int | None = None,
        progress: bool = False,
    ) -> Lexicon:
        """Lexicon of these keys, from the cache where it is there and whole.

        Args:
            analyser: fitted.
            keys: in any order, repeated or not.
            max_pieces: symbols kept per key.
            cache_dir: folder of the cache; None for none.
            workers: processes for large lexicons; default: one per core.
            progress: show a bar.
        """
        distinct = sorted(set(keys))
        path = None
        if cache_dir is not None:
            name = digest(analyser.fingerprint(), distinct, max_pieces)
            path = Path(cache_dir) / f"lexicon-{analyser.kind}-{name}.bin"
            cached = store.read_cache(path)
            if cached is not None:
                return cls(analyser, distinct, cached[1]["rows"].tolist(), cached[1]["table"])
        symbols = _analyse(analyser, distinct, workers or os.cpu_count() or 1, progress)
        ids = symbol_ids(analyser.symbols)
        small = len(ids) + 3 <= np.iinfo(np.int16).max
        lengths = np.array([min(len(word), max_pieces) for word in symbols], dtype=np.int64)
        there = lengths > 0
        rows = np.where(there, np.cumsum(there), 0)
        table = np.full((1 + np.count_nonzero(there), max_pieces), PAD, dtype=np.int16 if small else np.int32)
        filled = np.arange(max_pieces) < lengths[there, None]
        kept = chain.from_iterable(word[:max_pieces] for word in symbols)
        table[1:][filled] = list(map(ids.get, kept, repeat(UNKNOWN)))
        lexicon = cls(analyser, distinct, rows.tolist(), table)
        if path is not None:
            store.write(path, {}, rows=rows.astype(np.int32), table=table)
        return lexicon

    @property
    def table(self) -> np.ndarray:
        """Symbol ids of all rows so far ``[V, max_pieces]``, int16 or int32; do not write into it."""
        return self._table[: self._used]

    def row(self, key: str) -> int:
        """Row of a key; a new key is analysed and appended (in memory). 0 where the key has no symbols."""
        row = self._rows.get(key)
        return self._add(key) if row is None else row

    def _add(self, key: str) -> int:
        pieces = [self._ids.get(symbol, UNKNOWN) for symbol in self.analyser.analyse(key)[: self._table.shape[1]]]
        if not pieces:
            self._rows[key] = 0
            return 0
        if self._used == len(self._table):
            self._table = np.concatenate([self._table, np.full_like(self._table, PAD)])
        self._table[self._used, : len(pieces)] = pieces
        self._rows[key] = self._used
        self._used += 1
        return self._used - 1

    def save(self, path: Path) -> None:
        """Writes the built part (not what was appended since)."""
        keys = list(self._rows)[: self._built_keys]
        rows = np.array([self._rows[key] for key in keys], dtype=np.int32)
        store.write(path, {"keys": keys}, rows=rows, table=self._table[: self.built + 1])

    @classmethod
    def load(cls, path: Path, analyser: WordAnalyser) -> Lexicon:
        """The lexicon saved at ``path`` (see ``store.read`` for errors)."""
        meta, arrays = store.read(path)
        return cls(analyser, meta["keys"], arrays["rows"].tolist(), arrays["table"])


def _analyse(analyser: WordAnalyser, keys: list[str], workers: int, progress: bool) -> list[list[str]]:
    chunks = [keys[begin : begin + CHUNK] for begin in range(0, len(keys), CHUNK)]
    with tqdm(total=len(keys), desc=f"{analyser.kind} lexicon", unit="word", disable=not progress) as bar:
        setup = parallel_setup(analyser, len(keys), workers)
        if setup is not None:
            answers = parallel_map(analyser_of, setup, chunks, workers, lambda chunk, _: bar.update(len(chunk)))
            return [word for chunk in answers for word in chunk]
        found: list[list[str]] = []
        with _no_collection():
            for chunk in chunks:
                found.extend(analyser.analyse_many(chunk))
                bar.update(len(chunk))
        return found


def parallel_setup(analyser: WordAnalyser, count: int, workers: int) -> tuple[str, str, Mapping[str, Any]] | None:
    """Arguments of :func:`analyser_of`; None where `count` words are better analysed in this process."""
    kind = type(analyser)
    # A class of the main script cannot be imported by another process.
    if workers == 1 or count < MIN_PARALLEL or kind.__module__ == "__main__":
        return None
    return kind.__module__, kind.__qualname__, analyser.state()


def analyser_of(module: str, name: str, state: Mapping[str, Any]) -> Callable[[list[str]], list[list[str]]]:
    """In a worker: the function that analyses a chunk of keys."""
    return getattr(importlib.import_module(module), name).from_state(state).analyse_many


@contextmanager
def _no_collection() -> Iterator[None]:
    """Many small lists without a cycle: a garbage collection would search all of torch for nothing (0.1 s)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
