"""ROUGE-L (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries")."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from common.evaluation.captions.ngrams import Words

_BETA = 1.2  # weight of recall, as in pycocoevalcap


def rouge_l(hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]) -> tuple[float, NDArray[np.float64]]:
    """ROUGE-L as pycocoevalcap's ``Rouge``, in 0..1: the mean and ``[N]``, the scores of the captions.

    Precision and recall of the longest common subsequence are the best over the references, each on its own, as there.

    Args:
        hypotheses: N captions.
        references: for each of them at least one.
    """
    scores = np.array([_score(words, others) for words, others in zip(hypotheses, references, strict=True)])
    return float(scores.mean()), scores


def _score(words: Words, references: Sequence[Words]) -> float:
    common = [(_common_subsequence(words, other), len(other)) for other in references if words and other]
    precision = max((length / len(words) for length, _ in common), default=0.0)
    recall = max((length / size for length, size in common), default=0.0)
    if not precision:
        return 0.0
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)


def _common_subsequence(first: Words, second: Words) -> int:
    """Length of the longest common subsequence, row by row of the usual table."""
    row = [0] * (len(second) + 1)
    for word in first:
        above = row
        row = [0]
        for column, other in enumerate(second):
            row.append(above[column] + 1 if word == other else max(above[column + 1], row[column]))
    return row[-1]
