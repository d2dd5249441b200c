"""Which runs the figures show. Names are those of ``python -m step3_gpt table --variants``."""

SHOWN = ("meaning_params", "duplicate_b", "shuffled_b", "dm_a", "dm_b", "li_b")
"""Variants whose loss, gain and α are drawn."""
