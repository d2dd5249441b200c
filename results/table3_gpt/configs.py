"""What table 3 compares. Names are those of ``python -m step3_gpt table --variants``."""

STEP = "step3_gpt"
VARIANTS = (
    "meaning", "meaning_params", "meaning_flops", "duplicate_a", "shuffled_a", "dm_a", "li_a", "duplicate_b",
    "shuffled_b", "dm_b", "dm_equal_b", "li_b", "dm_linear_b", "dm_linear_shuffled_b", "dm_linear[meaning]_b",
    "concat_a",
)  # fmt: skip
"""Rows in order; a joins the streams at the output, b in every layer."""
SEEDS: tuple[int, ...] = (0, 1, 2)
METRICS = {
    "bits": "test_bits_per_byte",
    "word_perplexity": "test_word_perplexity",
    "token_perplexity": "test_token_perplexity",
}
"""Column -> key of final.json."""
ELSEWHERE = "wikitext-2"
"""Further text whose test split is scored, where the runs have it."""
