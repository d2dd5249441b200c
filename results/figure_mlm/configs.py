"""Which runs the figures show. Names are those of ``python -m step2_mlm table --variants``."""

SHOWN = ("duplicate", "shuffled", "dm", "dm_linear", "li")
"""Variants whose gain and α are drawn."""
EXPLAINED = ("dm", "li")
"""Variants whose contribution is drawn by slice."""
