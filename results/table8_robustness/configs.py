"""What table 8 compares. Names are those of ``python -m step1_sentiment table --variants``."""

VARIANTS = ("meaning", "duplicate", "shuffled", "dm", "dm_equal", "li", "dm_dropout")
"""Rows in order."""
DATASETS = ("sst5", "trec")
"""Data of real words: the pseudo-words of generated texts have no homophones and no derivations."""
WANTED = {"trec": VARIANTS}
"""Setting -> variants to be evaluated there."""
SEEDS = tuple(range(10))
AFTER, FILE = "robustness", "robustness.json"
"""The command of step 1 that evaluates finished runs, and the file that it leaves in their folders."""

CLEAN = "clean"
"""In place of a kind: the texts as they are."""
KINDS = {
    "typo": "typos",
    "phonetic": "misspellings that the phonetic stream hears as the word",
    "phonetic_unchecked": "misspellings that keep the sound by the rules of spelling",
    "homophone": "homophones",
    "derivation": "derived forms unseen in training",
}
"""Kind in a record -> what it is called, in order; kinds that are not named follow under their own names."""
STAND_IN = "duplicate_of_"
"""Beginning of the name of a stream that stands in for another; it is shown in that one's column."""
