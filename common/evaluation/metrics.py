"""Classification metrics of one split, from logits or probabilities and labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import f1_score


def classification_metrics(logits: ArrayLike, labels: ArrayLike, ordinal: bool = False) -> dict[str, float]:
    """Accuracy, macro-F1 and calibration error; for ordered classes also within-1 accuracy and mean absolute error.

    Args:
        logits: ``[N, K]`` unnormalised log-probabilities.
        labels: ``[N]`` class numbers.
        ordinal: whether the classes are ordered by their number, as the five of SST-5 are.

    Raises:
        ValueError: for empty input, shapes that do not fit, or labels outside ``0..K-1``.
    """
    scores, truth = _checked(logits, labels)
    predicted = scores.argmax(1)
    result = {
        "accuracy": float((predicted == truth).mean()),
        "macro_f1": macro_f1(predicted, truth),
        "ece": expected_calibration_error(softmax(scores), truth),
    }
    return result | (ordinal_metrics(predicted, truth) if ordinal else {})


def macro_f1(predicted: ArrayLike, labels: ArrayLike) -> float:
    """Mean F1 of the classes that occur among `labels` or `predicted`, both ``[N]``; a class never hit counts 0."""
    return float(f1_score(np.asarray(labels), np.asarray(predicted), average="macro", zero_division=0))  # pyright: ignore[reportArgumentType]


def ordinal_metrics(predicted: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """Share of predictions at most one class off, and mean distance in classes; both arguments ``[N]``."""
    distance = np.abs(np.asarray(predicted) - np.asarray(labels))
    return {"within_1": float((distance <= 1).mean()), "mae": float(distance.mean())}


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equally wide bins of confidence (Guo et al. 2017).

    Args:
        probabilities: ``[N, K]``.
        labels: ``[N]``.
        bins: number of bins over [0, 1].
    """
    shares, truth = _checked(probabilities, labels)
    confidence = shares.max(1)
    right = shares.argmax(1) == truth
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)  # bins are open at the left
    gaps = np.bincount(bin_of, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Probabilities ``[N, K]`` of `logits` ``[N, K]``."""
    scores = np.asarray(logits, dtype=np.float64)
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if values.ndim != 2 or truth.shape != values.shape[:1] or not len(truth):
        raise ValueError(f"expected scores [N, K] and labels [N] with N > 0, got {values.shape} and {truth.shape}")
    if truth.min() < 0 or truth.max() >= values.shape[1]:
        raise ValueError(f"labels must be in 0..{values.shape[1] - 1}, got {truth.min()}..{truth.max()}")
    return values, truth.astype(np.int64)
