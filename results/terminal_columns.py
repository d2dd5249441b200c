"""How the columns of a wide table are laid out on a narrow terminal: in blocks under one another, cells unbroken."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.cells import cell_len

GAP = 3
"""Characters between two columns."""
UNBROKEN = 26
"""Cells up to this long stay on one line: numbers with their intervals, names. Longer ones are prose, and wrap."""
Block = dict[str, int]
"""Column -> its width."""


def column_blocks(text: pd.DataFrame, room: int) -> list[Block]:
    """The columns of `text` in blocks that are at most `room` wide each; every block begins with the first column.

    Headers wrap at spaces before a block is begun. Only what cannot fit at all is left to be folded.
    """
    first, *others = text.columns
    narrow = {name: _narrow(text, name) for name in text.columns}
    parts: list[list[str]] = [[first]]
    for name in others:
        if len(parts[-1]) > 1 and _total([narrow[one] for one in (*parts[-1], name)]) > room:
            parts.append([first])
        parts[-1].append(name)
    return [_spread({name: narrow[name] for name in part}, text, room) for part in parts]


def _narrow(text: pd.DataFrame, name: str) -> int:
    """The least width of a column at which no number is broken."""
    cells = max((cell_len(cell) for cell in text[name]), default=0)
    words = [cell_len(word) for line in (name, *(text[name] if cells > UNBROKEN else ())) for word in line.split()]
    return max([*words, 1, min(cells, UNBROKEN)])


def _spread(widths: Block, text: pd.DataFrame, room: int) -> Block:
    """`widths` with the room that is left, small wishes first; the last column gives way where there is too little."""
    wishes = {name: max(map(cell_len, (name, *text[name]))) - width for name, width in widths.items()}
    spare = room - _total(list(widths.values()))
    widths = dict(widths)
    for name in sorted(widths, key=lambda name: wishes[name]):
        given = max(0, min(wishes[name], spare))
        widths[name] += given
        spare -= given
    last = list(widths)[-1]
    widths[last] = max(1, widths[last] + min(0, spare))
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)
