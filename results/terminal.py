"""What a user sees at the end of a table's runs: the table itself and one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from results.figure_alpha_sentiment.sites import alpha_by_site
from results.reader import Run
from results.render import HEADERS, INTERVAL, without_empty, written
from results.style import paper_style, save
from results.terminal_columns import column_blocks

NARROW = ("variant", "seeds", "accuracy %", "Δ points", "p Holm", "params M", "step ms")
"""Columns that a narrow terminal has room for."""
WIDE = 150
"""Characters that all columns need."""


def print_table(frame: pd.DataFrame, captions: Mapping[str, str] | None = None, console: Console | None = None) -> None:
    """Print the sections of `frame` (see :class:`results.tables.Row`), on a narrow terminal with fewer columns."""
    console = Console() if console is None else console
    for section, part in frame.groupby("section", sort=False):
        text = written(part)
        text["Δ points"] = [interval.split(" [")[0] for interval in text[INTERVAL]]
        wanted = HEADERS if console.width >= WIDE else NARROW
        print_text(text.loc[:, list(wanted)], str(section), (captions or {}).get(str(section)), console)


def print_text(text: pd.DataFrame, title: str, caption: str | None = None, console: Console | None = None) -> None:
    """Print a frame of strings as a table, in blocks of columns where the terminal is too narrow for all of them.

    Columns without any value are left out.
    """
    console = Console() if console is None else console
    text = without_empty(text)
    for k, widths in enumerate(column_blocks(text, console.width)):
        # Text, not str: rich would take the brackets of dm[phonetic] for markup.
        table = Table(title=None if k else Text(title), box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for name, width in widths.items():
            side = "right" if len(table.columns) else "left"
            table.add_column(Text(name), justify=side, overflow="fold", width=width)
        for row in text.loc[:, list(widths)].itertuples(index=False):
            table.add_row(*map(Text, row))
        if k:
            console.print()
        console.print(table)
    if caption:
        console.print(Text(caption), end="\n\n")


def quick_figure(runs: Sequence[Run], path: Path) -> Path | None:
    """α and contribution by site and stream of all variants in `runs`, as PNG and PDF.

    Returns:
        the PNG's path, or None when no run integrates more than one stream.
    """
    with paper_style():
        figure = alpha_by_site(runs)
        return None if figure is None else save(figure, Path(path))[1]
