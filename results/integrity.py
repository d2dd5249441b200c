"""A record says what its files were when it was collected, so that one changed by hand later is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from common.files import write_text

FILES = (
    "config.json", "environment.json", "status.json", "metrics.csv", "alphas.csv", "predictions_validation.parquet",
    "predictions_test.parquet", "texts.parquet", "evidence.parquet", "measures.parquet", "words.parquet",
    "importance.json", "robustness.json", "robustness.parquet", "final.json",
)  # fmt: skip
"""What a record holds; words and importance only where a run integrates several streams, texts where it writes some,
robustness where it was evaluated on perturbed texts."""
DIGESTS = "digests.json"
"""File of a record: name of each other file -> sha256 of its content. Run folders have none, only collected records."""


class RecordError(RuntimeError):
    """A run record lacks a file, or holds one that cannot be read or was changed; the message says what to do."""


def digests(folder: Path) -> dict[str, str]:
    """Name of each file of the record that is there -> sha256 of its content."""
    return {name: sha256(folder / name) for name in sorted(FILES) if (folder / name).is_file()}


def fingerprint(folder: Path) -> str:
    """16 hex digits that stand for the content of a whole record."""
    return hashlib.sha256(json.dumps(digests(folder)).encode()).hexdigest()[:16]


def seal(folder: Path) -> None:
    """Write what the files of the record are now."""
    write_text(folder / DIGESTS, json.dumps(digests(folder), indent=2) + "\n")


def is_sealed(folder: Path) -> bool:
    """Whether the record says what its files were."""
    return (folder / DIGESTS).exists()


def verify(folder: Path) -> None:
    """Raise RecordError where a sealed record is not what it was; one without digests passes."""
    if not is_sealed(folder):
        return
    try:
        noted = dict(json.loads((folder / DIGESTS).read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise _changed(folder / DIGESTS, f"no list of digests ({error})") from error
    found = digests(folder)
    for name in sorted(noted.keys() | found.keys()):
        if name not in found:
            raise _changed(folder / name, "the file is missing")
        if name not in noted:
            raise _changed(folder / name, "it was added after the run")
        if noted[name] != found[name]:
            raise _changed(folder / name, "it was changed after the run")


def sha256(path: Path) -> str:
    """Of a file's content, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _changed(path: Path, why: str) -> RecordError:
    return RecordError(
        f"{path}: {why}; collect {path.parent.name} again from its run folder, or delete {path.parent} and run its "
        "config again"
    )
