"""What table 5 says on how to read α, in words that its numbers choose."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from results.kinds import SIGNIFICANT
from results.render import MISSING, interval, markdown_table, number, written
from results.table5_alpha_validity.configs import CONDITIONS, CONSTRAINED, DRAWN, EQUAL, MEASURES, SCOPES
from results.table5_alpha_validity.make import columns_of
from results.table5_alpha_validity.rows import STATISTICS
from results.table5_alpha_validity.tenths import STATISTICS as SLOPES

TABLE = Path(__file__).with_name("table.csv")
CHANGES = "conditions/table.csv"
"""Of the table that belongs to :data:`TABLE`."""
TENTHS = "tenths/table.csv"
"""Likewise: how measures follow a share in steps of 10 %."""
FREE = "dm_equal"
"""DM from equal weights without a constraint."""
INSIDE = ("alpha", "effective", "contribution", "projection", "gradient")
"""Measures that are read off the model as it is."""


def reading(path: Path = TABLE) -> str:
    """Rank correlations of the main rows as a Markdown table, and what follows; a note where there is no run."""
    if not path.exists():
        return "No finished run yet."
    frame = pd.read_csv(path)
    overall, together = (_part(frame, scope) for scope in ("all", "synergistic"))
    alike = _part(frame, "redundant", "calibration_error")
    shown = overall.loc[overall["variant"].isin([*DRAWN, EQUAL])]
    columns = {title: cell for title, cell in columns_of().items() if title != "accuracy %"}
    parts = [
        f"Rank correlation of planted and measured shares, all settings:\n\n{markdown_table(written(shown, columns))}"
    ]
    rows = overall.loc[overall["variant"] != EQUAL]
    said = _advice(rows, together.loc[together["variant"] != EQUAL], _chance(overall))
    others = [*_redundancy(alike), *tenths_said(path.parent / TENTHS), *conditions_said(path.parent / CHANGES)]
    others += _from_equal(overall)
    return "\n\n".join([*parts, *said, *others])


def _part(frame: pd.DataFrame, scope: str, statistic: str = "spearman") -> pd.DataFrame:
    return frame.loc[frame["section"] == f"{STATISTICS[statistic]}, {SCOPES[scope]}"]


def _chance(overall: pd.DataFrame) -> str:
    value = overall.loc[overall["variant"] == EQUAL, "alpha_mean"]
    return f"{value.iloc[0]:.2f}" if len(value) else MISSING


def _advice(rows: pd.DataFrame, together: pd.DataFrame, chance: str) -> list[str]:
    """Sentences that hold for every row of the table, or say that they do not."""
    taken = [name for name in INSIDE if rows[f"{name}_mean"].notna().any()]
    worse = [name for name in taken if (rows[f"{name}_mean"].dropna() < rows["leave_one_out_mean"].min()).all()]
    alpha, removed = _span(rows, "alpha"), _span(rows, "leave_one_out")
    said = [
        f"Over all {len(rows)} variants of the table |α| has {alpha}; to say that all streams matter alike has "
        f"{chance}, since settings have two to five streams. Leaving a stream out has {removed}."
    ]
    if worse == taken:
        others = _listed([MEASURES[name] for name in taken[1:]])
        said.append(
            f"**So:** read α as a part of the model, not as what a stream is worth; the same goes for {others}. "
            "Over all settings together, what a stream is worth is told better by taking it out, in every row."
        )
    elif worse:
        named = _listed([MEASURES[name] for name in worse])
        said.append(f"**So:** take streams out rather than read {named}, which rank them worse in every row.")
        said[-1] += "".join(_excepted(rows, name) for name in taken if name not in worse)
    else:
        said.append("**So:** no measure is worse than leaving streams out in every row; it depends on the rule.")
    if (together["shapley_mean"] > together["leave_one_out_mean"]).mean() > 0.5:
        spans = _span(together, "leave_one_out"), _span(together, "shapley")
        said[-1] += (
            f" Where only several streams together tell ({_size(together)}), leave-one-out has {spans[0]} and Shapley "
            f"values {spans[1]}: take Shapley values there."
        )
    return said


def _excepted(rows: pd.DataFrame, measure: str) -> str:
    """That a measure is worse but for some rows; empty where it is in fewer than half."""
    known = rows.dropna(subset=[f"{measure}_mean"])
    level = known.loc[known[f"{measure}_mean"] >= rows["leave_one_out_mean"].min(), "variant"]
    if 2 * len(level) > len(known):
        return ""
    title = MEASURES[measure]
    return f" {title[0].upper()}{title[1:]} does too but for {_listed([f'`{name}`' for name in level])}."


def _redundancy(alike: pd.DataFrame) -> list[str]:
    """Where several streams tell the same, taking out one of them may change nothing; said where the errors show it."""
    rows, equal = alike.loc[alike["variant"] != EQUAL], alike.loc[alike["variant"] == EQUAL, "alpha_mean"]
    if rows.empty or equal.empty or not (rows["leave_one_out_mean"] > equal.iloc[0]).all():
        return []
    spans = _span(rows, "leave_one_out"), _span(rows, "shapley")
    return [
        f"Where several streams tell the same ({_size(rows)}), leave-one-out misleads: its shares are off by "
        f"{spans[0]} in the mean, to call all streams equal by {equal.iloc[0]:.2f}, and Shapley values by {spans[1]}. "
        "What is planted is itself a Shapley value."
    ]


def _size(rows: pd.DataFrame) -> str:
    return f"{rows['settings'].max():.0f} settings, {rows['streams'].max():.0f} streams together"


def conditions_said(path: Path) -> list[str]:
    """Which of scaling, constraint and learning rate of α change the rank correlation of |α| and contribution."""
    if not path.exists():
        return []
    frame = pd.read_csv(path)
    said = []
    for measure in ("alpha", "contribution"):
        shown = frame.loc[frame[f"{measure}_p_holm"] < SIGNIFICANT]
        changes = []
        for row in shown.to_dict("records"):
            change = interval(row[measure], row[f"{measure}_low"], row[f"{measure}_high"])
            changes.append(f"{CONDITIONS[row['variant']]} ({change} over {row['rules']} rules)")
        said.append(f"- {MEASURES[measure]}: {_listed(changes) or 'none'}.")
    return [
        "Conditions of which a change in rank correlation is shown, against the same rules with scaling to the "
        "reference, α without a constraint and its learning rate × 5:",
        "\n".join(said),
    ]


def _from_equal(overall: pd.DataFrame) -> list[str]:
    """|α| under constraints that start where they need not begin at their bounds; empty without such runs."""
    known = overall.set_index("variant")["alpha_mean"].dropna()
    if not {FREE, *CONSTRAINED} <= set(known.index):
        return []
    softmax, sigmoid, free = (number(known[name], 2) for name in (*CONSTRAINED, FREE))
    return [
        "A softmax or sigmoid can only come near the weights at which the plain backbone is preserved, and is flat "
        "there: their changes are those of the constraint and of this start. From equal weights, where neither need "
        f"begin at its bounds, |α| has {softmax} under a softmax, {sigmoid} under a sigmoid and {free} free."
    ]


def tenths_said(path: Path) -> list[str]:
    """By how much each measure of DM rises where the share that is unique to a stream rises."""
    if not path.exists():
        return []
    frame = pd.read_csv(path)
    rows = frame.loc[(frame["section"] == f"{SLOPES['slope']}, {SCOPES['unique']}") & (frame["variant"] == "dm")]
    if rows.empty:
        return []
    row = rows.iloc[0]
    rises = [
        f"{number(row[f'{name}_mean'], 2)} ({title})"
        for name, title in MEASURES.items()
        if pd.notna(row[f"{name}_mean"])
    ]
    return [
        "Where the share of one of two to five streams rises from 0 to 100 % in steps of 10, its measured share under "
        f"`dm` rises for each point that is planted by {_listed(rises)} (1 is calibrated, 0 is blind; "
        f"{row['seeds']:.0f} seeds; the figure has the curves)."
    ]


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _span(rows: pd.DataFrame, measure: str) -> str:
    known = rows[f"{measure}_mean"].dropna()
    return " to ".join(number(round(value, 2) + 0.0, 2) for value in (known.min(), known.max()))  # not −0.00
