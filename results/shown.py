"""What ``python -m results`` prints: tables on a terminal, else a line per row with tabs between the cells."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from results.diff.changes import HOLM, Correction
from results.render import MISSING, interval, number, p_value
from results.states import State
from results.terminal import print_text


def say(text: str) -> None:
    """A line."""
    print(text, flush=True)


def show(frame: pd.DataFrame, title: str) -> None:
    """A frame of text; on a terminal a table for each setting, where it has settings."""
    console = Console()
    if console.is_terminal:
        if "setting" not in frame:
            print_text(frame, title, console=console)
            return
        say(f"{title}:")
        for setting, part in frame.groupby("setting", sort=False):
            print_text(part.drop(columns="setting"), str(setting), console=console)
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


def show_groups(frame: pd.DataFrame, correction: Correction = HOLM) -> None:
    """The comparison of :func:`results.diff.changes.group_frame`, and which differences are significant."""
    compared = frame.loc[frame["p"].notna()]
    differing = compared.loc[~compared["same"]]
    rows = [
        (
            row["setting"], row["variant"], row["seeds"], f"{row['examples']:,}", row["metric"],
            interval(row["difference"], row["low"], row["high"], 3), p_value(row["p"]), p_value(row["p_corrected"]),
            f"{row['detectable']:.3f}",
        )
        for row in differing.to_dict("records")
    ]  # fmt: skip
    columns = ["setting", "variant", "seeds", "examples", "metric", "B − A [95 % CI]", "p", correction.header]
    if rows:
        show(pd.DataFrame(rows, columns=pd.Index([*columns, "detectable"])), "variants that differ on some example")
    for row in frame.loc[frame["why"] != ""].to_dict("records"):
        say(f"{row['setting']}: {row['variant']}: not compared by example: {row['why']}")
    say(f"{len(compared)} variants compared by example, {len(compared) - len(differing)} the same on every one")
    significant = compared.loc[compared["significant"]]
    for row in significant.to_dict("records"):
        say(f"significant: {row['setting']}: {row['variant']}: B is {'better' if row['better'] else 'worse'}")
    if significant.empty:
        say(f"no difference is significant after {correction.called}")


def show_seeds(frame: pd.DataFrame, correction: Correction, test: str) -> None:
    """The comparison of :func:`results.diff.detail.seed_frame`.

    Args:
        test: name of the test.
    """
    if frame.empty:
        return
    known = frame.loc[frame["p"].notna()]
    rows = [
        (
            row["setting"], row["variant"], row["seeds"], row["metric"],
            interval(row["difference"], row["low"], row["high"], 3), p_value(row["p"]), p_value(row["p_corrected"]),
            interval(row["g"], row["g_low"], row["g_high"]), number(row["superior"], 2), number(row["detectable"], 3),
            _count(row["needed"]), _count(row["needed_elsewhere"]),
        )
        for row in known.to_dict("records")
    ]  # fmt: skip
    columns = [
        "setting", "variant", "seeds", "metric", "B − A [95 % CI]", f"p {test}", correction.header,
        "Hedges' g [95 % CI]", "P(B better)", "detectable", "seeds needed", "new examples",
    ]  # fmt: skip
    if rows:
        show(pd.DataFrame(rows, columns=pd.Index(columns)), "over seeds")
        say(
            "detectable, seeds needed: with a power of 80 %, corrected for the number of rows; seeds needed if the "
            "observed difference is the true one, on these test examples and on new examples (∞: too few examples)"
        )
    for why, part in frame.loc[frame["why"] != ""].groupby("why", sort=False):
        for setting, variants in part.groupby("setting", sort=False)["variant"]:
            say(f"{setting}: no test over seeds of {', '.join(variants)}: {why}")


def show_answers(frame: pd.DataFrame, correction: Correction) -> None:
    """The comparison of :func:`results.diff.detail.answer_frame`."""
    rows = [
        (
            row["setting"], row["variant"], row["seed"], f"{row['examples']:,}", f"{row['only_first']:,}",
            f"{row['only_second']:,}", f"{row['odds']:.2f} [{row['low']:.2f}, {row['high']:.2f}]".replace("inf", "∞"),
            p_value(row["p"]), p_value(row["p_corrected"]),
        )
        for row in frame.to_dict("records")
    ]  # fmt: skip
    columns = [
        "setting", "variant", "seed", "examples", "only A", "only B", "odds of B [95 % CI]", "p McNemar",
        correction.header,
    ]  # fmt: skip
    if rows:
        show(pd.DataFrame(rows, columns=pd.Index(columns)), "right and wrong answers, run by run")
        say("only A, only B: test examples that this side alone has right")


def show_overall(frame: pd.DataFrame) -> None:
    """The comparison of :func:`results.diff.detail.overall_frame`, a line per metric."""
    for row in frame.to_dict("records"):
        gap = interval(row["difference"], row["low"], row["high"], 3)
        say(
            f"{row['metric']}, interquartile mean of B − A [95 % CI] over {row['pairs']} variants with {row['seeds']} "
            f"seeds: {gap}"
        )


def _count(value: float) -> str:
    if math.isnan(value):
        return MISSING
    return f"{int(value):,}" if math.isfinite(value) else "∞"
