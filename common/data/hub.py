"""Datasets of the Hugging Face hub, or of its local cache when there is no network (HF_HUB_OFFLINE=1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.data.text import DataError, TextSplit


def load_from_hub(repository: str, *configuration: str, advice: str, name: str = "", **options: Any) -> Any:
    """``datasets.load_dataset``, with one error for all the ways in which a dataset cannot be had.

    Args:
        configuration: a configuration of the dataset, where it has several.
        advice: what the user can do instead, closing the error message.
        name: the dataset in the message; default `repository`.
        options: passed on.

    Raises:
        DataError: when neither the hub nor the cache has it.
    """
    import datasets  # slow to import, and only needed here

    try:
        return datasets.load_dataset(repository, *configuration, **options)
    except Exception as error:  # the library raises a dozen types, all meaning "cannot be had"
        reason = str(error).split("\n")[0][:200]
        raise DataError(
            f"{name or repository} is neither in the local cache nor to be had from the Hugging Face hub "
            f"({type(error).__name__}: {reason}). Connect once, or {advice}"
        ) from error


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
    found: dict[str, TextSplit] = {}
    names: Sequence[str] = ()
    for ours, theirs in splits.items():
        rows = load_from_hub(
            repository, advice=advice, name=f"{repository} ({theirs})", split=theirs, revision=revision
        )
        absent = [column for column in columns if column not in rows.column_names]
        if absent:
            raise DataError(f"{repository} has no column {absent[0]!r}, only {rows.column_names}; {advice}")
        names = getattr(rows.features[columns[1]], "names", None) or names
        found[ours] = TextSplit(tuple(rows[columns[0]]), tuple(int(label) for label in rows[columns[1]]))
    return found, tuple(names), f"Hugging Face hub or its local cache: {repository}"
