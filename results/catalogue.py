"""Every table and figure: the step whose runs it shows, and which runs it wants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module

from results.divided import own_runs
from results.figure_gpt.configs import SHOWN as GPT_SHOWN
from results.figure_mlm.configs import SHOWN as MLM_SHOWN
from results.make import DIVIDED, EVERY, MAKERS
from results.reader import RecordError, Run
from results.table1_sentiment.configs import LATE_ENSEMBLE, ROWS
from results.tables import BASELINE, ENSEMBLE

ANY = ""
"""In place of a dataset: every setting that has runs."""
SEEDS = tuple(range(5))
"""Seeds of a table whose ``configs.py`` names none."""


@dataclass(frozen=True)
class Entry:
    """A table or figure."""

    name: str
    """Of its folder below ``results``."""
    step: str
    """Package of the step, or :data:`EVERY`."""
    rows: Mapping[str, tuple[str, ...]]
    """Dataset, or :data:`ANY` -> variants that it wants."""
    seeds: tuple[int, ...]
    """Seeds that it wants of each."""
    fractions: tuple[float, ...] = (1.0,)
    """Shares of the training data on which it wants each."""
    divided: bool = False
    """Whether it shows runs on a share of the training data."""
    starts: str = ""
    """Package of the step whose runs it wants; empty: :attr:`step`."""
    file: str = ""
    """File that a run has to have beside those of every run, written by a further command."""
    after: str = ""
    """That command of the step, which takes the folders of finished runs by ``--run``."""

    @property
    def trains(self) -> str:
        """Package of the step whose runs it wants."""
        return self.starts or self.step

    @property
    def variants(self) -> tuple[str, ...]:
        """All variants that it wants on some dataset.

        Raises:
            RecordError: it shows the runs of every step and wants none of its own.
        """
        if self.trains == EVERY:
            raise RecordError(f"{self.name} shows the runs of every step; start those of a table of one step")
        return tuple(dict.fromkeys(name for names in self.rows.values() for name in names))

    def own(self, runs: Iterable[Run]) -> list[Run]:
        """The runs that it may show."""
        return own_runs(runs, self.step, self.divided)


def _sentiment() -> dict[str, tuple[str, ...]]:
    """The rows of table 1, with the members of the ensemble in its place."""
    return {
        dataset: tuple(dict.fromkeys(name for row in rows for name in (LATE_ENSEMBLE if row == ENSEMBLE else (row,))))
        for dataset, rows in ROWS.items()
    }


WANTED: dict[str, Mapping[str, tuple[str, ...]]] = {
    "table1_sentiment": _sentiment(),
    "figure_mlm": {ANY: (BASELINE, *MLM_SHOWN)},
    "figure_gpt": {ANY: (BASELINE, *GPT_SHOWN)},
}
"""Rows of those whose ``configs.py`` does not name them as VARIANTS on DATASETS."""
CONFIGS = {"figure_mlm": "table2_mlm", "figure_gpt": "table3_gpt", "figure_vision_language": "table4_vision_language"}
"""Figure -> table whose ``configs.py`` has its seeds, and its rows where nothing else is said."""


def _entry(name: str, step: str, divided: bool) -> Entry:
    configs = import_module(f"results.{CONFIGS.get(name, name)}.configs")
    starts = getattr(configs, "STARTS", "")
    if step == EVERY and not starts:  # it shows what the others want
        return Entry(name, step, {}, ())
    rows = WANTED.get(name) or dict.fromkeys(getattr(configs, "DATASETS", (ANY,)), tuple(configs.VARIANTS))
    fractions = tuple(getattr(configs, "FRACTIONS", (1.0,)))
    seeds, file, after = (
        tuple(getattr(configs, "SEEDS", SEEDS)),
        getattr(configs, "FILE", ""),
        getattr(configs, "AFTER", ""),
    )
    return Entry(name, step, rows, seeds, fractions, divided, starts, file, after)


def catalogue() -> dict[str, Entry]:
    """All of them by name."""
    return {
        (name := package.__name__.split(".")[-1]): _entry(name, step, package in DIVIDED)
        for step, makers in MAKERS.items()
        for package in makers
    }


def chosen(names: Iterable[str] = ()) -> list[Entry]:
    """Those of the names, or all.

    Raises:
        RecordError: an unknown name; the message lists the known ones.
    """
    known = catalogue()
    for name in names:
        if name not in known:
            raise RecordError(f"unknown table or figure {name!r}; known: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())
