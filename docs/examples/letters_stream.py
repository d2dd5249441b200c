"""A stream of one's own: the letters of each word. Use it as ``StreamConfig(kind="letters")``."""

import string

from common.streams import UNKNOWN_SYMBOL, WordAnalyser, register_analyser


@register_analyser("letters")
class LettersAnalyser(WordAnalyser):
    """word -> its letters; other scripts and digits are unknown, punctuation is silent."""

    symbols = tuple(string.ascii_lowercase)

    def analyse(self, key: str) -> list[str]:
        return [c if c in self.symbols else UNKNOWN_SYMBOL for c in key if c.isalnum()]
