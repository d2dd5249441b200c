"""Words per second of building a corpus with the streams of its words, and the memory that takes.

    python -m benchmarks.corpus --path /path/to/texts [--out results/records/benchmarks/corpus.json]

Each size is built into an empty cache by a process of its own: tokenizer trained, text cut into tokens, words and
prefixes kept, every distinct string analysed. ``streams cold`` analyses them for the first time; ``streams warm`` is
what every later run does. The small size is the first training file cut to a million words.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import tyro

from benchmarks.report import machine, write_report
from common.data.files import read_lines
from common.data.language import CorpusConfig
from common.data.language.corpus import load_corpus
from common.streams.tables import build_tables
from step3_gpt.config import MORPHOLOGICAL, PHONETIC

SMALL = 1_000_000
"""Words of the small size."""


@dataclass(frozen=True)
class Settings:
    """What is built."""

    path: Path
    """Folder of texts, see ``common.data.language.folder``."""
    workers: int = 2
    """Processes."""
    out: Path | None = None
    """Where the record goes."""


def first_words(path: Path, count: int) -> Iterator[str]:
    """Lines of a file until `count` words are reached."""
    for line in read_lines(path):
        yield line
        count -= len(line.split())
        if count <= 0:
            return


def shortened(source: Path, target: Path) -> Path:
    """A folder like `source` whose training text is :data:`SMALL` words of its first file."""
    target.mkdir()
    first = True
    for path in sorted(source.iterdir()):
        if not path.name.startswith("train"):
            (target / path.name).symlink_to(path.resolve())
        elif first:
            (target / "train.txt").write_text("".join(first_words(path, SMALL)), encoding="utf-8")
            first = False
    return target


def build(path: Path, workers: int, pipe: Connection) -> None:
    """Build all and send seconds, sizes and the peak memory of this process."""
    with tempfile.TemporaryDirectory() as cache:
        config = CorpusConfig(name="folder", path=str(path))
        start = time.perf_counter()
        corpus = load_corpus(config, cache, workers, progress=False)
        built = time.perf_counter()
        seconds = []
        for _ in range(2):
            begin = time.perf_counter()
            build_tables(corpus, (PHONETIC, MORPHOLOGICAL), workers, progress=False)
            seconds.append(time.perf_counter() - begin)
        pipe.send({
            "words": sum(split.counts.words for split in corpus.splits.values()),
            "strings": sum(1 for _ in corpus.strings()), "corpus_seconds": built - start, "cold": seconds[0],
            "warm": seconds[1], "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "workers_peak": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        })  # fmt: skip


def run(settings: Settings) -> dict:
    """Both sizes."""
    context, rows = multiprocessing.get_context("spawn"), []
    with tempfile.TemporaryDirectory() as scratch:
        for path in (shortened(settings.path, Path(scratch) / "texts"), settings.path):
            ours, theirs = context.Pipe()
            process = context.Process(target=build, args=(path, settings.workers, theirs))
            process.start()
            theirs.close()
            found = ours.recv()
            process.join()
            rows.append({
                "words": found["words"], "strings": found["strings"], "corpus seconds": found["corpus_seconds"],
                "streams cold": found["cold"], "streams warm": found["warm"],
                "words/s cold": found["words"] / (found["corpus_seconds"] + found["cold"]),
                "words/s warm": found["words"] / (found["corpus_seconds"] + found["warm"]),
                "peak MiB": found["peak"] / 2**20, "worker peak MiB": found["workers_peak"] / 2**20,
            })  # fmt: skip
    return {"benchmark": "corpus", "settings": {"workers": settings.workers}, "machine": machine(), "rows": rows}


if __name__ == "__main__":
    chosen = tyro.cli(Settings, description=__doc__)
    write_report(json.loads(json.dumps(run(chosen))), chosen.out)
