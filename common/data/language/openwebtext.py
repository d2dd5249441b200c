"""OpenWebText (Gokaslan & Cohen 2019) from the hub, streamed: nothing is downloaded as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from common.data.hub import load_from_hub
from common.data.language.config import CorpusConfig
from common.data.language.sources import Line, Source, Unit, register_source
from common.data.text import DataError

HUB = "Skylion007/openwebtext"
HELD_OUT = 4000
"""Documents each of test and validation, the first of the last shard (it has no splits of its own)."""


def units(config: CorpusConfig) -> list[Unit]:
    if config.path:
        raise DataError("openwebtext is streamed from the hub; for texts on disk take --data.name folder")
    stream = _stream()
    shards = stream.num_shards
    revision = str(stream.info.version or "")
    held = [("test", 0, HELD_OUT), ("validation", HELD_OUT, 2 * HELD_OUT), ("train", 2 * HELD_OUT, None)]
    parts = [("train", shard, 0, None) for shard in range(shards - 1)]
    parts += [(split, shards - 1, first, last) for split, first, last in held]
    return [
        Unit(split, f"{split}-{shard:04d}", config.name, f"{HUB} {revision} {shards} {shard} {first}", {
            "shard": shard, "shards": shards, "first": first, "last": last,
        })
        for split, shard, first, last in parts
    ]  # fmt: skip


def _stream() -> Any:
    return load_from_hub(
        HUB, advice="take --data.name folder with texts of your own", split="train", streaming=True
    )  # fmt: skip


def lines(unit: Unit) -> Iterator[Line]:
    options = unit.options
    stream = _stream().shard(num_shards=options["shards"], index=options["shard"])
    for row in islice(stream, options["first"], options["last"]):
        for number, line in enumerate(row["text"].splitlines(keepends=True)):
            yield Line(line if line.endswith("\n") else line + "\n", number == 0)


register_source("openwebtext", Source(units, lines, {}))
