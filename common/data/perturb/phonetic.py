"""Misspellings that keep the sound: ``gud moovie``."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from common.data.perturb.base import Choices, Perturbation, is_plain, register_perturbation
from common.data.perturb.sounds import dictionary, pronounced, unstressed
from common.data.perturb.spelling import misspellings

LEAST = 3
"""Letters of the shortest word that is changed."""


class Misspelling(Perturbation):
    """One sound of the word written in another way, by the tables of :mod:`common.data.perturb.spelling`. The result
    is no word of the dictionary: that would be a homophone, or another sound.
    """

    def __init__(self, vocabulary: Collection[str]) -> None:
        super().__init__(vocabulary)
        self._known: dict[str, Choices] = {}

    def prepare(self, words: Iterable[str]) -> None:
        new = sorted({word for word in words if word not in self._known and is_plain(word, LEAST)})
        sounds = dict(zip(new, pronounced(new), strict=True))
        found = {
            word: [one for one in misspellings(word, sound) if one not in dictionary()]
            for word, sound in sounds.items()
        }
        self._known |= {word: (tuple(kept),) if kept else () for word, kept in self.kept(found, sounds).items()}

    def choices(self, word: str) -> Choices:
        if not is_plain(word, LEAST):
            return ()
        if word not in self._known:
            self.prepare([word])
        return self._known[word]

    def kept(self, candidates: dict[str, list[str]], sounds: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
        """Of the misspellings of each word those that may be used."""
        return candidates


@register_perturbation("phonetic_unchecked")
class PhoneticUnchecked(Misspelling):
    """Misspellings that keep the sound by the rules of spelling alone."""


@register_perturbation("phonetic")
class Phonetic(Misspelling):
    """Misspellings that g2p-en's network reads with the phonemes of the word, stress apart.

    The same network reads unknown words for the phonetic stream, so this is the best case for it;
    ``phonetic_unchecked`` tells what is left without that check.
    """

    def kept(self, candidates: dict[str, list[str]], sounds: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
        spellings = sorted({one for found in candidates.values() for one in found})
        heard = dict(zip(spellings, map(unstressed, pronounced(spellings)), strict=True))
        return {
            word: [one for one in found if heard[one] == unstressed(sounds[word])] for word, found in candidates.items()
        }
