"""From runs of step 4 to the numbers of a table: every row against the language model without pictures, per example.

Per test example CIDEr-D of the caption, or accuracy of the answer, is compared with that of the run of the same seed
without the picture, and with the projector; in retrieval, whether the picture of a text is among the first ten, with
all texts of a picture kept together. Questions count as independent, also where several are about one picture: where
that is so, intervals are somewhat too narrow. Accuracy by kind of question shows the three most frequent kinds;
generated scenes say what an answer needs, and that is the kind. Conversations have no scores, and so no table.

Added parameters are those beyond ``no_image``. FLOPs are those of a forward by text, without an encoder whose features
are kept, and not by token: rows give a picture one position, eight, or one per patch. They and the step times come from
``benchmarks/vision_step_time.py``, which measures the rows of a setting side by side; newer records have the FLOPs
themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.evaluation.statistics import holm, mean_std
from results.best import MARK, NOTE, UNTESTED, marks
from results.costs import StepTimes, fitting_step_times
from results.differences import detectable, difference, tests_note
from results.grouping import tried
from results.reader import Run, recorded, where
from results.table4_vision_language.chance import chance
from results.table4_vision_language.configs import BASELINE, CHANCE, GENERATED, HUMAN, TODAY, VARIANTS, Task
from results.tables import number_formats
from results.vision_language import Section, question_kinds, scores_by_seed, texts, texts_per_picture

COMPARED = {"difference": BASELINE, "today": TODAY}
"""Column of a difference -> the variant that is subtracted."""
Scores = Mapping[str, Mapping[int, np.ndarray]]


def task_frame(parts: Sequence[Section], task: Task) -> pd.DataFrame:
    """The sections of one task, one row per variant that has runs.

    Returns:
        columns section, variant, seeds, ``<metric>_mean``, ``<metric>_std`` (also ``kind_<name>``, the accuracy on one
        kind of question), ``difference`` and ``today`` (mean score of the row minus that of :data:`COMPARED`, over the
        seeds that both have) with :data:`results.differences.PARTS`, parameters, parameters_added, flops_per_text,
        step_time_ms. Holm's correction is over all comparisons of the section. ``mark`` is that of the row by its
        score, ``records`` names the runs. What is not known is NaN.
    """
    table: list[dict[str, Any]] = []
    for section in parts:
        scores = scores_by_seed(section, VARIANTS)
        present = [name for name in VARIANTS if name in section.by_name]
        times = fitting_step_times(section.runs)
        rows = [_row(section, task, name, scores, times, len(COMPARED) * len(present)) for name in present]
        corrected = iter(holm([row[f"{column}_p"] for row in rows for column in COMPARED]))
        best = marks(scores)
        for row in rows:
            row |= {f"{column}_p_holm": float(next(corrected)) for column in COMPARED}
            row[MARK] = best.get(row["variant"], UNTESTED)
        table += _human(section, task) + _chance(section, task) + rows
    trained_first = sorted(table, key=lambda row: row["seeds"] == 0)  # these have all columns, in their order
    return pd.DataFrame(table, columns=pd.Index(dict.fromkeys(name for row in trained_first for name in row)))


def captions(parts: Sequence[Section], task: Task, frame: pd.DataFrame) -> dict[str, str]:
    """Section -> what a reader must know beside its numbers."""
    return {
        section.title: _caption(section, task, part)
        for section in parts
        if not (part := where(frame, section=section.title)).empty
    }


def _row(
    section: Section, task: Task, name: str, scores: Scores, times: StepTimes | None, comparisons: int
) -> dict[str, Any]:
    runs = section.by_name[name]
    row: dict[str, Any] = {"section": section.title, "variant": name, "seeds": len(runs)}
    for column, key in task.metrics.items():
        row |= _summary(column, [run.final[key] for run in runs])
    if task.name == "questions":
        for kind, accuracies in _by_kind(runs).items():
            row |= _summary(f"kind_{kind}", accuracies)
    for column, other in COMPARED.items():
        # The baseline against today's fusion is that fusion's own comparison once more.
        compared = name not in (BASELINE, other)
        row |= difference(column, scores[name], scores.get(other, {}) if compared else {}, comparisons)
    baseline = section.by_name.get(BASELINE)
    parameters = runs[0].final["parameters"]
    return row | {
        "parameters": parameters,
        "parameters_added": parameters - baseline[0].final["parameters"] if baseline else math.nan,
        "flops_per_text": _flops(runs, times),
        "step_time_ms": times.by_variant.get(name, math.nan) if times else math.nan,
        "records": recorded(runs),
    }


def _flops(runs: Sequence[Run], times: StepTimes | None) -> float:
    """FLOPs of one text's forward: of a record that has them, else those measured beside other rows; NaN without."""
    own = [run.final["flops_per_text"] for run in runs if "flops_per_text" in run.final]
    return own[0] if own else times.flops_per_text.get(runs[0].name, math.nan) if times else math.nan


