"""CIDEr-D (Vedantam et al. 2015, "CIDEr: Consensus-based Image Description Evaluation")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from common.evaluation.captions.ngrams import MAX_ORDER, Words, ngram_counts

_SIGMA = 6.0  # words; how fast a difference in length lowers the score
_Weights: TypeAlias = dict[tuple[str, ...], float]


class _Vector(NamedTuple):
    """A caption as tf-idf weights of its n-grams: for each n the weights and their Euclidean norm."""

    weights: list[_Weights]
    norms: list[float]
    bigrams: int


def cider_d(hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]) -> tuple[float, NDArray[np.float64]]:
    """CIDEr-D as pycocoevalcap's ``Cider``, in 0..10: the mean and ``[N]``, the scores of the captions.

    Rare n-grams count more: their document frequency is the number of images with a reference that has them, so scores
    depend on all references given and compare only on the same images. A single image scores 0.

    Args:
        hypotheses: N captions, one for each image.
        references: for each of them at least one.
    """
    counted = [[ngram_counts(other) for other in others] for others in references]
    frequency = Counter(
        ngram for others in counted for ngram in {ngram for other in others for counts in other for ngram in counts}
    )
    most = np.log(len(references))
    rarity = {ngram: float(most - np.log(images)) for ngram, images in frequency.items()}

    def vector(counts: list[Counter[tuple[str, ...]]]) -> _Vector:
        weights = [{ngram: n * rarity.get(ngram, float(most)) for ngram, n in group.items()} for group in counts]
        norms = [sum(weight**2 for weight in group.values()) ** 0.5 for group in weights]
        return _Vector(weights, norms, counts[1].total())

    scores = np.zeros(len(references))
    for n, (words, others) in enumerate(zip(hypotheses, counted, strict=True)):
        mine = vector(ngram_counts(words))
        scores[n] = 10 * np.mean([_similarity(mine, vector(other)) for other in others])
    return float(scores.mean()), scores


def _similarity(mine: _Vector, other: _Vector) -> float:
    """Cosine of the two vectors, averaged over n, with weights clipped to the reference's and unlike lengths punished.

    Lengths are those in bigrams, as in pycocoevalcap, which makes no difference above one word.
    """
    total = 0.0
    for weights, theirs, norm, their_norm in zip(mine.weights, other.weights, mine.norms, other.norms, strict=True):
        if norm and their_norm:
            shared = weights.keys() & theirs.keys()
            total += sum(min(weights[n], theirs[n]) * theirs[n] for n in shared) / (norm * their_norm)
    return total / MAX_ORDER * float(np.exp(-((mine.bigrams - other.bigrams) ** 2) / (2 * _SIGMA**2)))
