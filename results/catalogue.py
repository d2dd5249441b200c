"""Every table and figure: the step whose runs it shows, and which runs it wants.

A key of the wanted runs names settings by how their titles begin: ``sst5`` is SST-5 with any backbone, ``scenes,
questions, tiny`` one vision encoder on the generated scenes. Where several keys fit, the longest counts, and a setting
that none fits is shown and wants nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module

from results.divided import own_runs
from results.figure_gpt.configs import SHOWN as GPT_SHOWN
from results.figure_mlm.configs import SHOWN as MLM_SHOWN
from results.make import DIVIDED, EVERY, MAKERS
from results.reader import RecordError, Run
from results.table1_ablation.configs import WANTED as ABLATED
from results.table1_sentiment.configs import LADDER
from results.table1_sentiment.configs import WANTED as COMPARED
from results.table8_robustness.configs import WANTED as PERTURBED
from results.tables import BASELINE

ANY = ""
"""Key of every setting that has runs."""
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
    """Beginning of a setting's title, or :data:`ANY` -> variants that it wants there."""
    seeds: tuple[int, ...]
    """Seeds that it wants of each."""
    shares: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Key of :attr:`rows` -> shares of the training data on which it wants each; all data for the others."""
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

    def key(self, title: str) -> str | None:
        """The key of :attr:`rows` that fits a setting, None where it wants nothing."""
        fitting = [key for key in self.rows if key == ANY or f"{title}, ".startswith(f"{key}, ")]
        return max(fitting, key=len, default=None)

    def on(self, dataset: str | None) -> tuple[str, ...]:
        """The variants that it wants on a dataset, whatever else the setting is; all for None and where it wants none.

        Raises:
            RecordError: see :attr:`variants`.
        """
        fitting = [rows for key, rows in self.rows.items() if key.split(", ")[0] == dataset]
        return tuple(dict.fromkeys(name for rows in fitting for name in rows)) or self.variants

    def fractions(self, key: str | None) -> tuple[float, ...]:
        """Shares of the training data that it wants under a key of :attr:`rows`."""
        return self.shares.get(key or ANY, (1.0,))

    def own(self, runs: Iterable[Run]) -> list[Run]:
        """The runs that it may show."""
        return own_runs(runs, self.step, self.divided)


def _of_tables(variants: Iterable[str], without: Container[str]) -> dict[str, tuple[str, ...]]:
    """Where the tables of step 1 want some of `variants` for themselves, but for the settings `without`."""
    settings = [key for key in {**COMPARED, **ABLATED, **PERTURBED} if key not in without]
    asked = {key: {name for table in (COMPARED, ABLATED, PERTURBED) for name in table.get(key, ())} for key in settings}
    return {key: tuple(name for name in variants if name in names) for key, names in asked.items()}


CONFIGS = {"figure_mlm": "table2_mlm", "figure_gpt": "table3_gpt", "figure_vision_language": "table4_vision_language"}
"""Figure -> table whose ``configs.py`` has its seeds, and its rows where nothing else is said."""
READERS = {"figure_alpha_sentiment": (), "table9_importance": LADDER}
"""What reads the runs of other tables, and wants of ``VARIANTS`` those that these want -> settings it leaves out."""
SHOWN = {"figure_mlm": (BASELINE, *MLM_SHOWN), "figure_gpt": (BASELINE, *GPT_SHOWN)}
"""Figure -> the rows of its table that it shows."""


def _entry(name: str, step: str, divided: bool) -> Entry:
    configs = import_module(f"results.{CONFIGS.get(name, name)}.configs")
    starts = getattr(configs, "STARTS", "")
    if step == EVERY and not starts:  # it shows what the others want
        return Entry(name, step, {}, ())
    variants = SHOWN.get(name, tuple(configs.VARIANTS))
    rows = _of_tables(variants, READERS[name]) if name in READERS else getattr(configs, "WANTED", {ANY: variants})
    return Entry(
        name, step, rows,
        seeds=tuple(getattr(configs, "SEEDS", SEEDS)), shares=getattr(configs, "FRACTIONS", {}), divided=divided,
        starts=starts, file=getattr(configs, "FILE", ""), after=getattr(configs, "AFTER", ""),
    )  # fmt: skip


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
