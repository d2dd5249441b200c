"""A built corpus: memory-mapped splits with words and prefixes, and the one way in: :func:`load_corpus`."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.data.language.build import MANIFEST, STRINGS, TRAIN_USES, Note, build, corpus_key, locked, refuse
from common.data.language.config import CorpusConfig
from common.data.language.shards import Counts, lines_of, read_shard, sha256
from common.data.language.sources import source_named
from common.data.language.tokenizers import separator, tokenizer_hash, tokenizer_of
from common.data.language.words import masks_letters
from common.data.text import DataError

FIELDS = ("tokens", "words", "prefixes", "starts")


class Window(NamedTuple):
    """Consecutive tokens: ids, numbers of their words and prefixes among the corpus' strings (0 = none), and whether a
    word starts at each; all ``[T]``, int64 and bool.
    """

    tokens: np.ndarray
    words: np.ndarray
    prefixes: np.ndarray
    starts: np.ndarray


class TokenSplit:
    """The tokens of a split, one after the other over all its shards.

    Args:
        shards: memory-mapped arrays of every shard.
        counts: size of the split.
    """

    def __init__(self, shards: list[dict[str, np.ndarray]], counts: Counts) -> None:
        self.shards, self.counts = shards, counts
        self._ends = np.cumsum([len(shard["tokens"]) for shard in shards])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def window(self, start: int, stop: int) -> Window:
        """Tokens `start` to `stop` (not included)."""
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"tokens {start} to {stop} are not within {len(self)}")
        parts: dict[str, list[np.ndarray]] = {name: [] for name in FIELDS}
        shard = int(np.searchsorted(self._ends, start, side="right"))
        while start < stop:
            first = int(self._ends[shard - 1]) if shard else 0
            last = min(stop, int(self._ends[shard]))
            for name in FIELDS:
                parts[name].append(self.shards[shard][name][start - first : last - first])
            start, shard = last, shard + 1
        whole = [np.concatenate(parts[name]) if parts[name] else np.zeros(0) for name in FIELDS]
        tokens, words, prefixes = (array.astype(np.int64) for array in whole[:3])
        return Window(tokens, words, prefixes, whole[3].astype(bool))

    def documents(self) -> np.ndarray:
        """First token of every document ``[D]``."""
        firsts = np.append(0, self._ends[:-1])
        return np.concatenate([shard["documents"] + first for shard, first in zip(self.shards, firsts, strict=True)])


@dataclass(frozen=True)
class LanguageCorpus:
    """A corpus as built. Splits are those the source has."""

    name: str
    folder: Path
    tokenizer: Any
    separator: int
    """Token before every document."""
    splits: Mapping[str, TokenSplit]
    fingerprint: str
    """SHA-256 over the hashes of all files: changes with text, tokenizer and words."""
    hashes: Mapping[str, str]
    """Split -> SHA-256 over the fingerprints of its text, whatever the tokenizer and the other splits."""
    warnings: tuple[str, ...]

    def strings(self) -> Iterator[str]:
        """All words and prefixes by their number; 0 is the empty one."""
        return lines_of(self.folder / STRINGS)

    def train_uses(self) -> np.ndarray:
        """How often each string is a word of the training split; memory-mapped."""
        return np.memmap(self.folder / TRAIN_USES, dtype=np.uint64, mode="r")

    def split(self, name: str) -> TokenSplit:
        """A split by name. Raises DataError where the source has none of this name."""
        if name not in self.splits:
            raise DataError(f"{self.name} has no {name} split here, only {', '.join(self.splits)}")
        return self.splits[name]


def load_corpus(
    config: CorpusConfig, cache_dir: Path | str, workers: int | None = None, progress: bool = True
) -> LanguageCorpus:
    """The corpus that `config` names, built first where it is not in the folder `cache_dir`.

    Args:
        workers: processes that build it; default one per core.
        progress: show a bar.

    Raises:
        DataError: unknown name, text not to be had, or a failed check; the message says what to do.
    """
    source = source_named(config.name)
    cache = Path(cache_dir).expanduser()
    units = source.units(config)
    tokenizer = tokenizer_of(config, units, cache)
    key = corpus_key(config, units, tokenizer_hash(tokenizer), masks_letters(tokenizer))
    folder = cache / f"{config.name}-{key}"
    with locked(folder):
        if (folder / MANIFEST).exists() and (damaged := damage(folder)) is not None:
            warnings.warn(f"{damaged} is damaged; the corpus is built anew", stacklevel=2)
            (folder / MANIFEST).unlink()
        if not (folder / MANIFEST).exists():
            build(config, units, tokenizer, separator(tokenizer), folder, workers or os.cpu_count() or 1, progress)
    return open_corpus(config, folder, tokenizer)


def open_corpus(config: CorpusConfig, folder: Path, tokenizer: Any) -> LanguageCorpus:
    """A corpus that was built in `folder` with `tokenizer`, by `config` or by one that accepts other things. Warns of
    what its checks found.

    Raises:
        DataError: they found what `config` does not accept.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    notes = [Note(*note) for note in manifest["warnings"]]
    refuse(config, notes)
    for note in notes:
        warnings.warn(note.text, stacklevel=3)
    splits, hashes = {}, {}
    for name, split in manifest["splits"].items():
        shards = [read_shard(folder / shard["file"])[0] for shard in split["shards"]]
        sizes = {k: v for k, v in split.items() if k not in ("shards", "text")}
        splits[name] = TokenSplit(shards, Counts(**sizes))
        hashes[name] = _joined(split["text"])
    every = [shard["sha256"] for split in manifest["splits"].values() for shard in split["shards"]]
    fingerprint = _joined([*every, *manifest["files"].values()])
    return LanguageCorpus(
        manifest["name"], folder, tokenizer, manifest["separator"], splits, fingerprint, hashes,
        tuple(note.text for note in notes),
    )  # fmt: skip


def damage(folder: Path) -> Path | None:
    """The first file that is not what was written, if any: every file is read."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    expected = dict(manifest["files"])
    for split in manifest["splits"].values():
        expected |= {shard["file"]: shard["sha256"] for shard in split["shards"]}
    for name, digest in expected.items():
        path = folder / name
        if not path.is_file() or sha256(path) != digest:
            return path
    return None


def _joined(hashes: Iterable[str]) -> str:
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()
