"""From runs of a language model to the numbers of a table: every row against the reference stream alone, per token."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.evaluation.statistics import holm, mean_std
from results.best import MARK, NOTE, UNTESTED, marks
from results.costs import StepTimes
from results.differences import Seeds, detectable, difference, tests_note
from results.grouping import by_variant, grouped, setting_key, tried
from results.kinds import split_option
from results.reader import RecordError, Run, recorded, where
from results.render import sizes_note
from results.tables import BASELINE, number_formats, section_titles

BLOCK = 128
"""Consecutive tokens that are resampled together: predictions near each other are not independent."""


def token_table(
    runs: Sequence[Run], rows: Sequence[str], metrics: Mapping[str, str], times: StepTimes | None = None
) -> pd.DataFrame:
    """One section per setting (data, backbone), one row per variant that has runs.

    Args:
        runs: finished runs of one step.
        rows: variants in order; others are left out.
        metrics: column -> key of final.json, shown as mean and standard deviation over seeds; NaN where a run has none.
        times: step times, measured side by side; None leaves them unknown.

    Returns:
        columns section, variant, seeds, tokens, ``<metric>_mean``, ``<metric>_std``, difference (negative
        log-likelihood minus that of the baseline, nats per token: below zero is better) with
        :data:`results.differences.PARTS`, the difference to the row's own rule on shuffled streams (told, with told_low
        and told_high: what the right streams add; table 6 tests it), costs, the names of the records, and the mark of
        the row by its mean negative log-likelihood.
    """
    titles, table = section_titles(runs), []
    for key, group in grouped(runs, setting_key).items():
        by_name = by_variant(group)
        baseline = by_name.get(BASELINE, [])
        present = [name for name in rows if name in by_name]
        read = dict.fromkeys((BASELINE, *rows, *map(shuffled_twin, rows)))
        scores = scores_of_blocks({name: by_name[name] for name in read if name in by_name})
        drafts = [
            _row(titles[key], by_name[name], baseline, scores, metrics, times, comparisons=len(present))
            for name in present
        ]
        corrected = holm([draft["difference_p"] for draft in drafts])
        best = marks({name: scores[name] for name in present})
        table += [
            {**draft, "difference_p_holm": float(p), MARK: best.get(draft["variant"], UNTESTED)}
            for draft, p in zip(drafts, corrected, strict=True)
        ]
    return pd.DataFrame(table)


def shuffled_twin(name: str) -> str:
    """The row that has the rule of row `name` on shuffled streams: ``shuffled`` for DM, else ``<rule>_shuffled``."""
    rule, option = split_option(name)
    return ("shuffled" if rule == "dm" else f"{rule}_shuffled") + option


def token_losses(run: Run) -> pd.DataFrame:
    """Test predictions by place in the text; they must agree with final.json."""
    frame = run.tokens().set_index("place").sort_index()
    gap = abs(float(frame["nll"].mean()) - run.final["test_loss"])
    if not frame.index.is_unique or frame["nll"].isna().any() or not gap <= 1e-3:
        raise RecordError(f"{run.folder}: predictions and final.json differ by {gap:.4f} nats; run it again")
    return frame


def block_scores(frames: Sequence[pd.DataFrame]) -> np.ndarray:
    """``[S, blocks]``: sums of the negative log-likelihood in blocks of consecutive places, scaled so that their mean
    is the mean per token.

    Raises:
        RecordError: the frames are not of the same tokens.
    """
    first = frames[0]
    rows = []
    for frame in frames:
        if not frame.index.equals(first.index) or not np.array_equal(frame["token"], first["token"]):
            raise RecordError("two runs were tested on different tokens, so they cannot be compared; keep one of them")
        sums = frame["nll"].astype(np.float64).groupby(frame.index // BLOCK).sum()
        rows.append(sums.to_numpy() * len(sums) / len(frame))
    return np.stack(rows)


def scores_of_blocks(by_name: Mapping[str, Sequence[Run]]) -> dict[str, dict[int, np.ndarray]]:
    """Name -> seed -> scores ``[blocks]`` of its runs, higher is better.

    Raises:
        RecordError: the runs were not tested on the same tokens.
    """
    pairs = [(name, run) for name, runs in by_name.items() for run in runs]
    losses = block_scores([token_losses(run) for _, run in pairs]) if pairs else ()
    found: dict[str, dict[int, np.ndarray]] = {name: {} for name in by_name}
    for (name, run), row in zip(pairs, losses, strict=True):
        found[name][run.seed] = -row
    return found


def paired(runs: Sequence[Run], baseline: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """The runs of both whose seeds both have."""
    own, other = ({run.seed: run for run in group} for group in (runs, baseline))
    common = sorted(set(own) & set(other))
    return [own[seed] for seed in common], [other[seed] for seed in common]


def _row(
    title: str,
    runs: Sequence[Run],
    baseline: Sequence[Run],
    scores: Mapping[str, Seeds],
    metrics: Mapping[str, str],
    times: StepTimes | None,
    comparisons: int,
) -> dict[str, Any]:
    final, name = runs[0].final, runs[0].name
    row: dict[str, Any] = {"section": title, "variant": name, "seeds": len(runs), "tokens": final["test_tokens"]}
    for column, key in metrics.items():
        row[f"{column}_mean"], row[f"{column}_std"] = mean_std([run.final.get(key, math.nan) for run in runs])
    # Scores are negative losses, so that a loss above the other's is the other's score minus the own.
    gap = difference("difference", {} if name == BASELINE else scores.get(BASELINE, {}), scores[name], comparisons)
    told = difference("told", scores.get(shuffled_twin(name), {}), scores[name])
    ours, theirs = paired(runs, baseline)
    return row | {
        **gap,
        "parameters": final["parameters"],
        "parameters_added": final["parameters"] - theirs[0].final["parameters"] if ours else math.nan,
        "parameters_ratio": final["parameters"] / theirs[0].final["parameters"] if ours else math.nan,
        "flops_per_token": final["flops_per_token"],
        "step_time_ms": math.nan if times is None else times.of(name, runs[0]),
        "records": recorded(runs),
        **{column: told[column] for column in ("told", "told_low", "told_high")},
    }


def _measured_on(run: Run) -> str:
    """What a perplexity of the test split depends on beside the model: context, tokens per word, the text."""
    environment, final = run.environment, run.final
    counts, digest = environment["data_counts"]["test"], environment["data_text_hashes"]["test"]
    if "test_words" in final:  # of a causal model, which scores every token
        tokens, words = final["test_tokens"], final["test_words"]
        window = f"context {environment['context']} tokens, stride {environment['stride']}"
    else:
        tokens, words = counts["tokens"], counts["words"]
        window = f"windows of {run.settings['train']['max_length']} tokens"
    return f"Test text as it came: {tokens / words:.2f} tokens a word; {window}; SHA-256 {digest[:8]}…"


def captions(runs: Sequence[Run], frame: pd.DataFrame, times: StepTimes | None = None) -> dict[str, str]:
    """Section -> what a reader must know beside its numbers."""
    titles, result = section_titles(runs), {}
    for key, group in grouped(runs, setting_key).items():
        part = where(frame, section=titles[key])
        if part.empty:
            continue
        environment = group[0].environment
        used, counts = environment["data_used_tokens"], environment["data_counts"]
        seeds = " to ".join(dict.fromkeys(str(count) for count in (part["seeds"].min(), part["seeds"].max())))
        single = "A row with one seed speaks of that one pair of trained models." if part["seeds"].min() == 1 else ""
        text = [
            f"Text: {group[0].dataset} ({used['train']:,} tokens of training text in an epoch; test:",
            f"{used['test']:,} of {counts['test']['tokens']:,} tokens, {int(part['tokens'].iloc[0]):,} of them",
            f"predicted). Backbone: {environment['backbone_source']}; vocabulary of",
            f"{environment['tokenizer_entries']:,}. {_measured_on(group[0])}",
            f"Seeds per row: {seeds}. Configurations trained on these data,",
            f"seeds apart: {tried(group)}. {sizes_note(BASELINE)} ± is the standard deviation over seeds. Δ is the",
            "negative log-likelihood minus that of the reference stream alone, in nats per token (below zero is",
            f"better). {tests_note(f'blocks of {BLOCK} tokens', 'the section')}",
            f"By the mean negative log-likelihood: {NOTE[0].lower()}{NOTE[1:]}",
        ]
        if part["told"].notna().any():
            text += [
                "Δ to shuffled is the same difference to the row's own rule on streams of the wrong words: what the",
                "right ones add; the tables of universality test it.",
            ]
        if times is not None and part["step_time_ms"].notna().any():
            text.append(f"Step times side by side: {times.description}.")
        text += [
            number_formats(by_variant(group), set(part["variant"])),
            detectable(part, ("difference",), "nats per token", digits=3),
        ]
        result[titles[key]] = " ".join(filter(None, [*text, single]))
    return result
