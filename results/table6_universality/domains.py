"""From the records of all steps to domains: what every rule scored with every seed on every test example.

A domain is a setting that tables 1 to 5 compare within: sentiment (accuracy), masked language model, causal language
model with streams joined at the output (a) and in every layer (b) (−nats per token), captions (CIDEr-D), questions
(accuracy), retrieval (text to image R@10), planted vectors (accuracy; its examples are the planted settings). Options a
and b share the reference's runs, so they are drawn together and are not independent. Retrieval and planted vectors have
no model of the reference alone: Δ is there to DM, and no score is normalised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from results.arms import arm, check_labels, late_ensemble
from results.grouping import by_variant, grouped, setting_key
from results.reader import RecordError, Run, recorded, where
from results.table1_sentiment.configs import LADDER, LATE_ENSEMBLE
from results.table2_mlm.configs import STEP as MLM
from results.table3_gpt.configs import STEP as GPT
from results.table4_vision_language.configs import TASKS
from results.table4_vision_language.configs import VARIANTS as VISION_ROWS
from results.table5_alpha_validity.configs import STEP as VECTORS
from results.table5_alpha_validity.tenths import in_tenths
from results.table6_universality.configs import DM, OPTIONS, REFERENCE, RULES, rule_of
from results.tables import ENSEMBLE, section_titles
from results.tokens import BLOCK, scores_of_blocks
from results.vision_language import scores_by_seed, sections

SENTIMENT = "step1_sentiment"
Scores = Mapping[str, Mapping[int, np.ndarray]]
"""Rule -> seed -> scores ``[E]`` of the same examples in the same order, higher is better."""


@dataclass(frozen=True)
class Domain:
    """One setting in which rules can be compared."""

    title: str
    called: str
    """What a reader calls the score."""
    scale: float
    """Written scores are times this."""
    examples: str
    """What is drawn beside seeds."""
    scores: Scores
    setting: str = ""
    """Domains of one setting share runs, and so their draws."""
    records: Mapping[str, str] = field(default_factory=dict)
    """Rule -> names of the records that its scores are from."""
    task: str = ""
    """Domains of one task differ in their data, models or option; empty stands for the title."""

    @property
    def rules(self) -> tuple[str, ...]:
        """In the order of the table."""
        return tuple(rule for rule in RULES if rule in self.scores)

    @property
    def anchor(self) -> str:
        """The rule that all are compared with: the reference alone, or DM where there is no such model."""
        return REFERENCE if REFERENCE in self.scores else DM


def domains(runs: Sequence[Run]) -> list[Domain]:
    """Every setting in which the reference or DM and one more rule have runs."""
    runs = sorted(runs, key=lambda run: (run.name, run.seed, run.folder))
    found = [*_sentiment(runs), *_masked(runs), *_causal(runs), *_vision(runs), *_vectors(runs)]
    return [domain for domain in found if domain.anchor in domain.scores and len(domain.scores) > 1]


def _sentiment(runs: Sequence[Run]) -> Iterable[Domain]:
    """Texts that share out the label in steps are made to draw measures against the shares, and have few rules."""
    settings = _settings(runs, SENTIMENT)
    for title, group in ((title, group) for title, group in settings if title.split(", ")[0] not in LADDER):
        by_name = by_variant(group)
        arms = {rule: arm(rule, own) for name, own in by_name.items() if (rule := rule_of(name)) is not None}
        if all(name in by_name for name in LATE_ENSEMBLE):
            joined = late_ensemble(ENSEMBLE, [by_name[name] for name in LATE_ENSEMBLE])
            arms |= {ENSEMBLE: joined} if joined is not None else {}
        for first, one in pairwise(arms.values()):
            check_labels(first.labels, one.labels, f"{title}: {first.name} and {one.name}")
        scores = {
            rule: dict(zip(one.seeds, one.correct(one.seeds).astype(np.float64), strict=True))
            for rule, one in arms.items()
        }
        named = {rule: " ".join(one.records) for rule, one in arms.items()}
        yield Domain(f"sentiment: {title}", "accuracy %", 100.0, "examples", scores, records=named, task="sentiment")


def _masked(runs: Sequence[Run]) -> Iterable[Domain]:
    for title, group in _settings(runs, MLM):
        by_rule = {rule: own for name, own in by_variant(group).items() if (rule := rule_of(name)) is not None}
        yield _of_tokens("masked LM", f"masked LM: {title}", by_rule, title)


def _causal(runs: Sequence[Run]) -> Iterable[Domain]:
    for title, group in _settings(runs, GPT):
        by_name = by_variant(group)
        for option in OPTIONS:
            by_rule = {rule: own for name, own in by_name.items() if (rule := rule_of(name, option)) is not None}
            yield _of_tokens("causal LM", f"causal LM {option}: {title}", by_rule, title)


def _vision(runs: Sequence[Run]) -> Iterable[Domain]:
    for section in sorted(sections(runs), key=lambda section: section.title):
        if section.task in TASKS:
            by_name = scores_by_seed(section, VISION_ROWS)
            scores = {rule: own for name, own in by_name.items() if (rule := rule_of(name)) is not None}
            drawn = "pictures" if section.task == "retrieval" else "examples"
            named = {rule: recorded(own) for name, own in section.by_name.items() if (rule := rule_of(name)) in scores}
            called = f"{TASKS[section.task].called} x 100"
            yield Domain(section.title, called, 100.0, drawn, scores, records=named, task=section.task)


def _vectors(runs: Sequence[Run]) -> Iterable[Domain]:
    """The planted settings are the examples: a record keeps the accuracy on each. Those in steps are made to draw
    measures against them, and have few rules.
    """
    own = [run for run in runs if run.config["step"] == VECTORS and not in_tenths(run)]
    groups = grouped(own, setting_key)
    for number, key in enumerate(sorted(groups), start=1):
        title = "planted vectors" if len(groups) == 1 else f"planted vectors #{number}"
        shown = by_variant(groups[key])
        by_rule = {rule: own for name, own in shown.items() if (rule := rule_of(name)) is not None}
        scores = {rule: {run.seed: _accuracies(run) for run in own} for rule, own in by_rule.items()}
        named = {rule: recorded(own) for rule, own in by_rule.items()}
        yield Domain(title, "accuracy %", 100.0, "planted settings", scores, records=named, task="planted vectors")


def _settings(runs: Sequence[Run], step: str) -> list[tuple[str, list[Run]]]:
    """Title -> runs, in the order of the titles."""
    own = [run for run in runs if run.config["step"] == step]
    titles = section_titles(own)
    return sorted((titles[key], group) for key, group in grouped(own, setting_key).items())


def _of_tokens(task: str, title: str, by_rule: Mapping[str, Sequence[Run]], setting: str) -> Domain:
    scores = scores_of_blocks(by_rule)
    named = {rule: recorded(own) for rule, own in by_rule.items()}
    return Domain(title, "−nats per token", 1.0, f"blocks of {BLOCK} tokens", scores, setting, named, task)


def _accuracies(run: Run) -> np.ndarray:
    values = where(run.metrics, split="test", metric="accuracy").sort_values("step")["value"].to_numpy(np.float64)
    if len(values) != run.final["settings"] or abs(values.mean() - run.final["test_accuracy"]) > 1e-3:
        raise RecordError(f"{run.folder}: metrics.csv and final.json differ in accuracy; run it again")
    return values
