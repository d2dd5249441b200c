"""What the evidence of step 4 says of a picture: what is lost without it, and whether its contribution tells when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from paper.numbers.macro import Macro
from results.render import escaped, number, signed
from results.table_rows import RESULTS

FOLDER = "figure_vision_language"


def picture_macros(results: Path = RESULTS) -> list[Macro]:
    """The macros of all settings below ``figure_vision_language``; none without files."""
    folder = results / FOLDER
    made: list[Macro] = []
    for path in sorted(folder.glob("*-evidence.csv")):
        setting = path.name.removesuffix("-evidence.csv")
        made += _evidence(setting, path)
    for path in sorted(folder.glob("*-agreement.csv")):
        made += _agreement(path.name.removesuffix("-agreement.csv"), path)
    return made


def _evidence(setting: str, path: Path) -> Iterator[Macro]:
    """``<setting>/dm/gain_swapped/colour``: mean of a measure in a group; nats and shares, or points of accuracy."""
    for line, row in enumerate(pd.read_csv(path).to_dict("records"), start=2):
        key = f"{FOLDER}/{setting}/{row['variant']}/{row['measure']}/{row['group']}"
        measure, mean = str(row["measure"]), float(row["mean"])
        digits = 1 if measure.startswith("accuracy") else 2
        text = number(mean, digits) if measure.startswith("contribution") else signed(mean, digits)
        yield Macro(key, escaped(text), f"results/{FOLDER}/{path.name}, line {line} | mean = {mean}")


def _agreement(setting: str, path: Path) -> Iterator[Macro]:
    """``<setting>/dm/agreement/swapped``: rank correlations, lowest to highest seed; ``agrees``: all are positive."""
    frame = pd.read_csv(path)
    for name, part in frame.groupby(frame["variant"] + "/" + frame["change"], sort=False):
        variant, change = str(name).split("/")
        key = f"{FOLDER}/{setting}/{variant}"
        lines = ", ".join(str(line) for line in part.index + 2)
        source = f"results/{FOLDER}/{path.name}, lines {lines} | spearman"
        low, high = (signed(float(value), 2) for value in (part["spearman"].min(), part["spearman"].max()))
        yield Macro(f"{key}/agreement/{change}", escaped(low if low == high else f"{low} to {high}"), source)
        yield Macro(f"{key}/agrees/{change}", bool((part["spearman"] > 0).all()), source)
