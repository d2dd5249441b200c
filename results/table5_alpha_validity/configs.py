"""What table 5 compares. Rows are named as by ``python -m alpha_validity table --variants``."""

STEP = "alpha_validity"
VARIANTS = (
    "dm", "dm_equal", "dm_free_equal", "dm_scale_none", "dm_scale_rms", "dm_softmax", "dm_sigmoid", "dm_lr1", "dm_lr20",
    "dm_shared", "dm_token", "dm_output", "dm_frozen", "dm_dropout", "dm_free_equal_dropout", "dm_linear", "gated",
    "attention", "multiplicative", "hierarchical", "scalar_mix", "li", "li_soma",
)  # fmt: skip
"""Rows in order."""
SEEDS: tuple[int, ...] = tuple(range(5))
MEASURES = {
    "alpha": "|α|", "effective": "effective α", "contribution": "contribution",
    "projection": "signed projection", "gradient": "gradient × term",
    "leave_one_out": "leave-one-out", "shapley": "Shapley",
}  # fmt: skip
"""Column of measures.parquet -> what a reader calls it."""
EQUAL = "equal shares"
"""Row that no run has: every stream is said to matter alike."""
SCOPES = {"all": "all settings", "unique": "unique information", "redundant": "redundant", "synergistic": "synergistic"}
"""Kind of setting -> the title of its part; ``all`` takes every one."""
DRAWN = ("dm", "dm_free_equal", "dm_dropout", "gated", "li")
"""Variants in the figure."""
