"""After training: which streams mattered to the finished model, and at which words."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from common.evaluation.importance import shapley, subsets
from common.models.assembly import MEANING
from common.models.multi_stream import MultiStreamForSequenceClassification
from common.models.passes import Collected
from common.streams.processor import Encoded, StreamProcessor
from common.training.loader import BucketedLoader
from common.training.task import to_device

WAYS = ("zero", "mean", "permutation")
"""How a stream is left out."""


def stream_means(
    model: MultiStreamForSequenceClassification, loader: BucketedLoader, device: torch.device
) -> list[dict[str, Tensor]]:
    """Per site: stream -> its mean ``[D_i]`` over all positions of the split that the head reads."""
    sums: list[dict[str, Tensor]] = []
    count = 0
    for batch in batches_of(loader, device):
        collected = model.collect(**batch)
        read = model.read_positions(collected.mask)
        count += int(read.sum())
        sums = sums or [{} for _ in collected.sites]
        for total, streams in zip(sums, collected.sites, strict=True):
            for name, stream in streams.items():
                total[name] = total.get(name, 0.0) + stream[read].double().sum(0)
    return [{name: (value / count).float() for name, value in total.items()} for total in sums]


def replaced(
    collected: Collected, name: str, way: str, means: Sequence[Mapping[str, Tensor]], order: Tensor
) -> Collected:
    """`collected` with one stream replaced at every site.

    Args:
        name: the stream.
        way: ``zero``; ``mean``, its mean over the split; or ``permutation``, the same place of another example of the
            batch (the mean where that one has no token): the stream keeps its distribution, not its tie to the text.
        means: from :func:`stream_means`.
        order: whose stream each example gets ``[B]``.
    """
    sites = []
    for streams, mean in zip(collected.sites, means, strict=True):
        stream = streams[name]
        new = torch.zeros_like(stream)
        if way != "zero":
            new = mean[name].to(stream.dtype).expand_as(stream)
        if way == "permutation":
            new = torch.where(collected.mask[order].unsqueeze(-1), stream[order], new)
        sites.append({**streams, name: new})
    return collected._replace(sites=sites)


@torch.no_grad()
def importance(
    model: MultiStreamForSequenceClassification, loader: BucketedLoader, device: torch.device, seed: int = 0
) -> dict[str, Any]:
    """Leave-one-out by zero, mean and permutation: accuracy with one stream replaced and all else, scale included, as
    it was. On a model trained with stream dropout, which knows absent streams, also the accuracy of every subset of
    streams and exact Shapley values.
    """
    model.eval()
    loader = mixed(loader, seed)
    names = model.integration.names
    generator = torch.Generator().manual_seed(seed)
    means = stream_means(model, loader, device)
    right: dict[tuple[str, ...] | frozenset[str], int] = defaultdict(int)
    labels: list[Tensor] = []
    chosen = subsets(names) if model.integration.config.stream_dropout > 0 else []
    for batch in batches_of(loader, device):
        label = batch.pop("labels")
        labels.append(label)
        collected = model.collect(**batch)
        order = torch.randperm(len(label), generator=generator).to(device)
        scale = [streams[MEANING] for streams in collected.sites] if MEANING in names else None

        def count(logits: Tensor, label: Tensor = label) -> int:
            return int((logits.argmax(-1) == label).sum())

        right["full",] += count(model.logits_from(collected))
        for way in WAYS:
            for name in names:
                changed = replaced(collected, name, way, means, order)
                right[way, name] += count(model.logits_from(changed, scale_like=scale))
        for subset in chosen:
            present = {name: torch.full_like(label, name in subset, dtype=torch.bool) for name in names}
            right[subset] += count(model.logits_from(collected, present))
    every = torch.cat(labels)
    accuracy = {key: value / len(every) for key, value in right.items()}
    result = {
        "split": "validation",
        "accuracy_full": accuracy["full",],
        "chance": float(every.bincount().max() / len(every)),
        "leave_one_out": {way: {name: accuracy[way, name] for name in names} for way in WAYS},
    }
    if chosen:
        result["subsets"] = {"+".join(n for n in names if n in one) or "none": accuracy[one] for one in chosen}
        result["shapley"] = shapley({one: accuracy[one] for one in chosen}, names)
    return result


def mixed(loader: BucketedLoader, seed: int) -> BucketedLoader:
    """The examples of `loader` in batches of similar length, but else at random. In their own order those of one batch
    may all have one label, as in files sorted by label, and a stream taken from another of them would tell it too.
    """
    lengths = None if loader.lengths is None else loader.lengths.tolist()
    return BucketedLoader(
        loader.items, loader.collate, loader.batch_size, lengths, shuffle=True, bucket=loader.bucket, seed=seed
    )


def batches_of(loader: BucketedLoader, device: torch.device) -> Iterator[dict[str, Tensor]]:
    """All batches from the first on, whoever has read from the loader before."""
    loader.set_epoch(loader.epoch)
    for batch in loader:
        yield to_device(batch, device)


@torch.no_grad()
def token_contributions(
    model: MultiStreamForSequenceClassification, processor: StreamProcessor, items: list[Encoded], device: torch.device
) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
    """Probabilities ``[B, K]``, and per text the contribution of every stream ``[T]``, averaged over the sites; NaN at
    tokens that the head does not read.
    """
    batch = to_device(processor.collate(items), device)
    output = model(**batch, report=True)
    probabilities = output.logits.float().softmax(-1).cpu().numpy()
    assert output.read is not None
    sites = output.contributions or {}  # [S, B, T] each
    unread = ~output.read
    shares = {
        name: value.float().mean(0).masked_fill(unread, torch.nan).cpu().numpy() for name, value in sites.items()
    }  # [B, T] each
    lengths = [len(item.input_ids) for item in items]
    return probabilities, [
        {name: share[row, :length] for name, share in shares.items()} for row, length in enumerate(lengths)
    ]


def word_shares(item: Encoded, tokens: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Contributions per word ``[W]``: the mean over the word's tokens (NaN for a word that the head does not read)."""
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
    train_items: list[Encoded],
    batch_size: int = 64,
) -> list[tuple[str, int, str, float, int]]:
    """Mean contribution of every stream at every distinct (lower-cased) word: (word, count, stream, contribution,
    count among `train_items`).
    """
    model.eval()
    seen = Counter(word.lower() for item in train_items for word in item.words)
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
        (word, counts[word, stream], stream, total / counts[word, stream], seen[word])
        for (word, stream), total in sums.items()
    ]
