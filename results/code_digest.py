"""What code a table is made by: a digest that changes when a statement does, and not when a comment does."""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = ("results", "common")
"""Packages whose code counts."""
APART = ("results.command", "results.terminal", "results.integrity")
"""Modules on which no written number depends."""


@cache
def code_digest(name: str) -> str:
    """16 hex digits of all code that the maker in ``results/<name>/make.py`` imports, directly or not."""
    seen: dict[str, Path] = {}
    waiting = [f"results.{name}.make"]
    while waiting:
        module = waiting.pop()
        path = _path(module)
        if path is not None and module not in seen and module not in APART:
            seen[module] = path
            waiting += _imported(path)
    parts = [f"{module}\n{_statements(seen[module])}" for module in sorted(seen)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def statements(source: str) -> str:
    """Python source without comments, docstrings and empty lines."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for k in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[k] = ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, column = token.start
        if token.type == tokenize.COMMENT:
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _path(module: str) -> Path | None:
    """The file of a module of ours; None for any other."""
    if module.split(".")[0] not in OURS:
        return None
    path = ROOT.joinpath(*module.split("."))
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


@cache
def _statements(path: Path) -> str:
    return statements(path.read_text(encoding="utf-8"))


@cache
def _imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names
