"""Classes of English words whose contribution to sentiment is worth comparing.

Negators and intensifiers follow the closed lists of SO-CAL (Taboada et al. 2011, "Lexicon-based methods for sentiment
analysis", Computational Linguistics 37(2), sections 2.3 and 2.4) and VADER (Hutto and Gilbert 2014), shortened to
single words. The contracted negators stand also in the split form of the Penn Treebank (``n't``).
"""

from __future__ import annotations

from typing import Literal

WordClass = Literal["negation", "intensifier", "punctuation", "number", "rare", "other"]

CLASSES: tuple[WordClass, ...] = ("negation", "intensifier", "rare", "number", "punctuation", "other")
"""All classes, in the order of figures."""

_NEGATIONS = """
    no not never none nobody nothing nowhere neither nor without lack lacks lacked lacking hardly scarcely barely
    rarely seldom cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt couldnt shouldnt hasnt havent hadnt
    n't can't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't couldn't shouldn't hasn't haven't hadn't
    mustn't needn't ain't
    """

_INTENSIFIERS = """
    very really so too extremely highly totally completely absolutely utterly entirely fully thoroughly deeply
    incredibly remarkably particularly especially exceptionally extraordinarily enormously hugely immensely intensely
    truly quite rather pretty fairly most more much purely decidedly unbelievably terribly awfully
    slightly somewhat little almost nearly mostly partly marginally kinda sorta less least
    """

NEGATIONS = frozenset(_NEGATIONS.split())
INTENSIFIERS = frozenset(_INTENSIFIERS.split())
"""Amplifiers and downtoners."""


def word_class(word: str, frequency: int, rare_at: int = 1) -> WordClass:
    """Class of a word; the closed lists go before rarity.

    Args:
        word: one word in any case; the typographic apostrophe counts as the plain one.
        frequency: how often the word occurs in the reference text (the training split).
        rare_at: a word is rare when it occurs at most this often.
    """
    plain = word.lower().replace("\u2019", "'").strip()
    if plain in NEGATIONS:
        return "negation"
    if plain in INTENSIFIERS:
        return "intensifier"
    if not any(character.isalnum() for character in plain):
        return "punctuation"
    if any(character.isdigit() for character in plain):
        return "number"
    return "rare" if frequency <= rare_at else "other"
