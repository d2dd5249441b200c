"""The embedded default: the documentation strings of this Python's own standard library, a document per module."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sysconfig
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from common.data.language.config import CorpusConfig
from common.data.language.sources import Line, Source, Unit, register_source

LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "lib2to3", "pydoc_data"}
TENTHS = {8: "validation", 9: "test"}
"""Tenth of the modules, by the hash of their name -> split; the others are for training."""
MIN_CHARACTERS = 200


@lru_cache(maxsize=1)
def modules() -> dict[str, Path]:
    """Dotted name -> file of every pure-Python module of the standard library, in the order of the names."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = [path for path in root.rglob("*.py") if not LEFT_OUT & set(path.relative_to(root).parts)]
    names = {".".join(path.relative_to(root).with_suffix("").parts): path for path in files}
    return dict(sorted(names.items()))


def split_of(module: str) -> str:
    """Split of a module: all of a top-level package together, so that no text of it is seen in another."""
    tenth = int(hashlib.sha256(module.split(".")[0].encode()).hexdigest(), 16) % 10
    return TENTHS.get(tenth, "train")


@lru_cache(maxsize=1)
def documents() -> dict[str, str]:
    """Module -> its documentation, where there is a little of it."""
    texts = {}
    for name, path in modules().items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # invalid escapes in old modules
                tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue  # a file that is a test of the parser
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        found = [ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, kinds)]
        text = "\n\n".join(dict.fromkeys(inspect.cleandoc(doc) for doc in found if doc))
        if len(text) >= MIN_CHARACTERS:
            texts[name] = f"= {name} =\n\n{text}\n"
    return texts


def units(config: CorpusConfig) -> list[Unit]:
    found = []
    for split in ("train", "validation", "test"):
        names = [name for name in documents() if split_of(name) == split]
        content = hashlib.sha256("".join(documents()[name] for name in names).encode()).hexdigest()
        found.append(Unit(split, split, config.name, content, {"modules": names}))
    return found


def lines(unit: Unit) -> Iterator[Line]:
    for name in unit.options["modules"]:
        for number, line in enumerate(documents()[name].splitlines(keepends=True)):
            yield Line(line, number == 0)


register_source("stdlib-docs", Source(units, lines, {}))
