"""What a perturbation is, and how one text is perturbed at a rate."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from common.registry import Registry
from common.streams.words import split_words

Choices = tuple[tuple[str, ...], ...]
"""Replacements of a word in groups. A group is drawn first and then a member, so that a group of many does not drown
the others."""


class Perturbation(ABC):
    """One way to change words: word -> what it may become. The answer depends on the word and the vocabulary alone.

    Args:
        vocabulary: words of the training split as they are written there.
    """

    kind: ClassVar[str] = ""
    """Registered name, set by :func:`register_perturbation`."""

    def __init__(self, vocabulary: Collection[str]) -> None:
        self.written = frozenset(vocabulary)
        self.vocabulary = frozenset(word.lower() for word in vocabulary)

    def prepare(self, words: Iterable[str]) -> None:  # noqa: B027
        """Look words up that will be asked for; override where many together are faster."""

    @abstractmethod
    def choices(self, word: str) -> Choices:
        """Replacements of a lower-case word; none of them is the word itself, no group is empty. ``()``: the word is
        not eligible.
        """


@dataclass(frozen=True)
class Perturbed:
    """A perturbed text and the count of what was done to it."""

    text: str
    words: int
    """Words of the text, punctuation not counted."""
    eligible: int
    """Words that have a replacement."""
    changed: int
    """Words that were replaced."""


def perturb(text: str, perturbation: Perturbation, rate: float, seed: int = 0) -> Perturbed:
    """Replace each eligible word with probability `rate`.

    The draws depend on the kind, the text and the seed only. They are the same at every rate, so what is changed at a
    low rate is changed in the same way at a higher one, and at rate 0 the very same text comes back.

    Raises:
        ValueError: a rate outside [0, 1].
    """
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"a rate is a share from 0 to 1, got {rate}")
    words, spans = split_words(text)
    # Three draws per word, eligible or not: whether it is changed, to which group, to which member.
    draws = _generator(perturbation.kind, text, seed).random((len(words), 3))  # [W, 3]
    parts, end, eligible, changed = [], 0, 0, 0
    for word, span, (whether, group, member) in zip(words, spans.tolist(), draws.tolist(), strict=True):
        groups = perturbation.choices(word.lower())
        eligible += bool(groups)
        if not groups or whether >= rate:
            continue
        chosen = groups[int(group * len(groups))]
        parts += [text[end : span[0]], in_case_of(word, chosen[int(member * len(chosen))])]
        end = span[1]
        changed += 1
    counted = sum(any(c.isalnum() for c in word) for word in words)
    return Perturbed("".join([*parts, text[end:]]), counted, eligible, changed)


def is_plain(word: str, least: int) -> bool:
    """Whether a lower-case word is made of at least so many letters from a to z and of nothing else."""
    return len(word) >= least and word.isascii() and word.isalpha()


def in_case_of(old: str, new: str) -> str:
    """`new` with a capital where `old` begins with one, all in capitals where `old` is (one letter says neither)."""
    if len(old) > 1 and old.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _generator(kind: str, text: str, seed: int) -> np.random.Generator:
    # surrogatepass: a text from a file may hold what UTF-8 alone cannot write.
    digest = hashlib.sha256(f"{kind}\n{text}".encode(errors="surrogatepass")).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, dtype="<u4").tolist()])


_KINDS: Registry[type[Perturbation]] = Registry("perturbation")
Kind = TypeVar("Kind", bound=type[Perturbation])


def register_perturbation(name: str) -> Callable[[Kind], Kind]:
    """Class decorator: makes the perturbation known under `name`."""

    def add(cls: Kind) -> Kind:
        _KINDS.add(name, cls)
        cls.kind = name
        return cls

    return add


def perturbations() -> dict[str, type[Perturbation]]:
    """All registered kinds by name."""
    return dict(sorted(_KINDS.items()))
