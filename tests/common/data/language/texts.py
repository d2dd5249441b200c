"""A small corpus for tests of the language data."""

from __future__ import annotations

from pathlib import Path

from common.data.language import CorpusConfig
from common.data.language.sources import Unit, source_named

TEXT = "the character of water is an unbelievable thing that don't rest and runs through fields, rivers and towns"
WORDS = TEXT.split()


def document(seed: int, sentences: int = 12) -> str:
    """A heading and a few lines."""
    lines = [" ".join(WORDS[(seed * 7 + n * k) % len(WORDS)] for k in range(1, 14)) + " ." for n in range(1, sentences)]
    return "\n".join([f"= Title {seed} =", *lines]) + "\n"


TRAIN_TEXT = "".join(document(seed) for seed in range(40))


def write_folder(folder: Path) -> Path:
    """train (two files, one compressed), validation and test."""
    import lzma

    folder.mkdir(exist_ok=True)
    (folder / "train-00.txt").write_text("".join(document(seed) for seed in range(20)))
    (folder / "train-01.txt.xz").write_bytes(lzma.compress("".join(document(seed) for seed in range(20, 40)).encode()))
    (folder / "validation.txt").write_text("".join(document(seed) for seed in range(50, 54)))
    (folder / "test.txt").write_text("".join(document(seed) for seed in range(60, 64)))
    return folder


def config(folder: Path, **options) -> CorpusConfig:
    """The folder as a corpus with a small tokenizer."""
    return CorpusConfig(**({"name": "folder", "path": str(folder), "vocab_size": 400} | options))


def units_of(folder: Path) -> list[Unit]:
    """Its units."""
    return source_named("folder").units(config(folder))