def _summary(column: str, values: Sequence[float]) -> dict[str, float]:
    mean, std = mean_std(values)
    return {f"{column}_mean": mean, f"{column}_std": std}


def _by_kind(runs: Sequence[Run]) -> dict[str, list[float]]:
    """Kind of question -> accuracy of each seed; by what is needed for the answer, where the data say so."""
    found: dict[str, list[float]] = {}
    for run in runs:
        frame = texts(run, ("needs", "kind", "accuracy"))
        means = frame["accuracy"].astype(np.float64).groupby(question_kinds(frame), observed=True).agg("mean")
        for kind, mean in means.items():
            found.setdefault(str(kind), []).append(mean)
    return found


def _human(section: Section, task: Task) -> list[dict[str, Any]]:
    """The row of human captions, where humans wrote them and a record has their scores."""
    keys = {column: key.replace("test_", "test_human_") for column, key in task.metrics.items()}
    source = next((run for run in section.runs if keys[task.score] in run.final), None)
    if source is None or section.runs[0].dataset in GENERATED:
        return []
    row: dict[str, Any] = {"section": section.title, "variant": HUMAN, "seeds": 0, "records": recorded([source])}
    return [row | {f"{column}_mean": source.final[key] for column, key in keys.items() if key in source.final}]


def _chance(section: Section, task: Task) -> list[dict[str, Any]]:
    """The row of retrieval without looking at the pictures."""
    if task.name != "retrieval":
        return []
    source = section.runs[0]
    row: dict[str, Any] = {"section": section.title, "variant": CHANCE, "seeds": 0, "records": recorded([source])}
    return [row | {f"{column}_mean": value for column, value in chance(texts_per_picture(source)).items()}]


def _caption(section: Section, task: Task, part: pd.DataFrame) -> str:
    environments = [run.environment for run in section.runs]
    counts, trained = environments[0]["data_counts"], part.loc[part["seeds"] > 0]
    seeds = " to ".join(dict.fromkeys(str(count) for count in (trained["seeds"].min(), trained["seeds"].max())))
    vision, language = (
        " or ".join(dict.fromkeys(one[name] for one in environments)) for name in ("vision_source", "backbone_source")
    )
    entries = " or ".join(dict.fromkeys(f"{one['tokenizer_entries']:,}" for one in environments))
    text = [
        f"Data: {environments[0]['data_name']} ({_counted(counts['train'], task)} for training,",
        f"{_counted(counts['test'], task)} for the test). Vision encoder: {vision}. Language model: {language};",
        f"vocabulary of {entries}. Seeds per row: {seeds}. Configurations trained on these data, seeds",
        f"apart: {tried(section.runs)}. {_added(part)}± is the standard deviation over seeds.",
        f"Δ is the {task.called} minus that of {_compared_with(part)}, times 100.",
        tests_note("pictures" if task.name == "retrieval" else "examples", "all comparisons of the section"),
        NOTE,
    ]
    if task.name == "captions":
        text.append("BLEU-4, ROUGE-L and CIDEr-D are times 100.")
    if HUMAN in set(part["variant"]):
        text.append(
            f"{HUMAN}: one human caption of each picture against its others; the models are scored against all, which "
            "favours them."
        )
    if CHANCE in set(part["variant"]):
        text.append(f"{CHANCE}: computed, what a random order of the same pictures and texts is expected to score.")
    if task.name == "questions":
        text.append(
            "Questions about one picture count as examples of their own, so that intervals are somewhat too narrow."
        )
    text += [
        number_formats(section.by_name, set(trained["variant"])),
        detectable(part, tuple(COMPARED), "points", factor=100, most=1000 if task.name == "captions" else 100),
    ]
    times = fitting_step_times(section.runs)
    if times is not None and part["step_time_ms"].notna().any():
        text.append(f"Step times side by side: {times.description}.")
    if trained["seeds"].min() == 1:
        text.append("A row with one seed speaks of that one pair of trained models.")
    return " ".join(filter(None, text))


def _counted(counts: Mapping[str, int], task: Task) -> str:
    return f"{counts['pictures']:,} pictures with {counts['texts']:,} {task.unit}"


def _compared_with(part: pd.DataFrame) -> str:
    return " or of ".join(other for column, other in COMPARED.items() if part[column].notna().any())


def _added(part: pd.DataFrame) -> str:
    known = part["parameters_added"].notna().any()
    return f"Added M: million parameters more than {BASELINE} has. " if known else ""
