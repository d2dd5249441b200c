"""Words tinted by how much a stream contributed, for the terminal and for pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.text import Text

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#666666")
"""Colour-blind-safe palette (Okabe & Ito 2008), one colour per stream."""


def tinted_row(stream: str, words: Sequence[str], shares: np.ndarray, colour: str, gap: str = " ") -> Text:
    """One line: the stream's name, its words on a background as strong as their share ``[W]``, and the mean.

    A word whose share is NaN is dimmed.
    """
    row = Text(f"{stream:>14} ", style=colour)
    for word, value in zip(words, shares, strict=True):
        ink = "white" if value > 0.5 else "black"
        row.append(word, style="dim" if np.isnan(value) else f"{ink} on {mix(colour, value)}").append(gap)
    mean = "no words" if np.isnan(shares).all() else f"mean {np.nanmean(shares):.2f}"
    return row.append(f"  {mean}", style="dim")


def mix(colour: str, share: float) -> str:
    """`colour` on white, as opaque as `share`."""
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - channel)):02x}" for channel in channels)
