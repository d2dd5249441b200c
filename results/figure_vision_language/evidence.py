"""Do contributions say when the picture mattered? Beside them: what is lost when the picture is taken away.

By class of the written word, or by what a question needs (by its kind where that is not known): the picture's
contribution, and beside it what is lost when the picture is left out (only where it is a stream or is attended to), is
that of another sample, or is grey: nats of the very words that were written, or points of accuracy when the question is
answered anew. Points are means over samples with 95 % bootstrap intervals. A contribution that says when the picture
mattered is large where much is lost. Agreement is Spearman's rank correlation over all written words between the
picture's contribution and the nats lost without it, for each seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from common.evaluation.statistics import multi_bootstrap
from common.evaluation.visual_words import VISUAL_CLASSES, visual_class
from results.figure_vision_language.needs import NEEDS
from results.reader import Run, where
from results.style import GREY, LINES, MARKERS, OKABE_ITO, panels, shown
from results.vision_language import Section, question_kinds, table_of

CONTRIBUTION = "contribution_vision"
OURS = ("dm", "li")
"""The rules under study, as they are."""
CHANGES = {"left_out": "left out", "swapped": "another picture", "blank": "grey picture"}
"""Way of taking the picture away -> what a reader calls it."""
MEASURES = {
    CONTRIBUTION: "contribution of the picture (share of norms)",
    **{f"gain_{name}": f"nats per word lost: {called}" for name, called in CHANGES.items()},
    **{f"accuracy_lost_{name}": f"points of accuracy lost: {called}" for name, called in CHANGES.items()},
}
"""Measure -> title of its panel."""
COLUMNS = ("variant", "measure", "group", "samples", "mean", "low", "high")
AGREEMENT = ("variant", "seed", "change", "words", "spearman")
BF16 = 2.0**-8
"""Relative spacing of numbers with eight significant bits."""
FEWEST = 20
"""Groups in fewer samples are left out."""


def evidence_by_group(section: Section, variants: Sequence[str]) -> pd.DataFrame:
    """Columns :data:`COLUMNS`: measures by the class of the written word, or by what a question needs or its kind.

    A sample counts once in a group, with the mean over its words; of several seeds their mean is taken. Intervals are
    95 % bootstrap intervals over samples, of the models as trained.
    """
    rows = []
    for name in variants:
        tables = [sample_values(run, section.task == "questions") for run in section.by_name.get(name, [])]
        if not tables or any(table.empty for table in tables):
            continue
        together = _means(pd.concat(tables), ["group", "sample"])
        for measure in MEASURES:
            for group in _in_order(together["group"]) if measure in together else ():
                values = where(together, group=group)[measure].dropna().to_numpy(dtype=np.float64)[None]  # [1, E]
                if values.shape[1] >= FEWEST:
                    mean = multi_bootstrap(values, np.zeros_like(values), replicates=1000)
                    rows.append((name, measure, group, values.shape[1], mean.estimate, mean.low, mean.high))
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def sample_values(run: Run, asked: bool) -> pd.DataFrame:
    """Columns group, sample, and of :data:`MEASURES` those that the run has; a row per sample and group.

    Args:
        asked: whether the groups are those of :func:`results.vision_language.question_kinds`; else classes of words.
    """
    frame = words_of(run)
    if frame.empty:
        return frame
    if not asked:
        return _means(frame.rename(columns={"word_class": "group"}), ["group", "sample"])
    texts = table_of(run, "texts.parquet")
    found = pd.DataFrame({"sample": range(len(texts)), "group": question_kinds(texts).astype(object).to_numpy()})
    found = found.merge(_means(frame, ["sample"]), on="sample", how="left")
    for change in CHANGES:
        if f"accuracy_{change}" in texts:
            lost = texts["accuracy"].astype(np.float64) - texts[f"accuracy_{change}"]
            found[f"accuracy_lost_{change}"] = 100 * lost.to_numpy()
    return found


def _in_order(groups: Iterable[str]) -> list[str]:
    """Each group once: those that are known everywhere in their own order, then the others as they come."""
    found = dict.fromkeys(groups)
    return [name for name in (*NEEDS, *VISUAL_CLASSES) if name in found] + [
        name for name in found if name not in NEEDS and name not in VISUAL_CLASSES
    ]


def _means(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Means of the columns that hold numbers, a row per group."""
    numbers = [name for name in frame.select_dtypes("number") if name not in by]
    return pd.DataFrame(frame.groupby(by, as_index=False)[numbers].agg("mean"))


