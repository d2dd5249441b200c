"""What all domains together and tables 6 to 9 answer, in a few rows and sentences that their numbers choose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from results.best import MARK, WORSE
from results.kinds import SIGNIFICANT
from results.reader import where
from results.render import (
    MARKDOWN_MARKS,
    MISSING,
    SCORE,
    SENTIMENT,
    interval,
    markdown_table,
    marked,
    p_value,
    spread,
    written,
)
from results.table6_universality.configs import FUSIONS, REFERENCE, SHUFFLED
from results.table6_universality.make import DOMAIN_COLUMNS, OVERALL_COLUMNS
from results.table7_transfer.configs import EQUAL, LEARNT, RANDOM, TRANSFER
from results.table7_transfer.make import score_cell
from results.table8_robustness.configs import KINDS
from results.table_rows import RESULTS
from results.tables import BASELINE as BACKBONE

DOMAINS = 4
"""Least number of domains of a rule that the README shows; below, one domain says too much."""
SHOWN = (
    "variant", "domains", "mean rank", "rank of dm there", "rank by task", "of dm there", "first %", "normalised, IQM",
    "beats shuffled in",
)  # fmt: skip
OURS = ("dm", "dm_linear", "li")
"""The rules under study."""
NOISY = (BACKBONE, "dm", "li")
"""Rows of table 8 that the README has room for."""
STARTS = ("dm", "dm_equal", "li")
"""DM from the plain backbone and from equal weights, and LI."""
BESIDE = ("dm_nudged", "dm[phonetic]")
"""Beside them, where they have runs: DM from near the plain backbone, and the sound alone."""
HERE, THERE = {"difference": "those learnt here"}, {"to_random": "random ones"}
"""Column of table 7 -> what it compares with."""
NOTHING = "No finished run yet."


def overview(
    path: Path = RESULTS / "table6_universality" / "table.csv", shown: Callable[[str], bool] = lambda domain: True
) -> str:
    """A row per domain: the reference alone, the shuffled control, the best fusion of today, DM, DM-linear and LI.

    Args:
        path: the CSV of table 6.
        shown: whether a domain has a row.
    """
    if not path.exists():
        return NOTHING
    rows = []
    for section, part in pd.read_csv(path).groupby("section", sort=False):
        if not shown(str(section)):
            continue
        cells = {str(row["variant"]): _cell(row) for row in part.to_dict("records")}
        fusions = part.loc[part["variant"].isin(FUSIONS)].sort_values("score_mean", ascending=False)
        best = str(fusions["variant"].iloc[0]) if len(fusions) else ""
        named = f"{best}: {cells[best]}" if best else MISSING
        counts = part.loc[part["variant"].isin([*OURS, best, REFERENCE, SHUFFLED]), "seeds"]
        seeds = " to ".join(dict.fromkeys(str(count) for count in (counts.min(), counts.max())))
        first, control, *ours = (cells.get(name, MISSING) for name in (REFERENCE, SHUFFLED, *OURS))
        rows.append([str(section), str(part["score"].iloc[0]), seeds, first, control, named, *ours])
    if not rows:
        return NOTHING
    header = ["domain", "score", "seeds", "reference alone", "shuffled streams", "best other fusion", *OURS]
    return markdown_table(pd.DataFrame(rows, columns=pd.Index(header)))


def universality(folder: Path = RESULTS / "table6_universality") -> str:
    """The rules that have runs in :data:`DOMAINS` domains or more, and whether any is best in all."""
    path = folder / "overall" / "table.csv"
    if not path.exists():
        return NOTHING
    overall, domains = pd.read_csv(path), pd.read_csv(folder / "table.csv")
    shown = overall.loc[overall["domains"] >= DOMAINS]
    count, tested = domains["section"].nunique(), shown.loc[shown["tested"] > 0]
    first = domains.loc[domains["rank"] == domains.groupby("section")["rank"].transform("min")]
    wins = first.groupby("variant")["section"].nunique().sort_values(ascending=False, kind="stable")
    most = f"{wins.index[0]} has the largest gain in {wins.iloc[0]} of {count} domains{_rivals(domains, first, wins)}"
    beaten = "; ".join(f"{row['variant']} in {row['beats']} of {row['tested']}" for row in tested.to_dict("records"))
    said = [
        f"No rule is best everywhere; {most}." if wins.iloc[0] < count else f"{most}.",
        _told_apart(domains, first),
        f"Shown to beat shuffled streams (the rule itself on them where it has such runs, else DM): {beaten}."
        if beaten
        else "No rule was tested against shuffled streams with more than one seed.",
        f"Shown to be behind the best row of a domain: {_behind(domains)}.",
    ]
    table = markdown_table(written(shown, OVERALL_COLUMNS).loc[:, list(SHOWN)])
    return f"{table}\n\n{' '.join(said)}"


def _told_apart(domains: pd.DataFrame, first: pd.DataFrame) -> str:
    """Who is first where that is more than luck."""
    count = domains.loc[domains["told_apart"], "section"].nunique()
    wins = first.loc[first["told_apart"]].groupby("variant")["section"].nunique().sort_values(kind="stable")[::-1]
    named = ", ".join(f"{rule} in {times}" for rule, times in wins.items())
    return (
        f"Only in {count} domains is some rule shown to be better than the reference (or, without one, to differ from "
        f"dm); the largest gain there: {named or 'none'}."
    )


def _behind(domains: pd.DataFrame) -> str:
    """Of each rule under study the domains in which its row, of two seeds or more, is worse than the best."""
    worse = domains.loc[(domains[MARK] == WORSE) & (domains["seeds"] > 1)]
    said = {name: list(where(worse, variant=name)["section"]) for name in OURS if name in set(domains["variant"])}
    named = {name: f" ({'; '.join(found)})" if found else "" for name, found in said.items()}
    return ", ".join(f"{name} in {len(found) or 'none'}{named[name]}" for name, found in said.items())


def _rivals(domains: pd.DataFrame, first: pd.DataFrame, wins: pd.Series) -> str:
    """How many other fusions stood beside the rule that is first most often, where it is."""
    places = where(first, variant=str(wins.index[0]))["section"]
    fusions = domains.loc[domains["variant"].isin(FUSIONS)].groupby("section")["variant"].nunique()
    counts = Counter(int(fusions.get(place, 0)) for place in places)
    told = "; ".join(f"{count or 'none'} in {times}" for count, times in sorted(counts.items()))
    return f" (other fusions that were run there: {told})"


def transfer(path: Path = RESULTS / "table7_transfer" / "table.csv") -> str:
    """A row per direction: weights learnt elsewhere and frozen, against learnt here and against random ones."""
    if not path.exists():
        return NOTHING
    rows, said, alike = [], [], []
    for section, part in pd.read_csv(path).groupby("section", sort=False):
        arms = {row["variant"]: row for row in part.to_dict("records")}
        if TRANSFER not in arms:
            continue
        moved = arms[TRANSFER]
        scores = [
            score_cell(arms[name]) if name in arms else MISSING for name in (REFERENCE, LEARNT, TRANSFER, RANDOM, EQUAL)
        ]
        gaps = [_gap(moved, column) for column in ("difference", "to_random")]
        rows.append([str(section), *scores, *gaps])
        direction = str(section).split(":")[0]
        said.append(f"{direction}: {_verdict(moved)}")
        if EQUAL in arms:
            alike.append(f"{direction}: {_verdict(arms[EQUAL], HERE)} ({_gap(arms[EQUAL], 'difference')})")
    if not rows:
        return NOTHING
    header = ["direction", REFERENCE, LEARNT, TRANSFER, RANDOM, EQUAL, "Δ to learnt, p Holm", "Δ to random, p Holm"]
    table = markdown_table(pd.DataFrame(rows, columns=pd.Index(header)))
    frozen = f" Equal weights, frozen, {'; '.join(alike)}." if alike else ""
    return f"{table}\n\nWeights learnt elsewhere, {'; '.join(said)}.{frozen}"


def robustness(path: Path = RESULTS / "table8_robustness" / "table.csv") -> str:
    """Accuracy at the highest rate of each kind of noise, and which rows differ from the reference alone."""
    if not path.exists():
        return NOTHING
    frame = pd.read_csv(path)
    rows = []
    for key, part in frame.groupby(["setting", "kind"], sort=False):
        setting, kind = map(str, key)  # pyright: ignore[reportArgumentType]
        rate = part["rate"].max()
        here = {row["variant"]: row for row in where(part, rate=rate).to_dict("records")}
        cells = [spread(100 * row["accuracy_mean"], 100 * row["accuracy_std"]) for row in map(here.__getitem__, NOISY)]
        clean = f"{100 * here[NOISY[0]]['clean_mean']:.2f}"
        texts = here[NOISY[0]]
        changed = f"{texts['changed'] / texts['words']:.0%} of {texts['words']:,.0f}".replace("%", " %")
        rows.append([f"{setting}: {KINDS.get(kind, kind)}", changed, clean, *cells])
    header = ["noise", "words changed", f"{NOISY[0]} clean %", *(f"{name} %" for name in NOISY)]
    compared = frame.loc[frame["difference_p_holm"].notna()]
    differ = compared.loc[compared["difference_p_holm"] < SIGNIFICANT]
    named = "; ".join(f"{row['variant']} on {row['section']}" for row in differ.to_dict("records"))
    seeds = frame.loc[frame["seeds"] > 0, "seeds"]
    said = (
        f"Significant among {len(compared)} comparisons with {NOISY[0]} on the same noisy texts, corrected within each "
        f"kind of noise: "
        f"{named or 'none'}. Seeds per row: {' to '.join(dict.fromkeys(str(n) for n in (seeds.min(), seeds.max())))}."
    )
    return f"{markdown_table(pd.DataFrame(rows, columns=pd.Index(header)))}\n\n{said}"


def starts(path: Path = RESULTS / "table1_sentiment" / "table.csv") -> str:
    """A row per text dataset on which DM was trained from either start, and whether that let it beat the backbone."""
    if not path.exists():
        return NOTHING
    frame = pd.read_csv(path)
    rows, said = [], []
    for section, part in frame.loc[frame["seeds"] > 0].groupby("section", sort=False):
        text = marked(written(part, SENTIMENT), part, SCORE, MARKDOWN_MARKS).set_index(part["variant"])
        if not {BACKBONE, *STARTS} <= set(text.index):
            continue
        seeds = sorted(set(part.loc[part["variant"].isin([BACKBONE, *STARTS]), "seeds"]))
        cells = [str(text[SCORE].get(name, MISSING)) for name in (BACKBONE, *STARTS, *BESIDE)]
        rows.append([str(section), " to ".join(str(count) for count in (seeds[0], seeds[-1])[: len(seeds)]), *cells])
        above = part.loc[(part["difference"] > 0) & (part["difference_p_holm"] < SIGNIFICANT), "variant"]
        said.append(f"{section}: {', '.join(name for name in (*STARTS, *BESIDE) if name in set(above)) or 'none'}")
    if not rows:
        return NOTHING
    table = markdown_table(pd.DataFrame(rows, columns=pd.Index(["accuracy %", "seeds", BACKBONE, *STARTS, *BESIDE])))
    return f"{table}\n\nShown to beat {BACKBONE} after Holm's correction — {'; '.join(said)}."


def _cell(row: Mapping[Any, Any]) -> str:
    """The score of a row of table 6, with its mark."""
    return MARKDOWN_MARKS.get(str(row[MARK]), "{}").format(DOMAIN_COLUMNS["score"](dict(row)))


def _gap(row: dict[str, float], column: str) -> str:
    gap, low, high = (row["scale"] * row[f"{column}{end}"] for end in ("", "_low", "_high"))
    return f"{interval(gap, low, high, int(row['digits']))}, {p_value(row[f'{column}_p_holm'])}"


def _verdict(moved: dict[str, float], against: Mapping[str, str] = HERE | THERE) -> str:
    """What the comparisons say."""
    words = []
    for column, other in against.items():
        gap, p = moved[column], moved[f"{column}_p_holm"]
        if pd.isna(p):
            words.append(f"not compared with {other}")
        elif p >= SIGNIFICANT:
            words.append(f"no significant difference to {other}")
        else:
            words.append(f"{'better' if gap > 0 else 'worse'} than {other}")
    return ", ".join(words)
