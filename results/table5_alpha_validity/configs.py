"""What table 5 compares. Rows are named as by ``python -m alpha_validity table --variants``."""

STEP = "alpha_validity"
PLAIN = (
    "dm", "dm_equal", "dm_free_equal", "dm_shared", "dm_token", "dm_output", "dm_frozen", "dm_dropout",
    "dm_free_equal_dropout", "dm_linear", "gated", "attention", "multiplicative", "hierarchical", "scalar_mix", "li",
    "li_soma",
)  # fmt: skip
"""Rows of every part, in order."""
RULES = ("dm", "dm_linear", "gated", "attention", "multiplicative", "hierarchical", "scalar_mix")
"""Rules with α: each also has a row for every condition that it allows, in the parts over all settings."""
CONDITIONS = {
    "scale_none": "scaling: none", "scale_rms": "scaling: RMS 1",
    "softmax": "α: softmax over streams", "sigmoid": "α: sigmoid",
    "lr1": "learning rate of α: × 1", "lr20": "learning rate of α: × 20",
}  # fmt: skip
"""Ending of a variant -> in what it differs from its rule as it is (scaling to the reference, free α, × 5)."""
CONSTRAINABLE = {"softmax": ("dm", "dm_linear"), "sigmoid": ("dm", "dm_linear")}
"""Condition -> the only rules that have it; others belong to all of :data:`RULES`."""
CONDITIONED = tuple(
    f"{rule}_{condition}" for rule in RULES for condition in CONDITIONS if rule in CONSTRAINABLE.get(condition, RULES)
)
CONSTRAINED = ("dm_equal_softmax", "dm_equal_sigmoid")
"""Constraints from equal weights, where they need not begin at their bounds; in the parts over all settings."""
VARIANTS = (*PLAIN, *CONDITIONED, *CONSTRAINED)
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
"""Kind of setting -> the title of its part; ``all`` takes every one, and shows every variant."""
DRAWN = ("dm", "dm_free_equal", "dm_dropout", "gated", "li")
"""Variants in the figure."""
