"""What table 9 compares. Names are those of ``python -m step1_sentiment table --variants``."""

from __future__ import annotations

STUDIED = ("dm", "dm_equal", "dm_nudged", "dm_dropout", "li", "li_dropout")
"""Variants whose streams are judged, in order: DM from three starts, and the others. Shapley values are those of the
ones with stream dropout.
"""
SECONDARY = ("phonetic", "morphological")
RETRAINED = tuple(
    f"{rule}[{'+'.join(kept)}]"
    for rule in ("dm", "li")
    for kept in (("meaning", "phonetic"), ("meaning", "morphological"), SECONDARY)
)
"""The rules trained without one stream."""
EQUAL_SIZE = "duplicate"
"""DM trained without any secondary stream at equal parameters: their encoders read the subwords again."""
VARIANTS = (*STUDIED, *RETRAINED, EQUAL_SIZE)
"""All that it reads."""
DATASETS = ("sst5", "trec", "imdb", "planted")
SEEDS = tuple(range(10))
"""As in table 1."""
