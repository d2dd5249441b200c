"""Words that sound the same: what a speech recogniser writes when it heard right."""

from __future__ import annotations

from common.data.perturb.base import Choices, Perturbation, is_plain, register_perturbation
from common.data.perturb.sounds import by_sound, dictionary

LEAST = 2
"""Letters of the shortest word on either side."""


@register_perturbation("homophone")
class Homophone(Perturbation):
    """Other words of the CMU dictionary whose first pronunciation is the same, stress included.

    A recogniser writes words that it has learned, so only those are taken that stand in the training split, at least
    once without a capital: half of the dictionary are names.
    """

    def choices(self, word: str) -> Choices:
        sound = dictionary().get(word)
        if sound is None or not is_plain(word, LEAST):
            return ()
        others = tuple(
            other for other in by_sound()[sound] if other != word and is_plain(other, LEAST) and other in self.written
        )
        return (others,) if others else ()
