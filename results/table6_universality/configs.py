"""What table 6 compares: the rows of all steps under common names.

``meaning`` and ``no_image`` are the reference, ``swapped`` (DM with the pictures of other samples) is the shuffled
control of pictures. ``cross_attention`` is another thing over pictures (Flamingo's, between the layers) than over
texts. All rules compete in their usual form, reference and controls too, so that a rule which loses to noise is seen to
do so. Other starts (``dm_equal``, ``dm_nudged``), stream dropout and subsets of the streams do not; they stand in the
tables of the steps.
"""

from __future__ import annotations

REFERENCE, SHUFFLED, DM = "reference", "shuffled", "dm"
REFERENCES = (REFERENCE, "reference_params", "reference_flops")
"""The reference stream alone; then widened to the parameters, or the FLOPs, of DM."""
CONTROLS = ("duplicate", "noise", SHUFFLED, *(f"{rule}_{SHUFFLED}" for rule in ("dm_linear", "li", "li_soma")))
"""DM on streams that tell nothing new, and other rules on shuffled ones."""
FUSIONS = (
    "concat", "late_ensemble", "scalar_mix", "gmu", "cross_attention", "mean", "attention", "gated", "multiplicative",
    "hierarchical", "mag", "film", "flamingo", "hyper_connections", "prefix_mlp", "prefix_transformer", "projector",
    "projector_patches", "qformer",
)  # fmt: skip
STUDIED = ("dm", "dm_output", "dm_pooled", "dm_token", "dm_linear", "li", "li_pooled", "li_soma")
RULES = (*REFERENCES, *CONTROLS, *FUSIONS, *STUDIED)
"""Rows in order. Subsets of streams, and arms that train one rule in another way such as ``dm_dropout``, have none."""

RENAMED = {
    "meaning": REFERENCE, "no_image": REFERENCE, "meaning_params": "reference_params",
    "meaning_flops": "reference_flops", "swapped": SHUFFLED,
    **{name.replace(SHUFFLED, "swapped"): name for name in CONTROLS if name.endswith(f"_{SHUFFLED}")},
}  # fmt: skip
"""Name in a record -> its row here; all others keep theirs. ``swapped`` has the pictures of other samples."""
OPTIONS = {"a": ("meaning",), "b": ("meaning", "meaning_params", "meaning_flops")}
"""Ending of the rules of step 3, by how they join -> runs without it that belong there; sizes are those of ``dm_b``."""


def rule_of(name: str, option: str = "") -> str | None:
    """The row of a run, None where it has none.

    Args:
        name: variant in the record.
        option: of step 3; its rules end in it.
    """
    if option and name not in OPTIONS[option]:
        plain = name.removesuffix(f"_{option}")
        return plain if plain != name and plain in RULES else None
    rule = RENAMED.get(name, name)
    return rule if rule in RULES else None
