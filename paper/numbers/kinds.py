"""What the tables are: how their differences are read, which rows are compared, and in which group a row is."""

from __future__ import annotations

from dataclasses import dataclass

LEVEL = 0.05
"""A p value below it, after Holm's correction, is called significant."""
FEW = 3
"""Fewer seeds than these are few, whatever the p value."""
STUDIED = ("dm", "dm_linear", "li", "li_soma")
CONTROLS = ("duplicate", "shuffled", "noise", "swapped")
MATCHED = ("meaning_params", "meaning_flops")
ENDINGS = ("_a", "_b", "_output", "_pooled", "_token", "_dropout")
"""What a row's name may have behind its rule or control."""
OUTCOMES = ("better", "worse", "undecided", "single")
"""Of a row against its baseline; ``single``: one seed, which says nothing about training."""


@dataclass(frozen=True)
class Kind:
    """How the differences of a table are read."""

    scale: float = 100.0
    digits: int = 2
    lower_is_better: bool = False
    baseline: str = "the backbone alone"


NATS = Kind(scale=1.0, digits=3, lower_is_better=True)
PICTURES = Kind(baseline="the language model without pictures")
SHARES = "figure_efficiency/shares"
"""The table behind the figure of sample efficiency."""
KINDS = {
    "table1_sentiment": Kind(), "table1_ablation": Kind(), "table2_mlm": NATS, "table3_gpt": NATS,
    "table4_vision_language/captions": PICTURES, "table4_vision_language/questions": PICTURES,
    "table4_vision_language/retrieval": PICTURES, SHARES: Kind(),
}  # fmt: skip
"""Tables whose rows are compared with a baseline."""
ABLATION = "table1_ablation"


def group_of(variant: str) -> str:
    """``studied``, ``controls``, ``matched`` or ``others``."""
    plain = without_ending(variant)
    groups = {"studied": STUDIED, "controls": CONTROLS, "matched": (*MATCHED, "meaning", "no_image")}
    return next((name for name, rows in groups.items() if plain in rows), "others")


def without_ending(variant: str) -> str:
    """The rule or control that a row's name begins with."""
    if variant in (*STUDIED, *CONTROLS, *MATCHED):
        return variant
    return next((variant.removesuffix(end) for end in ENDINGS if variant.endswith(end)), variant)
