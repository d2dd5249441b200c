"""From runs to the numbers of a table: one section per setting (data, backbone), one row per variant."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from common.data.text import DataConfig
from common.evaluation.statistics import holm, mean_std
from results.arms import Arm, arm, check_labels, late_ensemble
from results.best import NOTE, UNTESTED, marks
from results.costs import StepTimes
from results.differences import compare, detectable, enough, tests_note
from results.grouping import by_variant, grouped, setting_key, tried
from results.reader import RecordError, Run, where
from results.render import number, sizes_note

BASELINE = "meaning"
"""The backbone's own stream alone: what every row is compared with."""
SHUFFLED = "shuffled"
"""DM on the streams of other words."""
ENSEMBLE = "late_ensemble"
"""Row that no run has: it is computed from the predictions of single-stream runs."""


@dataclass(frozen=True)
class Row:
    """A row of a table. Scores are shares in [0, 1]; what is not known is NaN."""

    section: str
    """Data and backbone."""
    variant: str
    seeds: int = 0
    test_examples: float = math.nan
    majority: float = math.nan
    """Share of them in the most frequent class."""
    accuracy_mean: float = math.nan
    accuracy_std: float = math.nan
    accuracy_least: float = math.nan
    accuracy_most: float = math.nan
    """Of the lowest and of the highest seed."""
    macro_f1_mean: float = math.nan
    macro_f1_std: float = math.nan
    otherwise: float = math.nan
    """Share of the test answers that are not the baseline's, over the seeds that both have, right or wrong."""
    otherwise_shuffled: float = math.nan
    """Share that are not those of DM on shuffled streams."""
    difference: float = math.nan
    """Accuracy minus that of the baseline, with :data:`results.differences.PARTS`."""
    difference_low: float = math.nan
    difference_high: float = math.nan
    """95 % confidence interval, multi-bootstrap over seeds and examples."""
    difference_error: float = math.nan
    difference_seed_std: float = math.nan
    difference_example_error: float = math.nan
    p_bootstrap: float = math.nan
    p_randomisation: float = math.nan
    p_seeds: float = math.nan
    """Paired t test over seeds."""
    difference_p: float = math.nan
    """The largest of the three."""
    difference_p_holm: float = math.nan
    """It, Holm-corrected over the section."""
    difference_seeds: int = 0
    """Seeds that this row and the baseline share; the difference is over these."""
    parameters: float = math.nan
    parameters_added: float = math.nan
    """Those that the baseline has not, whatever they are in."""
    parameters_ratio: float = math.nan
    """Parameters over those of the baseline."""
    flops_per_token: float = math.nan
    step_time_ms: float = math.nan
    mark: str = UNTESTED
    """Whether it is best, or not significantly worse, see :func:`results.best.marks`."""
    records: str = ""
    """Names of the records it was made from; the difference also reads those of the baseline."""


COLUMNS = tuple(field.name for field in fields(Row))


def build_frame(
    runs: Sequence[Run],
    rows: Mapping[str, Sequence[str]] | None = None,
    ensemble: Sequence[str] = (),
    times: StepTimes | None = None,
) -> pd.DataFrame:
    """A frame with the columns of :class:`Row`, sections in the order of `rows`.

    Args:
        runs: finished runs of any settings.
        rows: dataset -> variants, in order; variants without a finished run get a row of NaN, datasets without any run
            get none. None: whatever there is.
        ensemble: names of the single-stream variants that make the row ``late_ensemble``.
        times: step times measured side by side. Without `rows` (runs made one after another on one machine) the runs'
            own are shown; with `rows` nothing is, where `times` has none.
    """
    sections = grouped(runs, setting_key)
    titles = section_titles(runs)
    if rows is not None:
        wanted = list(rows)
        sections = {key: group for key, group in sections.items() if group[0].dataset in wanted}
        sections = dict(sorted(sections.items(), key=lambda item: (wanted.index(item[1][0].dataset), titles[item[0]])))
    table: list[Row] = []
    for key, group in sections.items():
        variants = list(dict.fromkeys(run.name for run in group)) if rows is None else list(rows[group[0].dataset])
        if rows is None:
            variants.sort(key=lambda name: name != BASELINE)
        section = _section(titles[key], group, variants, ensemble)
        if rows is not None:
            section = [replace(row, step_time_ms=_time(row, group, ensemble, times)) for row in section]
        table += section
    return pd.DataFrame([vars(row) for row in table], columns=pd.Index(COLUMNS))


