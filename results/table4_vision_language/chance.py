"""What retrieval scores by chance: a model that never sees the pictures puts them, or their texts, in any order."""

from __future__ import annotations

import numpy as np
from scipy.stats import hypergeom

from results.table4_vision_language.configs import RECALL_CUTS


def chance(texts: np.ndarray) -> dict[str, float]:
    """Recall and median rank to expect of a random order, in both directions.

    A text finds its picture at the first k places with k of P; a picture finds one of its c texts there with what the
    hypergeometric distribution says of c among all texts. The median rank is the first that half of all queries, in
    expectation, reach.

    Args:
        texts: texts of each picture ``[P]``, at least one.

    Returns:
        column of :class:`Task` -> value, shares in [0, 1].
    """
    pictures, every = len(texts), int(texts.sum())
    counts, weights = np.unique(texts, return_counts=True)

    def of_picture(rank: np.ndarray) -> np.ndarray:
        found = hypergeom.sf(0, every, counts[:, None], rank)  # [C, K]: any of the c texts among the first
        return (weights / pictures) @ found

    ways = {"image_to_text": (of_picture, every), "text_to_image": (lambda rank: rank / pictures, pictures)}
    result: dict[str, float] = {}
    for way, (reached, places) in ways.items():
        cuts = np.minimum(RECALL_CUTS, places)
        result |= {f"{way}_recall_{k}": float(share) for k, share in zip(RECALL_CUTS, reached(cuts), strict=True)}
        result[f"{way}_median_rank"] = float(1 + np.argmax(reached(np.arange(1, places + 1)) >= 0.5))
    return result
