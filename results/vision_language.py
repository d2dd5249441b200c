"""Runs of the vision-language step by setting, and what each scored on every test example."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from results.grouping import SCRATCH, by_variant, grouped, placeless
from results.reader import RecordError, Run
from results.record_files import read_parquet
from results.render import file_stem
from results.table4_vision_language.configs import KINDS_SHOWN, RECALL_AT, STEP, TASKS

TOLERANCE = 1e-3
"""Largest gap between a score in final.json and the mean of its examples, which are written in float32."""
RETRIEVE = "retrieve"
"""The objective that finds texts and pictures and writes nothing."""


@dataclass(frozen=True)
class Section:
    """Runs that one table may compare."""

    title: str
    """Data, task, vision encoder, language model; where that is not unique the start of the setting's hash."""
    task: str
    """``captions``, ``questions``, ``retrieval`` or ``conversations``."""
    runs: tuple[Run, ...]
    """All of them, of any config."""
    by_name: Mapping[str, list[Run]]
    """Variant -> the runs to show, in the order of their seeds."""

    @property
    def stem(self) -> str:
        """The title as a file name."""
        return file_stem(self.title)


def sections(runs: Sequence[Run]) -> list[Section]:
    """The runs of step 4 by setting: objective, data, vision encoder, language model and its size."""
    groups = grouped([run for run in runs if run.config["step"] == STEP], _setting)
    plain = {key: _title(group[0]) for key, group in groups.items()}
    titles = list(plain.values())
    return [
        Section(
            title=plain[key] if titles.count(plain[key]) == 1 else f"{plain[key]} ({key[:6]})",
            task=task_of(group[0]),
            runs=tuple(group),
            by_name=by_variant(group),
        )
        for key, group in groups.items()
    ]


def task_of(run: Run) -> str:
    """``captions``, ``questions`` or ``conversations``, by the data; or ``retrieval``."""
    return "retrieval" if run.settings["objective"] == RETRIEVE else f"{run.environment['data_task']}s"


def table_of(run: Run, name: str) -> pd.DataFrame:
    """A whole table of the run's record, in its own order.

    Raises:
        RecordError: it cannot be read.
    """
    return read_parquet(run.folder / name)


def texts(run: Run, columns: Sequence[str]) -> pd.DataFrame:
    """What the run wrote of the test samples: `columns` of texts.parquet, by id in ascending order."""
    return read_parquet(run.folder / "texts.parquet", ("id", *columns), only=True).set_index("id").sort_index()


def question_kinds(frame: pd.DataFrame) -> pd.Series:
    """What each question of texts.parquet is shown under: what its answer needs, where the data say so; else its kind.

    Returns:
        a categorical, the most frequent first; NaN beyond :data:`KINDS_SHOWN` of them, and for questions of no kind.
    """
    kinds = frame["needs"].where(frame["needs"] != "", frame["kind"].str.split(" | ", regex=False).str[0])
    counts = kinds.groupby(kinds).size().drop("", errors="ignore").sort_values(ascending=False, kind="stable")
    return kinds.astype(pd.CategoricalDtype(list(counts.index[:KINDS_SHOWN])))


def example_scores(run: Run) -> pd.Series:
    """Score of every test example by its id, in ascending order; their mean is the score in final.json.

    Of retrieval an example is a picture with all its texts, as those are not independent: the sum over its texts of
    "the picture is among the first", scaled so that the mean is that over texts.

    Raises:
        RecordError: the record cannot be read, or contradicts final.json.
    """
    task = TASKS[task_of(run)]
    if task.name == "retrieval":
        tested = read_parquet(run.folder / "predictions_test.parquet", ("sample", "rank"), only=True)
        ranks = tested.set_index("sample").sort_index()["rank"]
        found = (ranks <= RECALL_AT).groupby(level=0).sum()
        scores = found * (len(found) / len(ranks))
    else:
        scores = texts(run, [task.score])[task.score].astype(np.float64)
    gap = abs(float(scores.mean()) - run.final[task.metrics[task.score]])
    if not scores.index.is_unique or not gap <= TOLERANCE:
        raise RecordError(f"{run.folder}: examples and final.json differ by {gap:.4f} in {task.called}; run it again")
    return scores


def texts_per_picture(run: Run) -> np.ndarray:
    """Texts of each test picture ``[P]`` of a run that retrieves."""
    samples = read_parquet(run.folder / "predictions_test.parquet", ("sample",), only=True)["sample"]
    return samples.groupby(samples).size().to_numpy()


def scores_by_seed(section: Section, variants: Sequence[str]) -> dict[str, dict[int, np.ndarray]]:
    """Variant -> seed -> scores ``[E]`` of the same examples in the same order.

    Raises:
        RecordError: two runs were tested on different samples.
    """
    first: tuple[Run, pd.Index] | None = None
    found: dict[str, dict[int, np.ndarray]] = {}
    for name in variants:
        for run in section.by_name.get(name, []):
            scores = example_scores(run)
            first = first or (run, scores.index)
            same = run.environment["data_fingerprint"] == first[0].environment["data_fingerprint"]
            if not same or not scores.index.equals(first[1]):
                raise RecordError(
                    f"{run.folder} and {first[0].folder} were tested on different samples, so they cannot be compared; "
                    "keep one of them"
                )
            found.setdefault(name, {})[run.seed] = scores.to_numpy()
    return found


def _setting(run: Run) -> str:
    settings = run.settings
    parts = {name: settings[name] for name in ("objective", "data", "vision", "backbone")}
    if run.backbone == SCRATCH:
        parts |= {name: settings[name] for name in ("size", "vocab_size")}
    return hashlib.sha256(json.dumps(placeless(parts), sort_keys=True).encode()).hexdigest()[:12]


def _title(run: Run) -> str:
    names = (run.settings["vision"]["name"], run.backbone)
    return ", ".join([run.dataset, task_of(run), *(_short(name) for name in names)])


def _short(name: str) -> str:
    """A hub's name as it is, a local folder by its own name."""
    return Path(name).name if name.startswith(("/", "~", ".")) else name
