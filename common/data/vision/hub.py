"""Captioned pictures on the Hugging Face hub, or in its local cache; a row is decoded when its picture is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.data.hub import load_from_hub
from common.data.vision.karpathy import SPLIT_OF
from common.data.vision.sample import DataError, ImageError, ImageSource, Sample


@dataclass(frozen=True, eq=False)  # compared by its label, as ImageSource is
class RowImage(ImageSource):
    """The picture in one row of a table whose image column is not decoded: ``{"bytes": ..., "path": ...}``."""

    rows: Any = None
    column: str = "image"
    index: int = 0

    def size(self) -> int:
        """See :class:`ImageSource`; the row is read for it."""
        return len(self.read())

    def open(self) -> Any:
        """See :class:`ImageSource`."""
        return ImageSource(data=self.read(), label=self.label).open()

    def read(self) -> bytes:
        """See :class:`ImageSource`."""
        cell = self.rows[self.index][self.column]
        if not isinstance(cell, Mapping) or not (cell.get("bytes") or cell.get("path")):
            raise ImageError(f"{self.name}: the row holds no picture")
        return cell["bytes"] or ImageSource(cell["path"]).read()


def load_rows(repository: str, revision: str | None, advice: str) -> Mapping[str, Any]:
    """Split on the hub -> table with an undecoded column `image`.

    Raises:
        DataError: when neither the hub nor the cache has it; `advice` says what else to do.
    """
    import datasets  # slow to import, and only needed here

    tables = load_from_hub(repository, advice=advice, revision=revision)
    for split, rows in tables.items():
        if "image" not in rows.column_names:
            raise DataError(f"{repository} ({split}) has no column 'image', only {rows.column_names}; {advice}")
    return {split: rows.cast_column("image", datasets.Image(decode=False)) for split, rows in tables.items()}


def caption_rows(tables: Mapping[str, Any], repository: str) -> dict[str, list[Sample]]:
    """Samples of every split. The captions of a row are a list `caption` (or `captions`), or `caption_0` and so on; its
    split is the column `split` where there is one, else that of the hub.

    Raises:
        DataError: a row without captions, or an unknown split.
    """
    splits: dict[str, list[Sample]] = {"train": [], "validation": [], "test": []}
    for table, rows in tables.items():
        texts = rows.remove_columns("image")  # reading a text must not read its picture
        for index, row in enumerate(texts):
            place = f"{repository} ({table}), row {index}"
            split = SPLIT_OF.get(row.get("split") or table)
            captions = _captions(row)
            if split is None or not captions:
                raise DataError(f"{place}: unknown split or no captions; its columns are {', '.join(row)}")
            image = RowImage(label=place, rows=rows, index=index)
            splits[split].append(Sample(str(row.get("filename") or f"{table}-{index}"), (image,), captions))
    return splits


def _captions(row: Mapping[str, Any]) -> tuple[str, ...]:
    listed = row.get("caption") or row.get("captions")
    if listed is None:
        numbered = [name for name in row if name.startswith("caption_") and name[8:].isdigit()]
        listed = [row[name] for name in sorted(numbered, key=lambda name: int(name[8:]))]
    listed = [listed] if isinstance(listed, str) else listed
    return tuple(text.strip() for text in listed if text and text.strip())