def words_of(run: Run) -> pd.DataFrame:
    """A row per written word: sample, word_class, contributions, and ``gain_<change>`` in nats; empty without them."""
    if not (run.folder / "evidence.parquet").is_file():
        return pd.DataFrame()
    frame = table_of(run, "evidence.parquet")
    frame["word_class"] = frame["word"].map(visual_class)  # by today's lists, whatever the run's were
    for change in CHANGES:
        if f"logp_{change}" in frame:
            frame[f"gain_{change}"] = frame["logp"] - frame[f"logp_{change}"]
    return frame.drop(columns=[name for name in frame if str(name).startswith("logp")])


def agreement(section: Section, variants: Sequence[str]) -> pd.DataFrame:
    """Columns :data:`AGREEMENT`: over the written words of a run, Spearman's rank correlation of the picture's
    contribution with the nats that are lost without it. A run whose contribution is the same for all words has no row.
    """
    runs = (run for name in variants for run in section.by_name.get(name, []))
    return pd.DataFrame([row for run in runs for row in _agreement(run)], columns=pd.Index(AGREEMENT))


def _agreement(run: Run) -> Iterator[tuple[str, int, str, int, float]]:
    frame = words_of(run)
    if CONTRIBUTION in frame and len(frame) > 2 and not _constant(frame[CONTRIBUTION].to_numpy(np.float64)):
        for change in CHANGES:
            rho = float(spearmanr(frame[CONTRIBUTION], frame[f"gain_{change}"])[0])  # pyright: ignore[reportArgumentType]
            yield run.name, run.seed, change, len(frame), rho


def _constant(values: np.ndarray) -> bool:
    """Whether values differ by no more than bf16 resolves: DM at the output gives every word one contribution."""
    return bool(np.ptp(values) <= BF16 * np.abs(values).max())


def evidence_figure(values: pd.DataFrame, measures: Sequence[str]) -> Figure | None:
    """A panel per measure, groups from top to bottom, a point with its interval per variant; None without values."""
    measures = [name for name in measures if name in set(values["measure"])]
    if not measures:
        return None
    groups = _in_order(values["group"])
    variants = list(dict.fromkeys(values.loc[values["measure"].isin(measures), "variant"]))
    looks = sorted(variants, key=lambda name: name not in OURS)  # the rules under study have the clearest ones
    height = 0.9 + 0.11 * len(groups) * len(variants)
    figure, axes = panels(1, len(measures), width=7.2, height=height, sharey=True)
    handles = {}
    for axis, measure in zip(axes[0], measures, strict=True):
        for k, variant in enumerate(variants):
            part = values.loc[(values["measure"] == measure) & (values["variant"] == variant)]
            if part.empty:
                continue
            rows = part.set_index("group").reindex(groups)
            heights = np.arange(len(groups)) + 0.8 * ((k + 0.5) / len(variants) - 0.5)
            look = looks.index(variant)
            color = OKABE_ITO[look % len(OKABE_ITO)]
            axis.hlines(heights, rows["low"], rows["high"], color=color, linewidth=1.0)
            fill = color if look < len(OKABE_ITO) else "white"  # when colours and markers begin again, they are open
            (handles[variant],) = axis.plot(
                rows["mean"], heights, color=color, linestyle="none", marker=MARKERS[look % len(MARKERS)],
                markerfacecolor=fill,
            )  # fmt: skip
        axis.axvline(0, color=GREY, linewidth=0.8, linestyle=LINES[1])
        axis.set_title(MEASURES[measure].replace(": ", ":\n").replace(" (", "\n("))
    axes[0][0].set_yticks(range(len(groups)), [NEEDS.get(name, name) for name in groups])
    axes[0][0].set_ylim(len(groups) - 0.5, -0.5)
    handles = {name: handles[name] for name in variants if name in handles}  # as the points stand, from top to bottom
    figure.legend(
        list(handles.values()),
        [shown(name) for name in handles],
        loc="outside upper center",
        ncols=min(5, len(handles)),
    )
    return figure
