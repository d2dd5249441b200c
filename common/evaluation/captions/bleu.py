"""BLEU (Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from common.evaluation.captions.ngrams import MAX_ORDER, Words, ngram_counts

# Those of pycocoevalcap, whose numbers other papers report: a caption without a match gets almost 0 instead of 0/0.
_TINY, _SMALL = 1e-15, 1e-9


def bleu(
    hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """BLEU-1 to BLEU-4 as pycocoevalcap's ``Bleu(4)``, in 0..1.

    The length penalty compares with the reference whose length is closest, of two equally close ones with the shorter.

    Args:
        hypotheses: N captions.
        references: for each of them at least one.

    Returns:
        ``[4]``: of the whole corpus, whose counts are summed before they are divided; it is not the mean of
        ``[4, N]``: of each caption.
    """
    matched = np.zeros((len(hypotheses), MAX_ORDER))
    possible = np.zeros((len(hypotheses), MAX_ORDER))
    lengths = np.zeros((len(hypotheses), 2))  # of the caption and of its reference
    for n, (words, others) in enumerate(zip(hypotheses, references, strict=True)):
        counts = ngram_counts(words)
        most = [Counter() for _ in counts]  # how often one reference has an n-gram at most
        for other in others:
            most = [best | new for best, new in zip(most, ngram_counts(other), strict=True)]
        matched[n] = [(mine & best).total() for mine, best in zip(counts, most, strict=True)]
        possible[n] = [mine.total() for mine in counts]
        lengths[n] = len(words), min((abs(len(other) - len(words)), len(other)) for other in others)[1]
    corpus = _scores(matched.sum(0), possible.sum(0), lengths.sum(0))
    return corpus, _scores(matched, possible, lengths).T


def _scores(
    matched: NDArray[np.float64], possible: NDArray[np.float64], lengths: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Geometric means of the precisions of 1..n words times the length penalty; ``[..., 4]`` from ``[..., 4|2]``."""
    precisions = (matched + _TINY) / (possible + _SMALL)
    means = np.cumprod(precisions, axis=-1) ** (1 / np.arange(1, MAX_ORDER + 1))
    ratio = (lengths[..., :1] + _TINY) / (lengths[..., 1:] + _SMALL)
    return means * np.exp(np.minimum(0.0, 1 - 1 / ratio))
