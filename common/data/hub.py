"""Datasets of the Hugging Face hub, or of its local cache when there is no network (HF_HUB_OFFLINE=1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.data.text import DataError, TextSplit


def load_hub(
    repository: str, splits: Mapping[str, str], columns: tuple[str, str], advice: str, revision: str | None = None
) -> tuple[dict[str, TextSplit], tuple[str, ...], str]:
    """Splits of a hub dataset.

    Args:
        repository: name on the hub, such as ``stanfordnlp/imdb``.
        splits: our split name -> its name on the hub.
        columns: names of the text column and of the label column.
        advice: what the user can do instead, closing the error message.
        revision: git revision on the hub.

    Returns:
        (splits, label names or () when the hub has none, source in words).

    Raises:
        DataError: when neither the hub nor the cache has it, or a column is missing.
    """
    import datasets  # slow to import, and only needed here

    found: dict[str, TextSplit] = {}
    names: Sequence[str] = ()
    for ours, theirs in splits.items():
        try:
            rows: Any = datasets.load_dataset(repository, split=theirs, revision=revision)
        except Exception as error:  # the library raises a dozen types, all meaning "cannot be had"
            reason = str(error).split("\n")[0][:200]
            raise DataError(
                f"{repository} ({theirs}) is neither in the local cache nor to be had from the Hugging Face hub "
                f"({type(error).__name__}: {reason}). Connect once, or {advice}"
            ) from error
        absent = [column for column in columns if column not in rows.column_names]
        if absent:
            raise DataError(f"{repository} has no column {absent[0]!r}, only {rows.column_names}; {advice}")
        names = getattr(rows.features[columns[1]], "names", None) or names
        found[ours] = TextSplit(tuple(rows[columns[0]]), tuple(int(label) for label in rows[columns[1]]))
    return found, tuple(names), f"Hugging Face hub or its local cache: {repository}"
