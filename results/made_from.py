"""What the files of a table or figure were made from, noted beside them, so that it shows when they are out of date."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.files import write_text
from results.code_digest import code_digest
from results.costs import step_time_records
from results.integrity import fingerprint, sha256
from results.reader import Run

NOTE = "made_from.json"
"""Beside the files: records and step times they were made from, the code that made them, and digests of the files."""
NAMED = 3
"""Most names that a reason gives."""


def write_note(name: str, runs: Sequence[Run], folder: Path, written: Sequence[Path]) -> None:
    """Note beside the `written` files in `folder` what they were made from. The same bytes from the same records.

    Args:
        name: of the table or figure.
        runs: of its step.
        folder: where the files are.
        written: the files.
    """
    files = {path.relative_to(folder).as_posix(): sha256(path) for path in written}
    note = _sources(name, runs) | {"files": files}
    write_text(folder / NOTE, json.dumps(note, indent=1, sort_keys=True) + "\n")


def stale(name: str, runs: Sequence[Run], folder: Path) -> list[str]:
    """Why the files in `folder` may not be what a maker would write today; empty when nothing has changed.

    Args:
        name: of the table or figure.
        runs: finished runs of its step.
        folder: where its files are.
    """
    path = folder / NOTE
    if not path.exists():
        return [f"no {NOTE} says what it was made from"] if runs else []
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        before, files = dict(note["records"]), dict(note["files"])
    except (ValueError, KeyError, TypeError):
        return [f"{NOTE} cannot be read"]
    now = _sources(name, runs)
    reasons = _differences("record", before, now["records"])
    if note.get("step_times") != now["step_times"]:
        reasons.append("other step times were measured")
    if note.get("code") != now["code"]:
        reasons.append("the code that makes it has changed")
    on_disk = {name: sha256(folder / name) for name in files if (folder / name).is_file()}
    return reasons + _differences("file", files, on_disk)


def _sources(name: str, runs: Sequence[Run]) -> dict[str, Any]:
    steps = sorted({run.config["step"] for run in runs})
    times = [path for step in steps for path in step_time_records(step)]
    return {
        "records": {run.folder.name: fingerprint(run.folder) for run in runs},
        "step_times": {path.name: sha256(path)[:16] for path in times},
        "code": code_digest(name),
    }


def _differences(what: str, before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """``2 records are new: dm-1, dm-2``; likewise for those that are gone or changed."""
    found = {
        "new": sorted(now.keys() - before.keys()),
        "gone": sorted(before.keys() - now.keys()),
        "changed": sorted(name for name in before.keys() & now.keys() if before[name] != now[name]),
    }
    return [
        f"{len(names)} {what}{'s are' if len(names) > 1 else ' is'} {how}: {', '.join(names[:NAMED])}"
        + (", …" if len(names) > NAMED else "")
        for how, names in found.items()
        if names
    ]
