"""Builds a corpus once: units in parallel to unfinished shards, then one list of strings, then finished shards.

A kill at any moment costs at most the shards that were being filled; the next call goes on from the others.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from common.data.language.config import SPLITS, CorpusConfig
from common.data.language.detokenise import detokenise
from common.data.language.merge import finish_shard, merge_strings
from common.data.language.shards import TOKENS, ShardBuilder, read_shard, sha256, total
from common.data.language.sources import Unit, pieces, source_named
from common.data.language.words import TokenReader, byte_pieces, masks_letters
from common.data.text import DataError
from common.files import write_text
from common.parallel import parallel_map
from common.streams.analyser import digest

MANIFEST = "manifest.json"
STRINGS, TRAIN_USES = "strings.txt", "train_uses.u64"
LARGEST_OVERLAP = 0.005
_REVISION = 2  # raise when text is cut or counted otherwise, or the manifest changes: cached corpora are built anew
_BATCH = 64
"""Pieces tokenised at once."""

ADVICE = {
    "allow_size_mismatch": ". Get an unaltered copy, or accept it with --data.allow-size-mismatch",
    "allow_overlap": "; mend the splits, or accept it with --data.allow-overlap",
}
"""Field of a config that accepts what a check found -> what to do where it does not."""


class Note(NamedTuple):
    """What a check found, and the field of :data:`ADVICE` without which it is an error; empty: none is needed."""

    text: str
    allowance: str = ""


class UnitBuilder:
    """In a worker: turns one unit into unfinished shards.

    Args:
        folder: where they go.
        tokenizer: the tokenizer as JSON.
        byte_level: bytes of every token, None for other tokenizers.
        separator: token before every document.
        undo: whether WikiText's tokenisation is undone.
        tokens: those above which a shard is closed.
        join: whether a word starts once though a letter of it is cut, see ``words.starts_of``.
    """

    def __init__(
        self, folder: str, tokenizer: str, byte_level: list[bytes] | None, separator: int, undo: bool, tokens: int,
        join: bool,
    ) -> None:  # fmt: skip
        from tokenizers import Tokenizer

        backend = Tokenizer.from_str(tokenizer)
        self.folder, self.separator, self.undo, self.tokens = Path(folder), separator, undo, tokens
        self.wide, self.join = backend.get_vocab_size() > 1 << 16, join
        self.reader = TokenReader(backend, byte_level)

    def __call__(self, unit: Unit) -> None:
        stream = pieces(source_named(unit.source).lines(unit))
        number = done = 0
        while (path := shard_path(self.folder, unit, number)).exists():  # of a build that was killed
            done += read_shard(path)[1]["pieces"]
            number += 1
        for _ in range(done):
            next(stream)
        builder, taken = self._empty(), 0
        for batch in _batches(stream):
            texts = [detokenise(piece.text) if self.undo else piece.text for piece in batch]
            for piece, encoded in zip(batch, self.reader.encode_many(texts), strict=True):
                builder.add(piece, encoded, piece.text)
                taken += 1
                if builder.counts.tokens >= self.tokens:
                    builder.write(shard_path(self.folder, unit, number), taken)
                    builder, taken, number = self._empty(), 0, number + 1
        if taken:
            builder.write(shard_path(self.folder, unit, number), taken)
        done_mark(self.folder, unit).touch()

    def _empty(self) -> ShardBuilder:
        return ShardBuilder(self.separator, self.wide, self.join)


def shard_path(folder: Path, unit: Unit, number: int) -> Path:
    """Place of a unit's shard."""
    return folder / f"{unit.split}.{unit.name}.{number:04d}.safetensors"


def done_mark(folder: Path, unit: Unit) -> Path:
    """The empty file that says that a unit is read to its end."""
    return folder / f"{unit.split}.{unit.name}.done"


