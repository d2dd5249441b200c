"""Which runs the figure wants. Names are those of ``python -m step1_sentiment table --variants``."""

STARTS = "step1_sentiment"
"""The step whose runs on shares of the training data it wants; its other half shows the runs of every step."""
VARIANTS: tuple[str, ...] = ("meaning", "concat", "dm", "li")
"""The reference alone, the plainest fusion, and the rules under study."""
FRACTIONS: dict[str, tuple[float, ...]] = {"sst5": (0.01, 1.0), "trec": (0.01, 0.03, 0.1, 0.3, 1.0)}
"""Dataset -> shares of its training data: a curve on one, and its ends on the other, of which a run takes much longer.
Those of all data are the runs of table 1."""
DATASETS: tuple[str, ...] = tuple(FRACTIONS)
WANTED: dict[str, tuple[str, ...]] = dict.fromkeys(DATASETS, VARIANTS)
"""Setting -> variants to be run there."""
SEEDS: tuple[int, ...] = tuple(range(5))
"""Fewer than table 1 has, as there are five times as many runs."""

TASKS = {
    "step1_sentiment": "sentiment", "step2_mlm": "masked LM", "step3_gpt": "causal LM",
    "step4_vision_language": "vision and language",
}  # fmt: skip
"""Step -> title of its panel."""
