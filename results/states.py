"""The state of every table and figure: which runs it lacks, and whether its files are out of date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from results.catalogue import ANY, Entry
from results.divided import undivided
from results.grouping import grouped, most_frequent_setting, setting_key, variant_key
from results.made_from import stale
from results.reader import Run
from results.table4_vision_language.configs import NEVER
from results.table4_vision_language.configs import STEP as VISION
from results.tables import section_titles
from results.vision_language import sections, task_of

FEWEST = 3
"""Seeds from which on a row is not missing, only of fewer seeds than the table wants."""
MANY = 6
"""More variants than this are not named one by one where the others are fewer."""


@dataclass(frozen=True)
class Gap:
    """Variants of one setting that lack the same seeds."""

    setting: str
    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    others: tuple[str, ...]
    """The variants that the table wants there beside these."""
    have: int
    """Seeds that they have."""

    @property
    def runs(self) -> int:
        return len(self.variants) * len(self.seeds)

    def __str__(self) -> str:
        names = ", ".join(self.variants)
        if len(self.variants) > max(MANY, len(self.others)):
            names = f"all but {', '.join(self.others)}" if self.others else f"all {len(self.variants)} variants"
        where = f"{self.setting}: " if self.setting else ""
        return f"{where}seed{'s' if len(self.seeds) > 1 else ''} {ranges(self.seeds)} of {names} ({self.runs})"


@dataclass(frozen=True)
class State:
    """Of one table or figure."""

    entry: Entry
    wanted: int
    """Runs that it wants, in the settings that have runs and on the data that its configs name."""
    gaps: tuple[Gap, ...]
    stale: tuple[str, ...]
    """Why its files are out of date; empty when they are not."""

    @property
    def found(self) -> int:
        return self.wanted - sum(gap.runs for gap in self.gaps)

    @property
    def words(self) -> str:
        """``complete``, ``no runs``, or ``stale`` and ``missing runs`` (a row of less than :data:`FEWEST` seeds) or
        ``fewer seeds``, as it is.
        """
        nothing = bool(self.entry.rows) and not self.found
        few = any(gap.have < FEWEST for gap in self.gaps)
        lacking = "no runs" if nothing else "missing runs" if few else "fewer seeds" if self.gaps else ""
        return ", ".join(filter(None, ["stale" if self.stale else "", lacking])) or "complete"

    @property
    def details(self) -> list[str]:
        """Why it is stale, then the runs it lacks."""
        return [*self.stale, *map(str, self.gaps)]


def state_of(entry: Entry, runs: Sequence[Run], folder: Path) -> State:
    """The state of a table.

    Args:
        entry: the table or figure.
        runs: finished runs of any step.
        folder: where its files are.
    """
    wanted, gaps, own = 0, [], entry.own(runs)
    counted = [run for run in own if run.config["step"] == entry.trains and (run.folder / entry.file).exists()]
    settings = _settings(entry, counted)
    for key, variants in entry.rows.items():
        here = {title: group for title, group in settings.items() if entry.key(title) == key}
        if not here and key != ANY:
            here = {key: []}
        for (title, group), fraction in product(here.items(), entry.fractions(key)):
            possible = _possible(entry, variants, group)
            wanted += len(possible) * len(entry.seeds)
            part = [run for run in group if run.train_fraction == fraction]
            called = title if fraction == 1 else f"{title}, {100 * fraction:g} % of the training data"
            gaps += _gaps(called, part, possible, entry.seeds)
    return State(entry, wanted, tuple(gaps), tuple(stale(entry.name, own, folder)))


def ranges(numbers: Sequence[int]) -> str:
    """``0, 3-9``."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def _settings(entry: Entry, runs: list[Run]) -> dict[str, list[Run]]:
    """Title of each setting that the table compares within -> its runs."""
    if entry.step == VISION:
        return {section.title: list(section.runs) for section in sections(runs)}
    if not all("data" in run.settings for run in runs):  # the data are made by the run itself
        return {"": most_frequent_setting(runs)}
    titles = section_titles([undivided(run) for run in runs])
    return {titles[key]: group for key, group in grouped(runs, lambda run: setting_key(undivided(run))).items()}


def _possible(entry: Entry, variants: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """The variants that the task of `runs` can have."""
    never = NEVER.get(task_of(runs[0]), ()) if entry.step == VISION and runs else ()
    return [name for name in variants if name not in never]


def _gaps(setting: str, runs: Sequence[Run], variants: Sequence[str], seeds: Sequence[int]) -> list[Gap]:
    lacking: dict[tuple[int, ...], list[str]] = {}
    for name in variants:
        configs = grouped((run for run in runs if run.name == name), variant_key).values()
        # A table shows one config of a variant: that with most seeds.
        have = max(({run.seed for run in group} for group in configs), key=len, default=set())
        lacking.setdefault(tuple(seed for seed in seeds if seed not in have), []).append(name)
    return [
        Gap(
            setting, tuple(names), absent,
            others=tuple(name for name in variants if name not in names), have=len(seeds) - len(absent),
        )
        for absent, names in lacking.items()
        if absent
    ]  # fmt: skip
