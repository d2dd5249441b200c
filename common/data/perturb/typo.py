"""Slips of the fingers: one wrong, swapped, missing or doubled letter."""

from __future__ import annotations

import functools
import math

from common.data.perturb.base import Choices, Perturbation, is_plain, register_perturbation

KEYBOARD = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))
"""Rows of the QWERTY layout and how far each is moved to the right, in widths of a key."""
REACH = 1.2
"""Keys no further away than this, centre to centre in widths of a key, are neighbours."""
LEAST = 3
"""Letters of the shortest word that is changed."""


@register_perturbation("typo")
class Typo(Perturbation):
    """The four errors of Damerau (1964), substitution by a neighbouring key only; each is as likely as the others.
    Nothing keeps the result from being another word.
    """

    def choices(self, word: str) -> Choices:
        if not is_plain(word, LEAST):
            return ()
        places = range(len(word))
        groups = (
            [word[:k] + other + word[k + 1 :] for k in places for other in neighbours()[word[k]]],
            [word[:k] + word[k + 1] + word[k] + word[k + 2 :] for k in places[:-1]],
            [word[:k] + word[k + 1 :] for k in places],
            [word[: k + 1] + word[k:] for k in places],
        )
        different = (tuple(dict.fromkeys(one for one in group if one != word)) for group in groups)
        return tuple(group for group in different if group)


@functools.lru_cache(maxsize=1)
def neighbours() -> dict[str, str]:
    """Letter -> the letters on the keys around it."""
    keys = {letter: (k + shift, row) for row, (line, shift) in enumerate(KEYBOARD) for k, letter in enumerate(line)}
    return {
        one: "".join(other for other, there in keys.items() if other != one and math.dist(here, there) <= REACH)
        for one, here in keys.items()
    }
