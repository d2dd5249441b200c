"""A file of arrays that is either whole or not there: written beside its place, then moved into it."""

from __future__ import annotations

import hashlib
import io
import json
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from common.files import write_atomic

_MAGIC = b"multistream-1\n"
_STALE_SECONDS = 3600.0


class CorruptFile(ValueError):
    """The file is not what was written."""


def write(path: Path, meta: dict[str, Any], **arrays: np.ndarray) -> None:
    """Writes JSON-able ``meta`` and arrays atomically, with a checksum. Of concurrent writers the last wins."""
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(meta, ensure_ascii=True).encode(), dtype=np.uint8)
    np.savez(buffer, allow_pickle=False, meta=text, **arrays)  # small enough that compressing costs more than it saves
    payload = buffer.getvalue()
    _sweep(path)
    content = _MAGIC + hashlib.sha256(payload).digest() + payload
    write_atomic(path, lambda temporary: temporary.write_bytes(content))


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Meta and arrays of a file made by ``write``.

    Raises:
        FileNotFoundError: no such file.
        CorruptFile: cut short, changed, or of another kind.
    """
    content = path.read_bytes()
    head = len(_MAGIC) + hashlib.sha256().digest_size
    if content[: len(_MAGIC)] != _MAGIC or hashlib.sha256(content[head:]).digest() != content[len(_MAGIC) : head]:
        raise CorruptFile(f"{path} is corrupt: its checksum does not match")
    try:
        with np.load(io.BytesIO(content[head:]), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return json.loads(arrays.pop("meta").tobytes()), arrays
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise CorruptFile(f"{path} is corrupt: {error}") from error


def read_cache(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """As ``read``, but None where the file is missing, or corrupt (with a warning): the caller makes it anew."""
    try:
        return read(path)
    except FileNotFoundError:
        return None
    except CorruptFile as error:
        warnings.warn(f"{error}; it is made anew", stacklevel=2)
        return None


def _sweep(path: Path) -> None:
    """Removes what killed writers of this file left behind, once it is too old to belong to a living one."""
    for leftover in path.parent.glob(f".{path.name}.*.tmp"):
        try:
            if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                leftover.unlink()
        except FileNotFoundError:
            continue  # another writer swept it first
