"""Scores of generated captions against those that people wrote: BLEU, ROUGE-L and CIDEr-D of the COCO evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.evaluation.captions.bleu import bleu
from common.evaluation.captions.cider import cider_d
from common.evaluation.captions.rouge import rouge_l
from common.evaluation.captions.tokenizer import ptb_tokenize


@dataclass(frozen=True)
class CaptionScores:
    """Scores ``bleu_1`` to ``bleu_4`` and ``rouge_l`` in 0..1, ``cider_d`` in 0..10."""

    corpus: dict[str, float]
    """Of all captions together. BLEU is not the mean of the examples."""
    per_example: dict[str, NDArray[np.float64]]
    """``[N]`` each, in the order of `ids`, for paired tests."""
    ids: tuple[str, ...]
    """Names of the images, in the order of the references: the same for every model."""


def caption_scores(hypotheses: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> CaptionScores:
    """BLEU-1..4, ROUGE-L and CIDEr-D as pycocoevalcap computes them (Chen et al. 2015), offline and without Java.

    Args:
        hypotheses: one caption for each image, by name of the image. An empty one scores 0.
        references: the captions that people wrote for the same images. CIDEr-D takes its word frequencies from them.

    Raises:
        ValueError: for no image at all, images that only one argument has, or an image without a reference that has
            words.
    """
    _check_ids(hypotheses, references)
    ids = tuple(references)
    words = [ptb_tokenize(hypotheses[name]) for name in ids]
    others = [[ptb_tokenize(text) for text in references[name]] for name in ids]
    empty = [name for name, captions in zip(ids, others, strict=True) if not any(captions)]
    if empty:
        raise ValueError(f"{len(empty)} images have no reference with words: {_some(empty)}")
    bleu_all, bleu_each = bleu(words, others)
    rouge_all, rouge_each = rouge_l(words, others)
    cider_all, cider_each = cider_d(words, others)
    orders = range(1, len(bleu_all) + 1)
    return CaptionScores(
        corpus={
            **{f"bleu_{n}": float(bleu_all[n - 1]) for n in orders},
            **{"rouge_l": rouge_all, "cider_d": cider_all},
        },
        per_example={
            **{f"bleu_{n}": bleu_each[n - 1] for n in orders},
            **{"rouge_l": rouge_each, "cider_d": cider_each},
        },
        ids=ids,
    )


def human_agreement(references: Mapping[str, Sequence[str]]) -> CaptionScores:
    """How well people agree: each image's first caption scored against its other ones.

    A model's score against *all* references is not comparable, since scores rise with their number: score it against
    ``references[name][1:]``.

    Raises:
        ValueError: for an image with fewer than two captions.
    """
    single = [name for name, captions in references.items() if len(captions) < 2]
    if single:
        raise ValueError(f"{len(single)} images have fewer than two captions: {_some(single)}")
    first = {name: captions[0] for name, captions in references.items()}
    return caption_scores(first, {name: captions[1:] for name, captions in references.items()})


def _check_ids(hypotheses: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> None:
    if not references:
        raise ValueError("no references given")
    missing = [name for name in references if name not in hypotheses]
    if missing:
        raise ValueError(f"{len(missing)} images have references but no caption: {_some(missing)}")
    extra = [name for name in hypotheses if name not in references]
    if extra:
        raise ValueError(f"{len(extra)} images have a caption but no references: {_some(extra)}")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
