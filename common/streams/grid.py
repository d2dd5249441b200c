"""Stream inputs of a language model: from the numbers of words or prefixes on a token grid to pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from common.streams.analyser import PAD
from common.streams.config import StreamConfig
from common.streams.controls import derangement, scatter
from common.streams.tables import StreamTable


class GridStreams:
    """Stream inputs of token grids: from numbers of words (or prefixes) to what the secondary encoders read.

    Args:
        streams: configs of all secondary streams.
        tables: label -> table, from :func:`build_tables`.
        causal: numbers are those of word prefixes, and a position's pieces are for it and those after it.
    """

    def __init__(
        self, streams: Sequence[StreamConfig], tables: Mapping[str, StreamTable], causal: bool = False
    ) -> None:
        self.streams = [stream for stream in streams if stream.kind != "duplicate"]
        self.tables = dict(tables)
        self.causal = causal
        self._shuffles = {
            stream.label: derangement(len(self.tables[stream.label].sounding), stream.seed)
            for stream in self.streams
            if stream.control == "shuffled"
        }

    def rows(self, stream: StreamConfig, numbers: np.ndarray, places: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        """Rows of the stream's table ``[B, T]``, controls applied.

        Args:
            numbers: number of each token's word or prefix, 0 for none ``[B, T]``.
            places: where in the corpus that word begins, or the token stands: what `noise` depends on ``[B, T]``.
            hidden: True at tokens of masked words ``[B, T]``.
        """
        table, rows = self.tables[stream.label], numbers
        if stream.control != "none":
            # A control speaks where the stream speaks, and is silent where it is.
            order = np.append(0, table.sounding)  # place among those with pieces, from 1 on -> number
            place = np.searchsorted(table.sounding, numbers, side="right")
            place = np.where(order[place] == numbers, place, 0)
            if stream.control == "shuffled":
                place = self._shuffles[stream.label][place]
            else:
                place = np.where(place > 0, 1 + scatter(places, stream.seed) % max(1, len(table.sounding)), 0)
            rows = order[place]
        return np.where(hidden, table.mask_row, rows)

    def batch(
        self, numbers: np.ndarray, starts: np.ndarray, places: np.ndarray, hidden: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Per stream ``{s}_pieces [U, P]`` and ``{s}_index [B, T]`` (alignment word), or ``{s}_sequence [B, S]``
        (alignment attention; causal also ``{s}_owner [B, S]``), as int64; see ``StreamProcessor.collate``.

        Args:
            starts: True where a word begins ``[B, T]``; a word cut off at the left edge begins there.
        """
        hidden = np.zeros(numbers.shape, dtype=bool) if hidden is None else hidden
        found: dict[str, np.ndarray] = {}
        for stream in self.streams:
            rows, table = self.rows(stream, numbers, places, hidden), self.tables[stream.label].rows
            if stream.alignment == "word":
                found[f"{stream.label}_pieces"], found[f"{stream.label}_index"] = gather_pieces(rows, table)
            elif self.causal:
                found[f"{stream.label}_sequence"], found[f"{stream.label}_owner"] = owned_pieces(rows, table)
            else:
                found[f"{stream.label}_sequence"] = sequences(rows, starts, table)
        return found


def gather_pieces(rows: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows ``[B, T]`` to the pieces of the distinct ones ``[U, P]``, row 0 first, and their places ``[B, T]``."""
    distinct, index = np.unique(np.append(rows.ravel(), 0), return_inverse=True)
    pieces = np.asarray(table[distinct])
    longest = max(1, int((pieces != PAD).sum(1).max()))
    return pieces[:, :longest].astype(np.int64), index.reshape(-1)[:-1].reshape(rows.shape)


def sequences(rows: np.ndarray, starts: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Pieces of all words of each text, one after the other ``[B, S]``."""
    first = starts.copy()
    first[:, 0] |= rows[:, 0] != 0
    flat = [np.asarray(table[row[begin]]).ravel() for row, begin in zip(rows, first, strict=True)]
    kept = [row[row != PAD] for row in flat]
    out = np.full((len(kept), max(1, *(len(row) for row in kept))), PAD, dtype=np.int64)
    for place, row in enumerate(kept):
        out[place, : len(row)] = row
    return out


def owned_pieces(rows: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of every token's prefix, one token after the other ``[B, P]``, and the token of each ``[B, P]``."""
    pieces = np.asarray(table[rows.ravel()]).reshape(*rows.shape, -1)  # [B, T, M]
    there = pieces != PAD
    counts = there.sum((1, 2))
    sequence = np.full((len(rows), max(1, int(counts.max()))), PAD, dtype=np.int64)
    owner = np.zeros_like(sequence)
    filled = np.arange(sequence.shape[1]) < counts[:, None]
    sequence[filled] = pieces[there]
    owner[filled] = np.nonzero(there)[1]
    return sequence, owner
