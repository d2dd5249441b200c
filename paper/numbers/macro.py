"""A value under a key, and the file of LaTeX that has them all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Macro:
    """A value under a key; `value` is a bool for flags. `source` names the CSV row."""

    key: str
    value: str | bool
    source: str

    def __str__(self) -> str:
        # These characters mean something else to TeX, even inside a name.
        key = re.sub(r"[%#{}\\~^&$]", "", self.key)
        line = rf"\flagis{{{key}}}{{{str(self.value).lower()}}}"
        if isinstance(self.value, str):
            line = rf"\resultis{{{key}}}{{{self.value}}}"
        return f"% {self.source}\n{line}"


def document(made: Sequence[Macro]) -> str:
    """The macros as a file of LaTeX.

    Raises:
        ValueError: a key stands twice.
    """
    keys = [macro.key for macro in made]
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise ValueError(f"keys that stand twice: {', '.join(twice)}")
    return "% Written by python -m paper.numbers. A comment names the row that the next line comes from.\n" + "".join(
        f"{macro}\n" for macro in made
    )
