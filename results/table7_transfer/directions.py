"""From records to directions: which runs took weights from which domain, and which runs they are compared with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from results.grouping import grouped, setting_key
from results.reader import RecordError, Run
from results.table3_gpt.configs import STEP as GPT
from results.table4_vision_language.configs import STEP as VISION
from results.table4_vision_language.configs import TASKS
from results.table7_transfer.configs import ALONE, JOINED, LEARNT, NAMES, REFERENCE, ROWS
from results.tables import section_titles
from results.tokens import BLOCK, block_scores, token_losses
from results.vision_language import Section, scores_by_seed, sections, task_of


@dataclass(frozen=True)
class Direction:
    """Runs of one setting that took weights from one domain, and those that they are compared with."""

    title: str
    runs: Mapping[str, list[Run]]
    """Row -> its runs, in the order of their seeds."""
    examples: Mapping[str, Mapping[int, np.ndarray]]
    """Row -> seed -> scores ``[E]`` of the same examples in the same order, higher is better."""
    metric: str
    """Key in final.json of the score that is shown."""
    called: str
    """What a reader calls it."""
    shown: tuple[float, int]
    """Factor and digits of the score."""
    unit: str
    """Of the examples' scores, and so of differences."""
    scale: tuple[float, int]
    """Factor and digits of a difference."""
    drawn: str
    """What is drawn beside seeds."""
    sources: tuple[str, ...]
    """Names of the runs whose weights were taken."""
    learnt_on: str
    """Data of those runs, as far as their records are there."""


def directions(runs: Sequence[Run]) -> list[Direction]:
    """One for every setting and domain of origin that has a run with frozen weights, by title.

    Raises:
        RecordError: two runs of a row have one seed, or were tested on different examples.
    """
    runs = sorted(runs, key=lambda run: (run.config["step"], run.name, run.seed, run.folder))
    taking = [run for run in runs if run.config["step"] in ALONE and "transfer" in run.settings]
    taking = [run for run in taking if run.config["step"] == GPT or task_of(run) in TASKS]
    found = [_direction(own, runs) for own in grouped(taking, _kind).values()]
    titles = [one.title for one in found]
    named = [
        replace(one, title=f"{one.title} #{titles[: k + 1].count(one.title)}") if titles.count(one.title) > 1 else one
        for k, one in enumerate(found)
    ]
    return sorted(named, key=lambda one: one.title)


def _direction(taking: Sequence[Run], runs: Sequence[Run]) -> Direction:
    step, first = taking[0].config["step"], taking[0]
    others = [run for run in runs if run.config["step"] == step and "transfer" not in run.settings]
    rows = {
        REFERENCE: [run for run in others if run.name == ALONE[step] and _alone(run) == _alone(first)],
        LEARNT: [run for run in others if run.settings["integration"]["train_alpha"] and _twin(run) == _twin(first)],
        **grouped(taking, lambda run: run.settings["transfer"]["arm"]),
    }
    by_row = {row: sorted(rows[row], key=lambda run: run.seed) for row in ROWS if rows.get(row)}
    for row, own in by_row.items():
        if len({run.seed for run in own}) < len(own):
            raise RecordError(f"two runs of row {row} have one seed: {', '.join(str(run.folder) for run in own)}")
    sources = tuple(dict.fromkeys(run.settings["transfer"]["source"] for run in taking))
    records = {f"{run.config['step']}/{run.folder.name}": run.dataset for run in runs if "data" in run.settings}
    learnt_on = ", ".join(dict.fromkeys(records[source] for source in sources if source in records))
    origin = NAMES.get(_origin(first), _origin(first))
    return _scored(f"{origin} to {NAMES[step]}: {_setting(first, runs)}", by_row, sources, learnt_on)


def _scored(title: str, by_row: dict[str, list[Run]], sources: tuple[str, ...], learnt_on: str) -> Direction:
    pairs = [(row, run) for row, own in by_row.items() for run in own]
    every = tuple(run for _, run in pairs)
    if every[0].config["step"] == VISION:
        task = TASKS[task_of(every[0])]
        examples = scores_by_seed(Section(title, task.name, every, by_row), ROWS)
        return Direction(
            title, by_row, examples, task.metrics[task.score], f"{task.called} x 100", (100.0, 1),
            f"{task.called} x 100", (100.0, 2), "pictures" if task.name == "retrieval" else "examples", sources,
            learnt_on,
        )  # fmt: skip
    by_seed: dict[str, dict[int, np.ndarray]] = {}
    losses = block_scores([token_losses(run) for run in every])
    for (row, run), values in zip(pairs, losses, strict=True):
        by_seed.setdefault(row, {})[run.seed] = -values
    return Direction(
        title, by_row, by_seed, "test_word_perplexity", "word perplexity", (1.0, 0), "−nats per token", (1.0, 3),
        f"blocks of {BLOCK} tokens", sources, learnt_on,
    )  # fmt: skip


def _setting(run: Run, runs: Sequence[Run]) -> str:
    """What the tables of its step call the setting of a run."""
    own = [one for one in runs if one.config["step"] == run.config["step"]]
    if run.config["step"] == VISION:
        return next(section.title for section in sections(own) if run in section.runs)
    return section_titles(own)[setting_key(run)]


def _origin(run: Run) -> str:
    return run.settings["transfer"]["source"].split("/")[0]


def _kind(run: Run) -> str:
    """Equal for runs that one direction compares."""
    return json.dumps([run.config["step"], _origin(run), _twin(run)])


def _twin(run: Run) -> str:
    """Equal for runs that differ only in their seed and in whether, and at what, their mixing weights are frozen."""
    settings = _without(run.settings, ("name", "transfer"))
    settings["integration"].pop("train_alpha")
    return json.dumps(settings, sort_keys=True)


def _alone(run: Run) -> str:
    """Equal for runs that differ only in their seed and in how streams are joined."""
    return json.dumps(_without(run.settings, ("name", "transfer", *JOINED)), sort_keys=True)


def _without(settings: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    kept = deepcopy({name: value for name, value in settings.items() if name not in names})
    kept["train"].pop("seed")
    return kept
