"""Any folder of text files: ``train*.txt``, or ``train/*.txt``, likewise validation and test; also compressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from common.data.files import COMPRESSIONS, folder_of, read_lines
from common.data.language.config import CorpusConfig
from common.data.language.shards import sha256
from common.data.language.sources import Line, Source, Unit, register_source
from common.data.text import DataError

NAMES = {"train": ("train",), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}
ENDINGS = tuple(f".txt{compression}" for compression in COMPRESSIONS)


def units(config: CorpusConfig) -> list[Unit]:
    if not config.path:
        raise DataError("the source 'folder' needs --data.path FOLDER, with train*.txt or train/*.txt and so on")
    folder = folder_of(config.path)
    try:
        re.compile(config.document_start)
    except re.error as error:
        raise DataError(f"document_start {config.document_start!r} is no regular expression: {error}") from error
    found = [
        Unit(split, path.name.split(".txt")[0], config.name, sha256(path), {
            "path": str(path), "document_start": config.document_start
        })
        for split in NAMES
        for path in files_of(folder, split)
    ]  # fmt: skip
    known: dict[tuple[str, str], str] = {}
    for unit in found:
        path = unit.options["path"]
        other = known.setdefault((unit.split, unit.name), path)
        if other != path:  # one of them would be read twice, the other never
            raise DataError(f"{other} and {path} are both called {unit.name!r} in the {unit.split} split; rename one")
    if not found:
        raise DataError(f"{folder} holds no train*.txt, validation*.txt or test*.txt, nor folders of such names")
    return found


def files_of(folder: Path, split: str) -> list[Path]:
    """Text files of a split, in the order of their names."""
    found = []
    for name in NAMES[split]:
        for path in sorted([*folder.glob(f"{name}*"), *folder.glob(f"{name}/*")]):
            # "valid" would find "validation*" too.
            rest = path.name.removeprefix(name) if path.parent == folder else ""
            if path.is_file() and path.name.endswith(ENDINGS) and not rest[:1].isalpha():
                found.append(path)
    return found


def lines(unit: Unit) -> Iterator[Line]:
    start = re.compile(unit.options["document_start"]) if unit.options["document_start"] else None
    first = True
    for line in read_lines(Path(unit.options["path"])):
        yield Line(line, (first and not line.isspace()) or (start is not None and start.match(line) is not None))
        first = first and line.isspace()


register_source("folder", Source(units, lines, {}))
