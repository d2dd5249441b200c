"""Files of a run's record; one that is missing, damaged or lacks a column is one clear error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from results.integrity import RecordError


def broken(path: Path, why: str) -> RecordError:
    """What to raise for a file of a record, and what to do."""
    return RecordError(f"{path}: {why}; delete the folder {path.parent} and run its config again")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises :class:`RecordError`."""
    if not path.exists():
        raise broken(path, "the file is missing")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise broken(path, f"no valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise broken(path, "expected a JSON object")
    return content


def read_csv(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """A table that has `columns`. Raises :class:`RecordError`."""
    if not path.exists():
        raise broken(path, "the file is missing")
    try:
        frame = pd.read_csv(path, dtype={"stream": str, "value": float})
    except (UnicodeDecodeError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise broken(path, f"no valid table ({error})") from error
    return _with_columns(frame, path, columns)


def read_parquet(path: Path, columns: Sequence[str] = (), only: bool = False) -> pd.DataFrame:
    """A table that has `columns`; `only` reads no others. Raises :class:`RecordError`."""
    if not path.exists():
        raise broken(path, "the file is missing")
    try:
        frame = pd.read_parquet(path, columns=list(columns) if only else None)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid, also of an absent column, is a ValueError
        raise broken(path, f"no valid parquet file ({error})") from error
    return _with_columns(frame, path, columns)


def _with_columns(frame: pd.DataFrame, path: Path, columns: Sequence[str]) -> pd.DataFrame:
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise broken(path, f"it lacks the columns {', '.join(absent)}")
    return frame
