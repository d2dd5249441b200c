"""Streams of samples from tar shards in the layout of WebDataset, such as Conceptual Captions as img2dataset writes it.

A sample is the consecutive members with one stem: ``000123.jpg`` with ``000123.txt`` (a caption) or ``000123.json``
(``caption``, or ``question`` and ``answers``). Only one member and the shuffle buffer are in memory.
"""

from __future__ import annotations

import glob
import json
import random
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset, get_worker_info

from common.data.vision.sample import DataError, ImageSource, Sample

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
TEXTS = (".txt", ".json")


class Shards(IterableDataset[Sample]):
    """All samples of tar shards, each once, over all ranks and workers together.

    Whole shards go to the readers where there are at least as many shards as readers; otherwise every reader goes
    through all shards and keeps its share. Readers may get different numbers of samples: in distributed training take
    a fixed number of steps.

    Args:
        where: a folder (all its .tar, .tar.gz and .tgz files), a pattern such as ``cc3m/*.tar`` or
            ``cc3m/{00000..00331}.tar``, or a list of files.
        rank, world: number of this process and of all processes.
        buffer: samples among which the next is drawn at random; 0 = in the order of the files, which is then also the
            order of the shards.
        seed: of the shuffle, with the epoch (:meth:`set_epoch`).
        skip_bad: leave out samples without picture or text; :attr:`skipped` counts them in each worker. Otherwise they
            are errors.

    Raises:
        DataError: when no shard is found.
    """

    def __init__(
        self,
        where: str | Path | Iterable[str | Path],
        rank: int = 0,
        world: int = 1,
        buffer: int = 1000,
        seed: int = 0,
        skip_bad: bool = False,
    ) -> None:
        super().__init__()
        if not 0 <= rank < world:
            raise ValueError(f"rank must be 0 to {world - 1}, got {rank}")
        if buffer < 0:
            raise ValueError(f"buffer must not be negative, got {buffer}")
        self.paths = shard_paths(where)
        self.rank, self.world, self.buffer, self.seed, self.skip_bad = rank, world, buffer, seed, skip_bad
        self.epoch = self.skipped = 0

    def set_epoch(self, epoch: int) -> None:
        """Shuffle anew from the next iteration on; call it before the workers start."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[Sample]:
        worker = get_worker_info()
        workers, number = (worker.num_workers, worker.id) if worker else (1, 0)
        reader, readers = self.rank * workers + number, self.world * workers
        paths = list(self.paths)
        if self.buffer:
            random.Random(f"{self.seed} {self.epoch}").shuffle(paths)  # the same order for all readers
        if len(paths) >= readers:
            samples = self._read(paths[reader::readers])
        else:
            samples = (sample for index, sample in enumerate(self._read(paths)) if index % readers == reader)
        return shuffled(samples, self.buffer, random.Random(f"{self.seed} {self.epoch} {reader}"))

    def _read(self, paths: Iterable[Path]) -> Iterator[Sample]:
        for path in paths:
            for stem, members in groups_of(path):
                sample = _sample(path, stem, members)
                if isinstance(sample, Sample):
                    yield sample
                elif self.skip_bad:
                    self.skipped += 1
                else:
                    raise DataError(f"{path}, {stem}: {sample}; leave such samples out with skip_bad=True")


def shard_paths(where: str | Path | Iterable[str | Path]) -> list[Path]:
    """Shards that a folder, pattern or list names, sorted. Raises DataError when one is missing or there is none."""
    if not isinstance(where, (str, Path)):
        paths = [Path(path) for path in where]
    elif Path(where).is_dir():
        paths = [path for path in Path(where).iterdir() if path.name.endswith((".tar", ".tar.gz", ".tgz"))]
    else:
        paths = [Path(path) for part in _expanded(str(where)) for path in glob.glob(part) or [part]]
    missing = [path for path in paths if not path.is_file()]
    if missing or not paths:
        raise DataError(f"no shard {missing[0] if missing else where}; give a folder of .tar files or a pattern")
    return sorted(set(paths))


def groups_of(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(stem, {ending: content}) of the consecutive members of one stem; other members than pictures and texts are left
    out.

    Raises:
        DataError: when the shard is damaged or cut short.
    """
    current, members = "", {}
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                # The archive would keep a record of every member it has passed.
                archive.members = []  # pyright: ignore[reportAttributeAccessIssue]
                folder, _, name = member.name.rpartition("/")
                base, dot, ending = name.partition(".")
                if not member.isfile() or not base:
                    continue
                stem, ending = f"{folder}/{base}" if folder else base, (dot + ending).lower()
                if stem != current and members:
                    yield current, members
                    members = {}
                current = stem
                file = archive.extractfile(member) if ending in PICTURES + TEXTS else None
                if file is not None:
                    members[ending] = file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{path} is damaged or cut short after {current!r} ({error})") from error
    if members:
        yield current, members


def shuffled(samples: Iterable[Sample], buffer: int, rng: random.Random) -> Iterator[Sample]:
    """The samples, each drawn at random from a buffer of `buffer` of them; 0 = in their order."""
    held: list[Sample] = []
    for sample in samples:
        if len(held) < buffer:
            held.append(sample)
        elif not buffer:
            yield sample
        else:
            index = rng.randrange(buffer)
            held[index], sample = sample, held[index]
            yield sample
    rng.shuffle(held)
    yield from held


def _sample(path: Path, stem: str, members: dict[str, bytes]) -> Sample | str:
    """The sample, or what is wrong with it."""
    ending = next((ending for ending in PICTURES if members.get(ending)), None)
    if ending is None:
        return "no picture"
    image = ImageSource(data=members[ending], label=f"{path}:{stem}{ending}")
    try:
        said: Any = json.loads(members.get(".json", b"{}"))
        caption = members.get(".txt", b"").decode().strip()
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        return f"a text that cannot be read ({error})"
    if not isinstance(said, dict):
        return "its json is no object"
    listed = said.get("captions") or [caption or said.get("caption") or ""]
    captions = tuple(str(text).strip() for text in listed if str(text).strip())
    answers = said.get("answers") or said.get("answer") or []
    answers = tuple(map(str, [answers] if isinstance(answers, (str, int, float)) else answers))
    question = str(said.get("question") or "")
    if not captions and not (question and answers):
        return "no caption, and no question with answers"
    return Sample(f"{path.name}:{stem}", (image,), captions, question, answers)


def _expanded(pattern: str) -> list[str]:
    """``a{00..02}b`` as a00b, a01b, a02b."""
    match = re.search(r"\{(\d+)\.\.(\d+)\}", pattern)
    if match is None:
        return [pattern]
    width = len(match[1])
    numbers = range(int(match[1]), int(match[2]) + 1)
    rest = _expanded(pattern[match.end() :])
    return [f"{pattern[: match.start()]}{n:0{width}d}{tail}" for n in numbers for tail in rest]
