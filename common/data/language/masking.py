"""Masking for masked language models (Devlin et al. 2019): whole words or single tokens, 80/10/10."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

NOTHING = -100
"""Label of a position that is not predicted."""


@dataclass(frozen=True)
class MaskConfig:
    """What is masked."""

    unit: Literal["word", "token"] = "word"
    """Choose whole words, all tokens of them, or single tokens."""
    rate: float = 0.15
    """Probability that a word (or a token) is chosen."""
    masked: float = 0.8
    """Share of the chosen tokens that become the mask token."""
    random: float = 0.1
    """Share of the chosen tokens that become a random token; the rest stay as they are."""

    def __post_init__(self) -> None:
        if self.unit not in ("word", "token"):
            raise ValueError(f"unit must be word or token, got {self.unit!r}")
        if not 0.0 < self.rate < 1.0:
            raise ValueError(f"rate must be in (0, 1), got {self.rate}")
        if min(self.masked, self.random) < 0 or self.masked + self.random > 1:
            raise ValueError(f"masked {self.masked} and random {self.random} are shares whose sum is at most 1")


class Masked(NamedTuple):
    """inputs: what the model reads; labels: the tokens to be predicted, else :data:`NOTHING`; hidden: True at every
    token of a word of which any token is to be predicted. All ``[T]``.
    """

    inputs: np.ndarray
    labels: np.ndarray
    hidden: np.ndarray


def mask(
    tokens: np.ndarray,
    starts: np.ndarray,
    words: np.ndarray,
    config: MaskConfig,
    random: np.random.Generator,
    mask_token: int,
    vocabulary: np.ndarray,
) -> Masked:
    """Choose and mask tokens of one window.

    Streams of a hidden word must be masked too, also where its tokens stay or become others: they would tell which
    word it is.

    Args:
        tokens: ids ``[T]``.
        starts: True where a word begins ``[T]``; a word cut off at the left edge begins with its first token here.
        words: 0 at tokens outside words, which are never chosen ``[T]``.
        random: decides everything; the same generator gives the same masks.
        mask_token: id of the mask token.
        vocabulary: ids from which random tokens are drawn.
    """
    inside = words != 0
    begins = starts & inside
    begins[np.flatnonzero(inside)[:1]] = True
    group = np.cumsum(begins) - 1  # word of each token within the window, as far as it is inside one
    units = int(begins.sum())
    if config.unit == "word":
        drawn = np.append(random.random(units) < config.rate, False)
        chosen = inside & drawn[group]
    else:
        chosen = inside & (random.random(len(tokens)) < config.rate)
    fate = random.random(len(tokens))
    replacement = random.choice(vocabulary, len(tokens))
    inputs = np.where(chosen & (fate < config.masked), mask_token, tokens)
    swapped = chosen & (fate >= config.masked) & (fate < config.masked + config.random)
    inputs = np.where(swapped, replacement, inputs)
    touched = np.bincount(group[chosen], minlength=units + 1) > 0
    return Masked(inputs, np.where(chosen, tokens, NOTHING), inside & touched[group])
