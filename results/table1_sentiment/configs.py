"""What table 1 compares. Names are those of ``python -m step1_sentiment table --variants``."""

LATE_ENSEMBLE = ("meaning", "dm[phonetic]", "dm[morphological]")
"""Single-stream models whose log-probabilities are averaged for the row ``late_ensemble``."""

MAIN_ROWS = ("meaning", "duplicate", "shuffled", "concat", "dm", "dm_equal", "li")
"""Rows on every dataset. Whether a rule finds a stream that alone would do depends on where its weights start."""

ALL_ROWS = (
    "meaning", "duplicate", "shuffled", "noise",
    "concat", "late_ensemble", "scalar_mix", "gmu", "mag", "film", "cross_attention", "hyper_connections",
    "dm", "dm_equal", "dm_linear", "li", "li_soma",
)  # fmt: skip
"""Rows on the main dataset: the baseline, the controls, other fusions, the study's rules."""

PLANTED_ROWS = (*MAIN_ROWS, "li_shuffled", "dm_nudged", "dm_dropout", "dm[phonetic]", "li[phonetic]")
"""Rows on generated texts."""

LARGE_ROWS = ("meaning", "dm", "li")
"""Rows on the large dataset. DM and LI are so near the backbone there that a control has no gain to explain."""

START_ROWS = ("meaning", "dm", "dm_equal", "li")
"""Rows where the label is redundant or synergistic: the backbone, and the rules from their starts."""

LADDER = {f"planted {shares}": ("meaning", "dm_equal", "li") for shares in (
    "meaning 1", "meaning 0.7 phonetic 0.3", "meaning 0.5 phonetic 0.5", "meaning 0.3 phonetic 0.7",
)}  # fmt: skip
"""Divisions of the label between meaning and sound -> rows: the backbone, and the rules that find the sound."""

ROWS: dict[str, tuple[str, ...]] = {"sst5": ALL_ROWS, "trec": MAIN_ROWS, "imdb": LARGE_ROWS, "planted": PLANTED_ROWS}
"""Dataset -> rows in order."""

VARIANTS: tuple[str, ...] = tuple(
    dict.fromkeys(name for name in (*MAIN_ROWS, *ALL_ROWS, *LATE_ENSEMBLE, *PLANTED_ROWS) if name != "late_ensemble")
)
"""All variants to be run for it, the most telling first."""

WANTED: dict[str, tuple[str, ...]] = {
    **{name: tuple(dict.fromkeys(one for row in rows for one in (LATE_ENSEMBLE if row == "late_ensemble" else (row,))))
       for name, rows in ROWS.items()},
    "planted": tuple(name for name in PLANTED_ROWS if name != "li_shuffled"),
    "planted phonetic 1": PLANTED_ROWS,
    "planted meaning=phonetic 1": START_ROWS,
    "planted meaning+phonetic 1": START_ROWS,
    **LADDER,
}  # fmt: skip
"""Setting -> variants to be run there, with the members of the ensemble in its place."""
SEEDS: tuple[int, ...] = tuple(range(10))
