"""Sources of running text: each names its units, and reads one unit line by line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from common.data.language.config import CorpusConfig
from common.data.text import DataError
from common.registry import Registry

PIECE = 1 << 17
"""Characters above which a document is cut, at a line's end, into pieces that are tokenised one by one."""


@dataclass(frozen=True)
class Unit:
    """A part of a split that one process reads from beginning to end."""

    split: str
    name: str
    """Unique within the split; units are put together in the order in which a source lists them."""
    source: str
    fingerprint: str
    """Changes when the text does."""
    options: dict[str, Any] = field(default_factory=dict)
    """What the source's reader needs, in plain values."""


class Line(NamedTuple):
    """A line with its line end (the last of a file may have none), and whether a document begins with it."""

    text: str
    starts: bool


class Source(NamedTuple):
    """units: config -> the units of all splits. lines: a unit's text. official: split -> words, line ends included."""

    units: Callable[[CorpusConfig], list[Unit]]
    lines: Callable[[Unit], Iterator[Line]]
    official: dict[str, int]


_SOURCES: Registry[Source] = Registry("corpus", DataError, made_by=lambda source: source.units)


def register_source(name: str, source: Source) -> None:
    """Make a source known as ``CorpusConfig(name=name)``."""
    _SOURCES.add(name, source)


def source_named(name: str) -> Source:
    """The source registered under this name.

    Raises:
        DataError: unknown name; the message lists the known ones.
    """
    return _SOURCES.named(name)


class Piece(NamedTuple):
    """Consecutive lines of one document, and whether the document begins here."""

    text: str
    starts: bool
    lines: int


def pieces(lines: Iterator[Line], limit: int = PIECE) -> Iterator[Piece]:
    """Whole documents, or pieces of about `limit` characters of longer ones. A line longer than that is cut at spaces,
    or anywhere where it has none.
    """
    held: list[str] = []
    size = ends = 0
    starts = False
    for line, begins in lines:
        if held and (begins or size + len(line) > limit):
            yield Piece("".join(held), starts, ends)
            held, size, ends, starts = [], 0, 0, False
        starts = starts or begins
        while len(line) > limit:
            cut = line.rfind(" ", 1, limit)
            cut = cut if cut > 0 else limit
            yield Piece(line[:cut], starts, 0)
            line, starts = line[cut:], False
        held.append(line)
        size += len(line)
        ends += line.endswith("\n")
    if held:
        yield Piece("".join(held), starts, ends)


def text_fingerprint(config: CorpusConfig) -> str:
    """SHA-256 that changes when the text of any split does; nothing is built for it."""
    plain = [[unit.split, unit.name, unit.fingerprint] for unit in source_named(config.name).units(config)]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()
