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
from results.render import HEADERS, INTERVAL, MISSING, written
from results.style import paper_style, save

NARROW = ("variant", "seeds", "accuracy %", "Δ points", "p Holm", "params M", "step ms")
"""Columns that a narrow terminal has room for."""
WIDE = 150
"""Characters that all columns need."""


def print_table(frame: pd.DataFrame, captions: Mapping[str, str] | None = None, console: Console | None = None) -> None:
    """Print every section of `frame` (see :class:`results.tables.Row`). Empty columns are left out, and
    on a narrow terminal all but the most telling."""
    console = Console() if console is None else console
    for section, part in frame.groupby("section", sort=False):
        text = written(part)
        text["Δ points"] = [interval.split(" [")[0] for interval in text[INTERVAL]]
        wanted = HEADERS if console.width >= WIDE else NARROW
        text = text.loc[:, [name for name in wanted if (text[name] != MISSING).any()]]
        caption = (captions or {}).get(str(section))
        print_text(text, str(section), caption, console)


def print_text(text: pd.DataFrame, title: str, caption: str | None = None, console: Console | None = None) -> None:
    """Print a frame of strings as a table."""
    # Text, not str: rich would take the brackets of dm[phonetic] for markup.
    table = Table(
        title=Text(title),
        caption=Text(caption) if caption else None,
        caption_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for place, name in enumerate(text.columns):
        table.add_column(Text(name), justify="right" if place else "left", overflow="fold")
    for row in text.itertuples(index=False):
        table.add_row(*map(Text, row))
    (Console() if console is None else console).print(table)


def quick_figure(runs: Sequence[Run], path: Path) -> Path | None:
    """α and contribution by site and stream of all variants in `runs`, as PNG and PDF.

    Returns:
        the PNG's path, or None when no run integrates more than one stream.
    """
    with paper_style():
        figure = alpha_by_site(runs)
        return None if figure is None else save(figure, Path(path))[1]