def _batches(stream: Iterator[Any]) -> Iterator[list[Any]]:
    batch = []
    for piece in stream:
        batch.append(piece)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def build(
    config: CorpusConfig, units: Sequence[Unit], tokenizer: Any, separator: int, folder: Path,
    workers: int, progress: bool, tokens_per_shard: int = TOKENS,
) -> None:  # fmt: skip
    """Build into `folder`, or finish what a killed build left there.

    Raises:
        DataError: the text cannot be read, has another size than the official one, or stands in two splits.
    """
    pending = folder / "pending"
    pending.mkdir(parents=True, exist_ok=True)
    todo = [unit for unit in units if not done_mark(pending, unit).exists()]
    backend = tokenizer.backend_tokenizer
    setup = (
        str(pending), backend.to_str(), byte_pieces(tokenizer), separator, config.detokenise, tokens_per_shard,
        masks_letters(tokenizer),
    )  # fmt: skip
    with tqdm(
        total=len(units), initial=len(units) - len(todo), desc=config.name, unit="unit", disable=not progress
    ) as bar:
        if workers == 1 or len(todo) <= 1:
            builder = UnitBuilder(*setup)
            for unit in todo:
                builder(unit)
                bar.update()
        else:
            parallel_map(UnitBuilder, setup, todo, min(workers, len(todo)), lambda unit, _: bar.update())
    shards = [(unit, path) for unit in units for path in _shards_of(pending, unit)]
    notes = check(config, shards)
    refuse(config, notes)
    numbers = merge_strings(
        [path for _, path in shards],
        folder / STRINGS,
        folder / TRAIN_USES,
        [unit.split == "train" for unit, _ in shards],
    )
    manifest: dict[str, Any] = {"name": config.name, "separator": separator, "warnings": notes, "splits": {}}
    for (unit, path), mapped in zip(shards, numbers, strict=True):
        target = folder / path.name
        finish_shard(path, mapped, target)
        counts = read_shard(target)[1]
        counts.pop("pieces")
        split = manifest["splits"].setdefault(unit.split, {"shards": []})
        split["shards"].append({"file": target.name, "sha256": sha256(target), **counts})
    for name, split in manifest["splits"].items():
        shares = [{k: v for k, v in shard.items() if k not in ("file", "sha256")} for shard in split["shards"]]
        split |= vars(total(shares))
        split["text"] = [unit.fingerprint for unit in units if unit.split == name]
    manifest["files"] = {name: sha256(folder / name) for name in (STRINGS, TRAIN_USES)}
    manifest["splits"] = {name: manifest["splits"][name] for name in SPLITS if name in manifest["splits"]}
    del numbers
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1))
    shutil.rmtree(pending)
    (folder / STRINGS).with_suffix(".map").unlink(missing_ok=True)


def _shards_of(pending: Path, unit: Unit) -> Iterator[Path]:
    number = 0
    while (path := shard_path(pending, unit, number)).exists():
        yield path
        number += 1


def check(config: CorpusConfig, shards: Sequence[tuple[Unit, Path]]) -> list[Note]:
    """Official sizes, and documents of validation and test that stand in an earlier split."""
    notes = []
    read = [(unit, *read_shard(path)) for unit, path in shards]
    for split in SPLITS:
        count = total(
            {k: v for k, v in counts.items() if k != "pieces"} for unit, _, counts in read if unit.split == split
        )
        official = source_named(config.name).official.get(split)
        found = count.words + count.lines
        if official and count.documents and found != official:
            note = (
                f"{config.name}: {split} has {found:,} words and line ends, officially {official:,}; texts were altered"
            )
            notes.append(Note(note, "allow_size_mismatch"))
    for number, split in enumerate(SPLITS[1:], start=1):
        hashes = [arrays["hashes"] for unit, arrays, _ in read if unit.split == split]
        mine = np.concatenate(hashes) if hashes else np.zeros(0, dtype=np.uint64)
        seen = np.zeros(len(mine), dtype=bool)
        for unit, arrays, _ in read:
            if unit.split in SPLITS[:number]:
                seen |= np.isin(mine, arrays["hashes"])
        if seen.any():
            note = f"{config.name}: {seen.sum()} of {len(mine)} documents of {split} begin like one of an earlier split"
            notes.append(Note(note, "allow_overlap" if seen.mean() > LARGEST_OVERLAP else ""))
    return notes


def refuse(config: CorpusConfig, notes: Sequence[Note]) -> None:
    """Raise DataError for a note that the config does not accept; a corpus from the cache is held to it as well."""
    for note in notes:
        if note.allowance and not getattr(config, note.allowance):
            raise DataError(note.text + ADVICE[note.allowance])


def corpus_key(config: CorpusConfig, units: Sequence[Unit], tokenizer_name: str, join: bool) -> str:
    """24 hex digits that name the corpus: its text, how it is cut, and this code's revision.

    Args:
        join: see ``words.starts_of``; corpora without it keep the name that they had before there was such a choice.
    """
    plain = [(unit.split, unit.name, unit.source, unit.fingerprint) for unit in units]
    starts = config.document_start if config.name == "folder" else ""
    return digest(_REVISION, plain, starts, tokenizer_name, config.detokenise, *(["joined"] if join else []))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder against other processes that want to build the same corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
