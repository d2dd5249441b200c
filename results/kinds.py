"""What the tables are: how their differences are read, which rows are compared, and in which group a row is."""

from __future__ import annotations

from dataclasses import dataclass

SIGNIFICANT = 0.05
"""A p value below it, after Holm's correction, is called significant."""
FEW = 3
"""Fewer seeds than these are few, whatever the p value."""
STUDIED = ("dm", "dm_linear", "li", "li_soma")
CONTROLS = ("duplicate", "shuffled", "noise", "swapped")
MATCHED = ("meaning_params", "meaning_flops")
OPTIONS = ("_a", "_b")
"""Endings of the rows of step 3."""
ENDINGS = (*OPTIONS, "_output", "_pooled", "_token", "_dropout", "_equal", "_nudged")
"""What a row's name may have behind its rule or control."""
ALONE = "[meaning]"
"""Ending of a rule without any stream but the backbone's own."""
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


def split_option(variant: str) -> tuple[str, str]:
    """A row's name without the ending of step 3, and that ending or an empty string."""
    option = next((end for end in OPTIONS if variant.endswith(end)), "")
    return variant.removesuffix(option), option


def group_of(variant: str) -> str:
    """``studied``, ``controls`` (streams that tell nothing new, or none), ``matched``, ``subsets`` of the streams, or
    ``others``.
    """
    plain = without_ending(variant)
    if plain.endswith((ALONE, *(f"_{control}" for control in CONTROLS))):
        return "controls"
    if "[" in plain:
        return "subsets"
    groups = {"studied": STUDIED, "controls": CONTROLS, "matched": (*MATCHED, "meaning", "no_image")}
    return next((name for name, rows in groups.items() if plain in rows), "others")


def without_ending(variant: str) -> str:
    """The rule or control that a row's name begins with."""
    ending = next((end for end in ENDINGS if variant.endswith(end)), "")
    return without_ending(variant.removesuffix(ending)) if ending else variant
