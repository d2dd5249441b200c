"""Which runs the figures show. Names are those of ``python -m step1_sentiment table --variants``."""

VARIANTS: tuple[str, ...] = (
    "dm", "dm_equal", "dm_linear", "li", "li_soma", "dm_dropout", "li_dropout", "duplicate", "shuffled",
)  # fmt: skip
"""Columns of the figures, in order; variants without a run are left out and named as missing."""

DATASETS: tuple[str, ...] = ("sst5", "trec", "imdb", "planted")
SEEDS: tuple[int, ...] = tuple(range(10))

RARE_AT = 1
"""A word is rare when it occurs at most this often in the training split."""

SITES_SHOWN = 4
"""Most sites drawn over training: first, last, and evenly between."""
