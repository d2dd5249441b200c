"""Score against the share of the training data, in each setting that has runs on a share.

- Shares are nested (1 % is a part of 3 %), by class with at least one example of each, and drawn by ``data.seed``:
  every rule and every training seed sees the same examples. Whatever is fitted on training data (Morfessor's segments,
  the streams' symbols) is fitted on the share alone.
- All shares get the same number of updates, schedule of learning rates and evaluations: on 1 % of the data an epoch
  goes through the kept examples a hundred times. With the number of passes fixed, 1 % of SST-5 would be six updates in
  two epochs, and the curve would show the optimiser and not the data.
- Weights are chosen on the whole validation split, as in all tables. A study of truly little data would have less of
  that too: the scores on small shares are those of someone with few training examples and a full validation split.
- Intervals are 95 % over training seeds (Student's t). They hold neither the choice of test examples, which all rules
  share, nor that of the kept examples (another ``--data.seed`` draws others). Whether a rule is better than the
  reference alone on the same share is said by the test of table 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np
import pandas as pd

from common.evaluation.statistics import half_width, holm
from results.best import MARK
from results.differences import PARTS
from results.divided import undivided
from results.figure_efficiency.configs import DATASETS, STARTS, VARIANTS
from results.grouping import by_variant, grouped, setting_key
from results.reader import Run
from results.tables import build_frame, section_titles

COLUMNS = (
    "section", "variant", "fraction", "examples", "seeds", "accuracy_mean", "accuracy_std", "accuracy_low",
    "accuracy_high", "largest_class", *(f"difference{part}" for part in PARTS), MARK, "records",
)  # fmt: skip


def share_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per setting, share and variant, with the columns :data:`COLUMNS`.

    ``examples`` is the number of training examples (NaN where no record of the setting says it), ``accuracy_low`` and
    ``accuracy_high`` the 95 % interval over seeds (Student's t; NaN for one seed), ``largest_class`` the accuracy of
    always naming the commonest class of the test split. ``difference`` is to the reference alone *on the same share*,
    as in table 1; Holm's correction is over all shares of the setting; the mark is among the rows of a share.
    """
    shown = [run for run in runs if _belongs(run)]
    titles = section_titles([undivided(run) for run in shown])
    parts = [_setting(titles[key], group) for key, group in grouped(shown, _whole_setting).items()]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=pd.Index(COLUMNS))


def precision_notes(runs: Sequence[Run]) -> dict[str, str]:
    """Setting -> a sentence where its runs were not all trained in one number format, which is then said by share."""
    shown = [run for run in runs if _belongs(run)]
    titles = section_titles([undivided(run) for run in shown])
    notes = {}
    for key, group in grouped(shown, _whole_setting).items():
        used: dict[str, set[float]] = {}
        for share in grouped(group, lambda run: f"{run.train_fraction}").values():
            for run in chain.from_iterable(by_variant(share).values()):  # as the table does
                used.setdefault(run.number_format, set()).add(run.train_fraction)
        if len(used) > 1:
            told = "; ".join(
                f"{name} on {', '.join(f'{100 * one:g} %' for one in sorted(shares))}"
                for name, shares in sorted(used.items())
            )
            notes[titles[key]] = f" Number formats of training: {told}."
    return notes


def _belongs(run: Run) -> bool:
    return run.config["step"] == STARTS and run.dataset in DATASETS and run.name in VARIANTS


def _whole_setting(run: Run) -> str:
    return setting_key(undivided(run))


def _setting(title: str, runs: Sequence[Run]) -> pd.DataFrame:
    parts = []
    for fraction in sorted({run.train_fraction for run in runs}):
        own = [run for run in runs if run.train_fraction == fraction]
        parts.append(build_frame(own).assign(fraction=fraction, examples=_examples(own, runs, fraction)))
    frame = pd.concat(parts, ignore_index=True)
    frame["variant"] = pd.Categorical(frame["variant"], VARIANTS)
    frame = frame.sort_values(["variant", "fraction"], ignore_index=True).astype({"variant": str})
    half = [half_width(*row) for row in zip(frame["accuracy_std"], frame["seeds"], strict=True)]
    labels = runs[0].predictions("test")["label"].to_numpy()
    largest = np.bincount(labels).max() / len(labels)
    frame = frame.assign(
        section=title, difference_p_holm=holm(frame["difference_p"].to_numpy(np.float64)), largest_class=largest,
        accuracy_low=frame["accuracy_mean"] - half, accuracy_high=frame["accuracy_mean"] + half,
    )  # fmt: skip
    return frame.loc[:, list(COLUMNS)]


def _examples(own: Sequence[Run], runs: Sequence[Run], fraction: float) -> float:
    """Training examples; records of all data that do not say it have those of which the others took their share."""
    said = [run.environment["data_train_examples"] for run in own if "data_train_examples" in run.environment]
    if not said and fraction == 1:
        name = "data_train_examples_whole"
        said = [run.environment[name] for run in runs if name in run.environment]
    return float(said[0]) if said else math.nan
