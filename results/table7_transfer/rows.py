"""From a direction to the numbers of its rows, and what a reader must know beside them.

The mixing weights are α, γ and the gates of the feedback. The rows:

- ``reference``: none, the reference stream alone (``meaning``, ``no_image``);
- ``learnt``: learnt here;
- ``transfer``: those that runs of the other domain ended with, by role, frozen;
- ``random``: the same numbers in random places, frozen; other places for every seed;
- ``equal``: α = 1/√N everywhere, γ and gates at the source's means, frozen.

``common/integration/MATH.md`` has the roles and the controls in full. Projections, encoders and language model are
learnt in all rows. Learnt and frozen rows have one config, the mixing weights and the seed apart; the reference also
has the same data, sizes and training, and no streams.

Per test example the score of a row is compared with that of the run of the same seed that learnt its weights, and with
that of the random ones: weights carry something over only if ``transfer`` beats ``random``, and all of it if it also
keeps up with ``learnt``. Of texts examples are blocks of tokens. Differences are written so that above zero is better,
also where the score is a perplexity.

The models of a direction have as many sites as their source. The presets ``small`` of steps 3 and 4 have four; where
layers differ, ``--size.layers`` makes them agree, and the learnt rows have to be trained with it too.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from common.evaluation.statistics import holm, mean_std
from results.best import MARK, NOTE, UNTESTED, marks
from results.differences import detectable, difference, tests_note
from results.reader import recorded
from results.table7_transfer.configs import COMPARED, LEARNT, RANDOM, REFERENCE, ROWS
from results.table7_transfer.directions import Direction
from results.tables import number_formats


def frame_of(direction: Direction) -> pd.DataFrame:
    """A row for every row of the table that has runs.

    Returns:
        columns section, variant, seeds, score_mean, score_std (over seeds), for each of :data:`COMPARED` the
        difference of mean scores over the seeds that both have with :data:`results.differences.PARTS` (higher is
        better; Holm over all comparisons of the section), weights (names of the runs they were taken from),
        score_scale, score_digits, scale, digits (how to write score and difference), mark of the row by its score,
        records. What is not known is NaN.
    """
    rows = [_row(direction, row) for row in ROWS if row in direction.runs]
    corrected = iter(holm([row[f"{one.column}_p"] for row in rows for one in COMPARED]))
    for row in rows:
        row |= {f"{one.column}_p_holm": float(next(corrected)) for one in COMPARED}
    best = marks({str(row["variant"]): direction.examples[str(row["variant"])] for row in rows})
    rows = [{**row, MARK: best.get(str(row["variant"]), UNTESTED)} for row in rows]
    return pd.DataFrame(rows)


def note_of(direction: Direction, frame: pd.DataFrame) -> str:
    """What stands below the section."""
    seeds = " to ".join(dict.fromkeys(str(count) for count in (frame["seeds"].min(), frame["seeds"].max())))
    named = [name.split("/")[-1] for name in direction.sources]
    learnt_on = f", learnt on {direction.learnt_on}" if direction.learnt_on else ""
    text = [
        f"Frozen weights: those that {', '.join(named)} ended with{learnt_on}.",
        f"Score: {direction.called}, mean ± standard deviation over seeds; seeds per row: {seeds}.",
        f"Δ: mean score in {direction.unit} minus that of {LEARNT} or {RANDOM}, above zero is better.",
        tests_note(direction.drawn, "all comparisons of the section"),
        NOTE,
    ]
    text.append(number_formats(direction.runs, direction.runs))
    factor, digits = direction.scale
    columns = tuple(one.column for one in COMPARED)
    text.append(detectable(frame, columns, direction.unit.lstrip("−"), factor, digits))
    if frame["seeds"].min() == 1:
        text.append("A row with one seed speaks of that one trained model.")
    absent = [row for row in ROWS if row not in direction.runs]
    if absent:
        text.append(f"No finished run yet of: {', '.join(absent)}.")
    return " ".join(filter(None, text))


def _row(direction: Direction, name: str) -> dict[str, Any]:
    runs = direction.runs[name]
    mean, std = mean_std([run.final[direction.metric] for run in runs])
    row: dict[str, Any] = {
        "section": direction.title, "variant": name, "seeds": len(runs), "score_mean": mean, "score_std": std,
    }  # fmt: skip
    for one in COMPARED:
        other = direction.examples.get(one.other, {}) if name in one.rows else {}
        row |= difference(one.column, direction.examples[name], other, len(COMPARED) * len(ROWS))
    taken = [run.settings["transfer"]["source"].split("/")[-1] for run in runs if name not in (REFERENCE, LEARNT)]
    return row | {
        "weights": " ".join(dict.fromkeys(taken)), "score_scale": direction.shown[0],
        "score_digits": direction.shown[1], "scale": direction.scale[0], "digits": direction.scale[1],
        "records": recorded(runs),
    }  # fmt: skip
