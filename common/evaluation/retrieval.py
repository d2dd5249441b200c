"""Retrieval of captions by image and of images by caption: recall at k and median rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

RECALL_AT = (1, 5, 10)


def retrieval_scores(similarity: ArrayLike, image_of_caption: ArrayLike) -> dict[str, float]:
    """Recall@1, @5, @10 (in 0..1) and median rank (from 1) in both directions.

    The recall is that of Karpathy & Fei-Fei 2015, "Deep Visual-Semantic Alignments": the share of queries with a right
    answer among the first k. Keys: ``image_to_text_recall_1``, ..., ``text_to_image_median_rank``.

    Args:
        similarity: ``[I, C]``, higher is closer.
        image_of_caption: ``[C]``, number of the image that each caption describes.

    Raises:
        ValueError: as :func:`retrieval_ranks`.
    """
    ranks = dict(zip(("image_to_text", "text_to_image"), retrieval_ranks(similarity, image_of_caption), strict=True))
    recall = {
        f"{way}_recall_{k}": float((of_queries <= k).mean()) for way, of_queries in ranks.items() for k in RECALL_AT
    }
    return recall | {f"{way}_median_rank": float(np.median(of_queries)) for way, of_queries in ranks.items()}


def retrieval_ranks(similarity: ArrayLike, image_of_caption: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank of the right answer to each query, from 1: ``[I]`` for the images, ``[C]`` for the captions.

    An image counts with the best of its captions. Ties are lost: wrong answers as similar as the right one come first,
    or a model that finds everything alike would be perfect.

    Args:
        similarity: ``[I, C]``, higher is closer.
        image_of_caption: ``[C]``, number of the image that each caption describes.

    Raises:
        ValueError: for shapes that do not fit, NaN, numbers outside ``0..I-1``, or an image without captions.
    """
    scores, owner = _checked(similarity, image_of_caption)
    own = np.arange(len(scores))[:, None] == owner  # [I, C]
    best = np.where(own, scores, -np.inf).max(1)
    of_images = 1 + ((scores >= best[:, None]) & ~own).sum(1)
    right = scores[owner, np.arange(len(owner))]
    of_captions = 1 + ((scores >= right) & ~own).sum(0)
    return of_images, of_captions


def _checked(similarity: ArrayLike, image_of_caption: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    scores, owner = np.asarray(similarity, dtype=np.float64), np.asarray(image_of_caption)
    if scores.ndim != 2 or owner.shape != scores.shape[1:] or not scores.size:
        raise ValueError(f"expected similarity [I, C] and an image for each of C, got {scores.shape} and {owner.shape}")
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} similarities are NaN")
    if not np.issubdtype(owner.dtype, np.integer) or set(owner.tolist()) != set(range(len(scores))):
        raise ValueError(f"expected captions of each image 0..{len(scores) - 1} and of no other one")
    return scores, owner.astype(np.int64)