def section_titles(runs: Sequence[Run]) -> dict[str, str]:
    """Setting -> what it is called: data and backbone, and where that is not unique the start of its hash."""
    sections = {key: group[0] for key, group in grouped(runs, setting_key).items()}
    plain = {key: ", ".join(filter(None, [_data(run), _encoder(run), run.backbone])) for key, run in sections.items()}
    names = list(plain.values())
    return {key: name if names.count(name) == 1 else f"{name} ({key[:6]})" for key, name in plain.items()}


def _encoder(run: Run) -> str:
    """Of pictures, where there are any."""
    return run.settings.get("vision", {}).get("name", "")


def _data(run: Run) -> str:
    """Name of the data; of generated texts with their shares where those are not the usual ones."""
    given = run.settings["data"].get("planted_shares") if run.dataset == "planted" else None
    shares = tuple((name, share) for name, share in given or ())
    if not shares or shares == DataConfig.planted_shares:
        return run.dataset
    return f"planted {' '.join(f'{name} {share:g}' for name, share in shares)}"


def captions(
    runs: Sequence[Run], frame: pd.DataFrame, times: StepTimes | None = None, among: Sequence[Run] | None = None
) -> dict[str, str]:
    """Section -> what a reader must know beside its numbers.

    Args:
        among: all runs on these data, of which `runs` may be a part.
    """
    titles, everything = section_titles(runs), grouped(runs if among is None else among, setting_key)
    result = {}
    for key, group in grouped(runs, setting_key).items():
        part = where(frame, section=titles[key])
        known = part.loc[part["seeds"] > 0]
        if known.empty:
            continue
        seeds = " to ".join(dict.fromkeys(str(count) for count in (known["seeds"].min(), known["seeds"].max())))
        environments = [run.environment for run in group]
        sources = _listed(one.get("data_source") or group[0].dataset for one in environments)
        backbones = _listed(one.get("backbone_source") or group[0].backbone for one in environments)
        measured = times is not None and known["step_time_ms"].notna().any()
        result[titles[key]] = " ".join(filter(None, [
            f"Data: {sources}; {int(known['test_examples'].max()):,} test examples, of which the most frequent class",
            f"has {number(100 * known['majority'].max(), 2)} %. Backbone: {backbones}.",
            f"Seeds per row: {seeds}.",
            f"Configurations trained on these data, seeds apart: {tried(everything[key])}.",
            number_formats(by_variant(group), set(known["variant"])),
            _agreement(known),
            _without_runs(part),
            detectable(part, ("difference",), "points", factor=100, most=100),
            sizes_note(BASELINE),
            "± is the standard deviation over seeds.",
            tests_note("examples", "the section"),
            NOTE,
            *([f"Step times: side by side in one benchmark ({times.description})."] if times and measured else []),
        ]))  # fmt: skip
    return result


def _without_runs(part: pd.DataFrame) -> str:
    """Rows that the table has on other data, of which nothing is printed."""
    absent = list(part.loc[part["seeds"] == 0, "variant"])
    return f"Without a run here: {', '.join(absent)}." if absent else ""


def _agreement(known: pd.DataFrame) -> str:
    """How many answers DM owes to its streams at all, whatever they are worth."""
    own = where(known, variant="dm")
    if own.empty or own["otherwise_shuffled"].isna().any():
        return ""
    alone, control = (f"{100 * own[column].iloc[0]:.1f} %" for column in ("otherwise", "otherwise_shuffled"))
    return f"dm answers {control} of the examples otherwise than shuffled does, and {alone} otherwise than {BASELINE}."


def number_formats(shown: Mapping[str, Iterable[Run]], variants: Container[str]) -> str:
    """In which number formats the runs of `variants` were trained, where that is not the same for all; a row whose
    seeds differ stands under each of theirs.
    """
    used: dict[str, list[str]] = {}
    for name, runs in shown.items():
        for form in dict.fromkeys(run.number_format for run in runs if name in variants):
            used.setdefault(form, []).append(name)
    told = "; ".join(f"{name} for {', '.join(sorted(rows))}" for name, rows in sorted(used.items()))
    unknown = " (auto: the faster of bf16 and fp32, which the record does not name)" if "auto" in used else ""
    return f"Number formats of training: {told}{unknown}." if len(used) > 1 else ""


