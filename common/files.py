"""Files that are either wholly old or wholly new, whatever happens while they are written."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

NO_ROOM = 1 << 20
"""Free bytes below which a failure to write is put down to a full disk."""


def write_atomic(path: Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a temporary file in the folder of `path`, then put it in place of `path`; returns `path`.

    Raises:
        OSError: no room on the disk; `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())  # the rename must not reach the disk before the content
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        # torch reports a full disk as a RuntimeError about positions in a file.
        if getattr(error, "errno", None) == errno.ENOSPC or shutil.disk_usage(path.parent).free < NO_ROOM:
            message = f"no room on the disk for {path}; make some and give the same command again, nothing is lost"
            raise OSError(errno.ENOSPC, message) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_text(path: Path, text: str) -> Path:
    """Atomically write UTF-8 text with plain line feeds."""
    return write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: Path, content: Any) -> Path:
    """Atomically write indented JSON."""
    return write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files of killed writers. Only the process that holds the folder may call this."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)
