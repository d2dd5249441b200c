"""What ``python -m results`` prints: tables on a terminal, else a line per row with tabs between the cells."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from results.render import interval, p_value
from results.states import State
from results.terminal import print_text


def say(text: str) -> None:
    """A line."""
    print(text, flush=True)


def show(frame: pd.DataFrame, title: str) -> None:
    """A frame of text."""
    console = Console()
    if console.is_terminal:
        print_text(frame, title, console=console)
        return
    for row in (frame.columns, *frame.itertuples(index=False)):
        say("\t".join(row))


def show_states(states: Sequence[State]) -> None:
    """A row per table or figure: its state, and on what that is based."""
    console = Console()
    if not console.is_terminal:
        rows = [(one.entry.name, one.words, f"{one.found} of {one.wanted}", "; ".join(one.details)) for one in states]
        show(pd.DataFrame(rows, columns=pd.Index(["name", "state", "runs", "what"])), "")
        return
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("name", "state", "runs", "what"):
        table.add_column(name, overflow="fold", ratio=1 if name == "what" else None, no_wrap=name == "name")
    for one in states:
        style = "red" if one.stale else {"complete": "green", "no runs": "dim"}.get(one.words, "yellow")
        # Text, not str: rich would take the brackets of dm[phonetic] for markup.
        cells = [one.entry.name, one.words, f"{one.found} of {one.wanted}", "\n".join(one.details)]
        table.add_row(*(Text(cell, style=style if k == 1 else "") for k, cell in enumerate(cells)))
    console.print(table)


def show_groups(frame: pd.DataFrame) -> None:
    """The comparison of :func:`results.changes.group_frame`, and which differences are significant."""
    compared = frame.loc[frame["p"].notna()]
    differing = compared.loc[~compared["same"]]
    rows = [
        (
            row["setting"], row["variant"], row["seeds"], f"{row['examples']:,}", row["metric"],
            interval(row["difference"], row["low"], row["high"], 3), p_value(row["p"]), p_value(row["p_holm"]),
            f"{row['detectable']:.3f}",
        )
        for row in differing.to_dict("records")
    ]  # fmt: skip
    columns = ["setting", "variant", "seeds", "examples", "metric", "B − A [95 % CI]", "p", "p Holm", "detectable"]
    if rows:
        show(pd.DataFrame(rows, columns=pd.Index(columns)), "variants that differ on some example")
    for row in frame.loc[frame["why"] != ""].to_dict("records"):
        say(f"{row['setting']}: {row['variant']}: not compared by example: {row['why']}")
    say(f"{len(compared)} variants compared by example, {len(compared) - len(differing)} the same on every one")
    significant = compared.loc[compared["significant"]]
    for row in significant.to_dict("records"):
        say(f"significant: {row['setting']}: {row['variant']}: B is {'better' if row['better'] else 'worse'}")
    if significant.empty:
        say("no difference is significant after Holm's correction")