def _section(title: str, runs: Sequence[Run], variants: Sequence[str], ensemble: Sequence[str]) -> list[Row]:
    _same_data(runs)
    by_name = by_variant(runs)
    arms: dict[str, Arm] = {name: arm(name, by_name[name]) for name in variants if name in by_name}
    if ENSEMBLE in variants and ensemble and all(name in by_name for name in ensemble):
        joined = late_ensemble(ENSEMBLE, [by_name[name] for name in ensemble])
        arms |= {ENSEMBLE: joined} if joined is not None else {}
    baseline = arms.get(BASELINE)
    drafts = [_row(title, name, arms.get(name), baseline, enough(len(arms))) for name in variants]
    for draft in drafts:
        draft |= _otherwise(arms.get(draft["variant"]), baseline, arms.get(SHUFFLED))
    corrected = holm([draft["difference_p"] for draft in drafts])
    best = marks({name: dict(zip(one.seeds, one.correct(one.seeds), strict=True)) for name, one in arms.items()})
    return [
        Row(**{**draft, "difference_p_holm": float(value), "mark": best.get(draft["variant"], UNTESTED)})
        for draft, value in zip(drafts, corrected, strict=True)
    ]


def _same_data(runs: Sequence[Run]) -> None:
    """Raise RecordError when runs of one section were trained on different data under one name."""
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(run.environment.get("data_fingerprint", ""), run)
    if len(first) > 1:
        one, other = list(first.values())[:2]
        raise RecordError(f"{one.folder} and {other.folder} have the same data config but other data; keep one of them")


def _otherwise(shown: Arm | None, baseline: Arm | None, control: Arm | None) -> dict[str, float]:
    """How many answers a row has of its own. Two rows of one accuracy may agree on every example, or on few."""
    found = {"otherwise": baseline, "otherwise_shuffled": control}
    return {
        column: float(np.mean([shown.predicted[seed] != other.predicted[seed] for seed in common]))
        for column, other in found.items()
        if shown and other and shown is not other
        and (common := shown.predicted.keys() & other.predicted.keys())
    }  # fmt: skip


def _row(title: str, name: str, shown: Arm | None, baseline: Arm | None, replicates: int) -> dict[str, Any]:
    row: dict[str, Any] = {"section": title, "variant": name, "difference_p": math.nan}
    if shown is None:
        return row
    accuracy, macro = mean_std(shown.accuracies()), mean_std(shown.macro_f1s())
    row |= {
        "seeds": len(shown.seeds), "test_examples": float(len(shown.labels)),
        "majority": float(np.bincount(shown.labels).max() / len(shown.labels)),
        "accuracy_mean": accuracy[0], "accuracy_std": accuracy[1],
        "accuracy_least": shown.accuracies().min(), "accuracy_most": shown.accuracies().max(),
        "macro_f1_mean": macro[0], "macro_f1_std": macro[1],
        "parameters": shown.parameters,
        "flops_per_token": shown.flops_per_token, "step_time_ms": shown.step_time_ms,
        "records": " ".join(shown.records),
    }  # fmt: skip
    if baseline is None:
        return row
    check_labels(baseline.labels, shown.labels, f"{title}: {baseline.name} and {shown.name}")
    row["parameters_ratio"] = shown.parameters / baseline.parameters
    row["parameters_added"] = shown.parameters - baseline.parameters
    common = [seed for seed in shown.seeds if seed in baseline.predicted]
    if shown is baseline or not common:
        return row
    return row | compared(shown.correct(common), baseline.correct(common), replicates)


def compared(scores: np.ndarray, baseline: np.ndarray, replicates: int) -> dict[str, float]:
    """The columns of :class:`Row` that compare paired scores ``[S, E]``, but for Holm's correction."""
    found = compare(scores, baseline, replicates)
    each = {"p_bootstrap": found.gap.p, "p_randomisation": found.p_randomisation, "p_seeds": found.p_seeds}
    return found.cells("difference") | each


def _time(row: Row, runs: Sequence[Run], ensemble: Sequence[str], times: StepTimes | None) -> float:
    """Step time of a row that has runs, from the side-by-side measurement on the same data and backbone."""
    if times is None or not row.seeds:
        return math.nan
    members = ensemble if row.variant == ENSEMBLE else (row.variant,)
    return sum(times.of(name, runs[0]) for name in members)


def _listed(values: Any) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values))
