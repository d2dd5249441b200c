"""What the ablation compares. Names are those of ``python -m step1_sentiment table --variants``."""

from itertools import combinations

STREAMS = ("meaning", "phonetic", "morphological")
RULES = ("dm", "li")

SUBSETS: tuple[tuple[str, ...], ...] = tuple(
    chosen for size in range(1, len(STREAMS) + 1) for chosen in combinations(STREAMS, size)
)
"""All subsets but the empty one, small ones first."""


def row_name(rule: str, streams: tuple[str, ...]) -> str:
    """``dm[meaning+phonetic]``."""
    return f"{rule}[{'+'.join(streams)}]"


ROW_NAMES: tuple[str, ...] = ("meaning", *(row_name(rule, chosen) for rule in RULES for chosen in SUBSETS))
"""The plain backbone, then every subset under every rule."""

ROWS: dict[str, tuple[str, ...]] = dict.fromkeys(("sst5", "trec", "planted"), ROW_NAMES)
"""Dataset -> rows in order."""

VARIANTS: tuple[str, ...] = (
    "meaning", *RULES, *(row_name(rule, chosen) for rule in RULES for chosen in SUBSETS if chosen != STREAMS)
)  # fmt: skip
"""All variants to be run for it; on all streams a rule is the same run as in table 1."""

DATASETS: tuple[str, ...] = tuple(ROWS)
SEEDS: tuple[int, ...] = tuple(range(10))
