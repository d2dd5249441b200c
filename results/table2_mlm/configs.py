"""What table 2 compares. Names are those of ``python -m step2_mlm table --variants``."""

STEP = "step2_mlm"
VARIANTS = ("meaning", "duplicate", "shuffled", "concat", "gmu", "dm", "dm_linear", "li", "li_soma")
"""Rows in order."""
SEEDS: tuple[int, ...] = tuple(range(5))
METRICS = {"perplexity": "test_perplexity", "accuracy": "test_accuracy"}
"""Column -> key of final.json."""
