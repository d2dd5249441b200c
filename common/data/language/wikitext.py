"""WikiText-2 and WikiText-103 (Merity et al. 2017), as published, or with the rare words in it (``-raw``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.data.files import folder_of, read_lines
from common.data.hub import load_from_hub
from common.data.language.config import SPLITS, CorpusConfig
from common.data.language.shards import sha256
from common.data.language.sources import Line, Source, Unit, register_source
from common.data.text import DataError

HUB = "Salesforce/wikitext"
ROWS = 200_000
"""Lines of a unit read from the hub."""
TRAIN_WORDS = {"wikitext-2": 2_088_628, "wikitext-103": 103_227_021}
"""Official numbers of words, one for every line end included."""
TITLE = re.compile(r"^ = [^=].* = ?$")
ALIASES = {"train": ("train",), "validation": ("valid", "validation"), "test": ("test",)}


def units(config: CorpusConfig) -> list[Unit]:
    return _local(config) if config.path else _from_hub(config)


def _local(config: CorpusConfig) -> list[Unit]:
    folder = folder_of(config.path)
    found = []
    for split, names in ALIASES.items():
        candidates = [folder / f"{n}.txt" for n in names] + [
            folder / f"wiki.{n}.{ending}" for n in names for ending in ("tokens", "raw")
        ]
        paths = [path for path in candidates if path.is_file()]
        if len(paths) > 1:
            raise DataError(f"{folder} has several files for one split: {', '.join(p.name for p in paths)}; keep one")
        found += [Unit(split, split, config.name, sha256(path), {"path": str(path)}) for path in paths]
    if not found:
        raise DataError(f"{folder} holds none of train.txt, valid.txt, test.txt (or wiki.train.tokens and so on)")
    return found


def _from_hub(config: CorpusConfig) -> list[Unit]:
    found = []
    for split in SPLITS:
        rows = _rows(config.name, split)
        for number, first in enumerate(range(0, len(rows), ROWS)):
            options = {"split": split, "first": first, "last": min(first + ROWS, len(rows))}
            # The library names a dataset's content by this hash.
            found.append(Unit(split, f"{split}-{number:03d}", config.name, f"{rows._fingerprint} {first}", options))
    return found


def _rows(name: str, split: str) -> Any:
    advice = "give --data.path a folder with train.txt, valid.txt and test.txt"
    return load_from_hub(HUB, f"{name}-v1", advice=advice, name=name, split=split)


def lines(unit: Unit) -> Iterator[Line]:
    if "path" in unit.options:
        texts: Iterator[str] = read_lines(Path(unit.options["path"]))
    else:
        rows = _rows(unit.source, unit.options["split"]).select(range(unit.options["first"], unit.options["last"]))
        texts = (row["text"] or " \n" for row in rows)
    first = blank = True
    for text in texts:
        text = text if text.endswith("\n") else text + "\n"
        # Headings stand between blank lines; a line of an article may look like one.
        yield Line(text, not text.isspace() and (first or (blank and TITLE.match(text) is not None)))
        blank = text.isspace()
        first = first and blank


for _name, _words in TRAIN_WORDS.items():
    for _raw in ("", "-raw"):
        _official = {"train": _words, "validation": 217_646, "test": 245_569}
        register_source(_name + _raw, Source(units, lines, _official))
