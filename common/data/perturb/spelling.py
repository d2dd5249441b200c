"""How English writes its phonemes: which letters of a word stand for which, and what else could stand there.

The tables were put together by hand from what school grammars list as regular and common irregular spellings; they are
not complete. A word that they cannot read is left alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

READ = {
    "AA": "o a ah aa ow e ea ho", "AE": "a ai au", "AH": "u o a e i ou oo y io ia eo ea ai au oe ie ei ah",
    "AO": "o aw au a oa ou ough augh oo", "AW": "ou ow ough au", "AY": "i y ie igh ei uy ai eye ye eigh",
    "B": "b bb", "CH": "ch tch t c ti", "D": "d dd ed ld", "DH": "th", "EH": "e ea a ai ie ue eo ei ay",
    "ER": "er ir ur or ear ar our yr re err urr ore ure eur orr", "EY": "a ai ay ei ey ea eigh e et aigh ee",
    "F": "f ff ph gh ft lf", "G": "g gg gh gu gue", "HH": "h wh", "IH": "i y e ee ui u a ie ea ai ei o ia",
    "IY": "ee ea ie y e i ey ei eo ay", "JH": "j g dg gg d di", "K": "k c ck ch cc q qu que kk lk cch", "L": "l ll",
    "M": "m mm mb mn lm", "N": "n nn kn gn pn", "NG": "n ng ngue", "OW": "o oa ow oe ough ou ew au eau oh",
    "OY": "oi oy", "P": "p pp", "R": "r rr wr rh", "S": "s ss c sc ps st sw",
    "SH": "sh ti ci ss ch s si sch sci ce ssi",
    "T": "t tt ed bt pt th cht", "TH": "th", "UH": "oo u ou o", "UW": "oo u ue ew ou o ui ough eu oe wo",
    "V": "v vv f ph", "W": "w wh u", "Y": "y i", "Z": "z s zz ss x es", "ZH": "s si z g ti",
    "K S": "x", "G Z": "x", "K SH": "x xi", "K W": "qu cqu", "Y UW": "u ew ue eu iew eau you", "AH L": "le l",
    "W AH": "o", "AH M": "m", "Y AH": "u io ia", "Y ER": "ure", "Y UH": "u", "AY ER": "ire yre", "EH R": "ere",
}  # fmt: skip
"""Phonemes without stress -> letters that may stand for them in words as they are."""
WRITE = {
    "AH0": "a e u i", "AH1": "u", "AH2": "u", "AO1": "aw au- o", "AO2": "aw au- o", "AW1": "ow ou-",
    "AY1": "i y igh$ ie$ ye$", "AY2": "i y", "CH": "ch -tch", "EH1": "e ea-", "EH2": "e", "ER0": "er ur ir",
    "ER1": "ur er ir", "EY1": "ai- ay ey eigh$", "EY2": "ai- ay ey", "F": "f ph -ff$", "IH0": "i e", "IH1": "i y",
    "IH2": "i y", "IY0": "y$ ie$ ee ey$", "IY1": "ee ea ie-", "IY2": "ee ea", "JH": "j", "K": "k -ck", "L": "l -ll$",
    "N": "n ^kn", "OW0": "o oe$ ow$", "OW1": "oa oe$ ow", "OW2": "o oa ow", "OY1": "oy oi-", "R": "r ^wr",
    "S": "s -ss$",
    "UH1": "oo u", "UW1": "oo ew ue$ u", "UW2": "oo ew", "W": "w ^wh", "Z": "z", "ZH": "zh", "K S": "x ks -cks",
    "G Z": "gz", "K W": "kw qu-", "Y UW1": "yoo -ew u", "Y UW0": "yoo u-", "AH0 L": "ul el al -le$",
}  # fmt: skip
"""Phonemes with stress -> letters that a writer who only heard them might put. ``^``: only at the start of the word,
``$``: only at its end, ``-``: not there."""
SILENT = {"e": 1.5, "gh": 3.0, **dict.fromkeys("hwbklptgcnu", 3.0)}
"""Letters that may stand for nothing -> cost of reading a word so; letters that stand for phonemes cost 1."""


def misspellings(word: str, phonemes: Sequence[str]) -> list[str]:
    """The word with the letters of one sound written in another way.

    Args:
        word: lower-case letters.
        phonemes: its pronunciation with stress.

    Returns:
        distinct spellings other than `word`; none where the tables cannot read it.
    """
    found = []
    start = 0
    for letters, sounds in aligned(word, tuple(phonemes)):
        end = start + len(letters)
        for pattern in WRITE.get(" ".join(sounds), "").split():
            other = pattern.strip("^$-")
            if other != letters and _fits(pattern, start == 0, end == len(word)):
                found.append(word[:start] + other + word[end:])
        start = end
    return list(dict.fromkeys(one for one in found if one != word))


def aligned(word: str, phonemes: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """The cheapest reading of a word: its letters in order, and the phonemes that each few of them stand for (none for
    silent ones). Empty where the tables know no reading.
    """
    # best[i, j]: cost and last step of reading the first i letters as the first j phonemes.
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    for i in range(len(word) + 1):
        for j in range(len(phonemes) + 1):
            if (i, j) not in best:
                continue
            for letters, count, cost in _steps(word, i, phonemes, j):
                place, total = (i + letters, j + count), best[i, j][0] + cost
                if place not in best or total < best[place][0]:
                    best[place] = total, (i, j)
    place, parts = (len(word), len(phonemes)), []
    if place not in best:
        return []
    while place != (0, 0):
        i, j = best[place][1]
        parts.append((word[i : place[0]], phonemes[j : place[1]]))
        place = i, j
    return parts[::-1]


def _steps(word: str, i: int, phonemes: tuple[str, ...], j: int) -> list[tuple[int, int, float]]:
    """Letters and phonemes that the next part of a reading may take, and its cost."""
    steps = [(len(letters), 0, cost) for letters, cost in SILENT.items() if word.startswith(letters, i)]
    for count in (1, 2):
        if j + count <= len(phonemes):
            sounds = " ".join(phoneme.rstrip("012") for phoneme in phonemes[j : j + count])
            steps += [(len(letters), count, 1.0) for letters in _read().get(sounds, ()) if word.startswith(letters, i)]
    return steps


@functools.lru_cache(maxsize=1)
def _read() -> dict[str, tuple[str, ...]]:
    return {sounds: tuple(letters.split()) for sounds, letters in READ.items()}


def _fits(pattern: str, at_start: bool, at_end: bool) -> bool:
    if pattern[0] in "^-" and (pattern[0] == "^") != at_start:
        return False
    return pattern[-1] not in "$-" or (pattern[-1] == "$") == at_end
