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


WITH_DROPOUT: tuple[str, ...] = tuple(f"{rule}_dropout" for rule in RULES)
"""All streams, trained with stream dropout: the models whose Shapley values are measured."""

ROW_NAMES: tuple[str, ...] = (
    "meaning", *(row_name(rule, chosen) for rule in RULES for chosen in SUBSETS), *WITH_DROPOUT,
)  # fmt: skip
"""The plain backbone, then every subset under every rule, then stream dropout."""

ROWS: dict[str, tuple[str, ...]] = dict.fromkeys(("sst5", "trec", "planted"), ROW_NAMES)
"""Dataset -> rows in order, where some subset was run."""

VARIANTS: tuple[str, ...] = (
    "meaning", *RULES, *(row_name(rule, chosen) for rule in RULES for chosen in SUBSETS if chosen != STREAMS),
    *WITH_DROPOUT,
)  # fmt: skip
"""All variants to be run for it; on all streams a rule is the same run as in table 1."""

ALONE = ("meaning", *RULES, *(row_name(rule, ("phonetic",)) for rule in RULES), WITH_DROPOUT[0])
"""Where the phonetic stream alone stands beside all of them."""

WANTED: dict[str, tuple[str, ...]] = {"sst5": VARIANTS, "planted": ALONE, "planted phonetic 1": VARIANTS}
"""Setting -> variants to be run there."""
SEEDS: tuple[int, ...] = tuple(range(10))
