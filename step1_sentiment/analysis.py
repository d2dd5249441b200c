"""After training: which streams mattered to the finished model, and at which words."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import Any, Iterable

import numpy as np
import torch
from torch import Tensor

from common.evaluation.importance import shapley
from common.models.multi_stream import MultiStreamForSequenceClassification
from common.streams.processor import Encoded, StreamProcessor
from common.training.loader import BucketedLoader
from common.training.task import to_device

Batches = Iterable[dict[str, Tensor]]


@torch.no_grad()
def accuracy_with(model: MultiStreamForSequenceClassification, batches: Batches, present: frozenset[str]) -> float:
    """Accuracy when only the streams in `present` reach the integration (the others are exactly zero)."""
    right = total = 0
    for batch in batches:
        size = len(batch["labels"])
        switch = {
            name: torch.full((size,), name in present, device=batch["labels"].device)
            for name in model.integration.names
        }
        predicted = model(**batch, present=switch).logits.argmax(-1)
        right += int((predicted == batch["labels"]).sum())
        total += size
    return right / total


@torch.no_grad()
def accuracy_replaced(
    model: MultiStreamForSequenceClassification, batches: Batches, name: str, how: str, seed: int = 0
) -> float:
    """Accuracy when one stream is replaced at every site.

    `mean`: by its mean over the batch's real tokens; `permutation`: by the same place of another example, so that it
    keeps its distribution and loses its tie to the text.
    """
    generator = torch.Generator().manual_seed(seed)
    right = total = 0
    for batch in batches:
        mask = batch["attention_mask"].bool()
        order = torch.randperm(len(mask), generator=generator).to(mask.device)

        def replace(integration, args, kwargs, mask=mask, order=order):
            streams = dict(args[0])
            stream = streams[name]
            if how == "permutation":
                streams[name] = stream[order]
            else:
                streams[name] = stream[mask].mean(0).expand_as(stream)
            return (streams, *args[1:]), kwargs

        handle = model.integration.register_forward_pre_hook(replace, with_kwargs=True)
        try:
            predicted = model(**batch).logits.argmax(-1)
        finally:
            handle.remove()
        right += int((predicted == batch["labels"]).sum())
        total += len(mask)
    return right / total


def importance(
    model: MultiStreamForSequenceClassification, loader: BucketedLoader, device: torch.device
) -> dict[str, Any]:
    """Leave-one-out by zero, mean and permutation, accuracy of every subset, and exact Shapley values."""
    model.eval()
    loader.set_epoch(loader.epoch)  # from the first batch on, whoever has read from it before
    batches = [to_device(batch, device) for batch in loader]
    names = model.integration.names
    subsets = {
        frozenset(chosen): accuracy_with(model, batches, frozenset(chosen))
        for size in range(len(names) + 1)
        for chosen in combinations(names, size)
    }
    everything = frozenset(names)
    labels = torch.cat([batch["labels"] for batch in batches])
    return {
        "split": "validation",
        "accuracy_full": subsets[everything],
        "chance": float(labels.bincount().max() / len(labels)),
        "leave_one_out": {
            "zero": {name: subsets[everything - {name}] for name in names},
            "mean": {name: accuracy_replaced(model, batches, name, "mean") for name in names},
            "permutation": {name: accuracy_replaced(model, batches, name, "permutation") for name in names},
        },
        "subsets": {"+".join(n for n in names if n in chosen) or "none": value for chosen, value in subsets.items()},
        "shapley": shapley(subsets, names),
    }


@torch.no_grad()
def token_contributions(
    model: MultiStreamForSequenceClassification, processor: StreamProcessor, items: list[Encoded], device: torch.device
) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
    """Probabilities ``[B, K]``, and per text the contribution of every stream ``[T]``, averaged over the sites."""
    batch = to_device(processor.collate(items), device)
    output = model(**batch, report=True)
    probabilities = output.logits.float().softmax(-1).cpu().numpy()
    sites = output.contributions or {}  # [S, B, T] each
    shares = {name: value.float().mean(0).cpu().numpy() for name, value in sites.items()}  # [B, T] each
    lengths = [len(item.input_ids) for item in items]
    return probabilities, [
        {name: share[row, :length] for name, share in shares.items()} for row, length in enumerate(lengths)
    ]


def word_shares(item: Encoded, tokens: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Contributions per word ``[W]``: the mean over the word's tokens (NaN for a word cut off by the length limit)."""
    words = np.asarray(item.token_word)
    result = {}
    for name, values in tokens.items():
        kept = words >= 0
        counts = np.bincount(words[kept], minlength=len(item.words))
        sums = np.bincount(words[kept], weights=values[kept], minlength=len(item.words))
        with np.errstate(invalid="ignore"):
            result[name] = sums / counts
    return result


def contributions_by_word(
    model: MultiStreamForSequenceClassification,
    processor: StreamProcessor,
    items: list[Encoded],
    device: torch.device,
    batch_size: int = 64,
) -> list[tuple[str, int, str, float]]:
    """Mean contribution of every stream at every distinct (lower-cased) word: (word, count, stream, contribution)."""
    model.eval()
    sums: dict[tuple[str, str], float] = defaultdict(float)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    ordered = sorted(items, key=lambda item: len(item.input_ids))
    for start in range(0, len(ordered), batch_size):
        chunk = ordered[start : start + batch_size]
        _, shares = token_contributions(model, processor, chunk, device)
        for item, tokens in zip(chunk, shares, strict=True):
            for stream, values in word_shares(item, tokens).items():
                for word, value in zip(item.words, values, strict=True):
                    if not np.isnan(value):
                        sums[word.lower(), stream] += float(value)
                        counts[word.lower(), stream] += 1
    return [
        (word, counts[word, stream], stream, total / counts[word, stream]) for (word, stream), total in sums.items()
    ]
