"""What table 2 compares. Names are those of ``python -m step2_mlm table --variants``."""

STEP = "step2_mlm"
VARIANTS = (
    "meaning", "duplicate", "shuffled", "concat", "gmu", "dm", "dm_linear", "dm_linear_shuffled", "dm_linear[meaning]",
    "li", "li_shuffled", "li_soma",
)  # fmt: skip
"""Rows in order."""
SEEDS: tuple[int, ...] = tuple(range(5))
METRICS = {"perplexity": "test_perplexity", "accuracy": "test_accuracy"}
"""Column -> key of final.json."""
