"""What table 9 and the figures of step 4 answer about single streams, in rows and a sentence that numbers choose."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from results.answers import NOTHING
from results.figure_alpha_sentiment.ladder import COLUMNS as LADDER_COLUMNS
from results.figure_alpha_sentiment.planted_texts import COLUMNS as GAP_COLUMNS
from results.figure_alpha_sentiment.planted_texts import SHOWN as GAPS
from results.reader import where
from results.render import MISSING, file_stem, markdown_table, number, signed, written
from results.table9_importance.make import COLUMNS as STREAM_COLUMNS
from results.table9_importance.make import VERDICT
from results.table9_importance.rows import ALL, BOTH, NONE, SOME
from results.table_rows import RESULTS
from results.tables import BASELINE as BACKBONE

DOMAINS = RESULTS / "table6_universality" / "table.csv"
JUDGED = ("dm", "dm_equal")
"""Rules of table 9 that the README has room for."""
STREAMS_SHOWN = ("stream", "seeds", "α [95 % CI]", "contribution", "zero", "retrained [95 % CI]", VERDICT)
"""Columns of table 9 that the README has room for."""


def importance(path: Path = RESULTS / "table9_importance" / "table.csv") -> str:
    """What α and everything that could contradict it say of each stream, under DM from two starts."""
    if not path.exists():
        return NOTHING
    frame = pd.read_csv(path)
    shown = where(frame, rule=list(JUDGED))
    text = written(shown, STREAM_COLUMNS).loc[:, list(STREAMS_SHOWN)]
    text.insert(0, "data: rule", list(shown["section"]))
    several = (frame["seeds"] > 1) & frame["verdict"].notna()
    alone = frame.loc[~frame["variant"].isin([BACKBONE, BOTH]) & several, "verdict"]
    agreed, divided, never = ((alone == verdict).sum() for verdict in (ALL, SOME, NONE))
    said = (
        f"Of {len(alone)} secondary streams, over all data and all rules with two seeds or more, {agreed} are shown to "
        f"count by every measure that they have, {divided} by some and {never} by none."
    )
    return f"{markdown_table(text)}\n\n{said}{_heaviest(frame)}"


def _heaviest(frame: pd.DataFrame) -> str:
    """Whether |α| is largest for the one stream that counts, where one does by every measure and the others by none."""
    models, own, wrong = 0, 0, []
    for section, part in frame.loc[(frame["variant"] != BOTH) & frame["alpha_mean"].notna()].groupby(
        "section", sort=False
    ):
        counting = part.loc[part["verdict"] == ALL, "variant"]
        if len(counting) != 1 or (part["verdict"] == NONE).sum() != len(part) - 1:
            continue
        models += 1
        alphas = part.set_index("variant")["alpha_mean"]
        if alphas.abs().idxmax() == counting.iloc[0]:
            own += counting.iloc[0] == BACKBONE
        else:
            each = ", ".join(f"{stream} {number(alpha, 2)}" for stream, alpha in alphas.items())
            wrong.append(f"{section}, where {counting.iloc[0]} counts and α is {each}")
    if not models:
        return ""
    told = f" Not so in {'; '.join(wrong)}." if wrong else ""
    return (
        f" In {models} models with α one stream counts by every measure and the others by none. It has the "
        f"largest |α| in {models - len(wrong)} of them, and in {own} of these it is the backbone's own stream.{told}"
    )


def planted_texts(path: Path = RESULTS / "figure_alpha_sentiment" / "planted" / "table.csv") -> str:
    """A row per generated text and rule: how far the shares by each measure are from the planted ones."""
    if not path.exists():
        return NOTHING
    frame = pd.read_csv(path)
    text = written(frame, GAP_COLUMNS)
    text.insert(0, "texts", list(frame["section"]))
    return markdown_table(text.drop(columns=[GAPS[name] for name in ("effective", "projection")]))


def ladder(path: Path = RESULTS / "figure_alpha_sentiment" / "ladder" / "table.csv") -> str:
    """A row per rule: how measured shares follow a label that moves from meaning to sound."""
    return markdown_table(written(pd.read_csv(path), LADDER_COLUMNS)) if path.exists() else NOTHING


def pictures(folder: Path = RESULTS / "figure_vision_language", domains: Path = DOMAINS) -> str:
    """Whether the contribution of the picture tells when it mattered, by domain and variant.

    Args:
        folder: of the figures, whose files are named after the domains.
        domains: the CSV of table 6, which has the names as they are.
    """
    sections = pd.read_csv(domains)["section"].unique() if domains.exists() else ()
    titles = {file_stem(section): section for section in sections}
    rows: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("*-agreement.csv")):
        frame = where(pd.read_csv(path), change="swapped")
        found = frame.groupby("variant", sort=False)["spearman"].agg(["min", "max", "size"])
        stem = path.name.removesuffix("-agreement.csv")
        rows[titles.get(stem, stem)] = {
            str(name): f"{signed(low, 2)} to {signed(high, 2)} ({size})" if size > 1 else f"{signed(low, 2)} (1)"
            for name, low, high, size in found.itertuples()
        }
    names = list(dict.fromkeys(name for cells in rows.values() for name in cells))
    table = [[setting, *(cells.get(name, MISSING) for name in names)] for setting, cells in rows.items()]
    return markdown_table(pd.DataFrame(table, columns=pd.Index(["domain", *names]))) if rows else NOTHING
