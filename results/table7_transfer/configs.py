"""What table 7 compares: frozen mixing weights against learnt ones, in the domain that takes them."""

from __future__ import annotations

from dataclasses import dataclass

from results.table3_gpt.configs import STEP as GPT
from results.table4_vision_language.configs import STEP as VISION

REFERENCE, LEARNT, TRANSFER, RANDOM, EQUAL = "reference", "learnt", "transfer", "random", "equal"
ARMS = (TRANSFER, RANDOM, EQUAL)
"""As a config's ``transfer.arm`` names them."""
ROWS = (REFERENCE, LEARNT, *ARMS)
"""Rows in order: the reference stream alone; weights learnt here; learnt elsewhere; the controls."""
ALONE = {GPT: "meaning", VISION: "no_image"}
"""Step -> variant that is its reference stream alone. Other steps take no weights."""
NAMES = {"step1_sentiment": "sentiment", "step2_mlm": "masked text", GPT: "text", VISION: "vision-language"}
"""Step -> what a reader calls its domain."""
JOINED = ("streams", "integration", "fusion", "feedback", "option", "match")
"""Fields of a config that say how streams are joined; a model without streams may differ in them."""


@dataclass(frozen=True)
class Comparison:
    """A difference that stands in the table."""

    column: str
    other: str
    """Row that is subtracted."""
    rows: tuple[str, ...]
    """Rows from which it is."""


COMPARED = (
    Comparison("difference", LEARNT, (REFERENCE, *ARMS)),
    Comparison("to_random", RANDOM, (TRANSFER, EQUAL)),
)
