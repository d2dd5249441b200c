"""What the picture had to do with what a model writes: contributions beside what happens when the picture changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.data.vision import Sample
from common.evaluation.visual_words import visual_class
from common.training.task import to_device
from step4_vision_language.contributions import explain, pieces, whole_texts
from step4_vision_language.data import See, swapped
from step4_vision_language.fusions.base import FAR
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.texts import TextProcessor

LEFT_OUT, SWAPPED, BLANK = "left_out", "swapped", "blank"


def changed_pictures(
    model: VisionLanguageModel, samples: Sequence[Sample], see: See, swapped_already: bool = False
) -> dict[str, See]:
    """Ways in which the pictures of `samples` can be taken away; none for a model that reads no picture.

    ``left_out``: the model is not given it; fusions whose visual tokens stand in the text cannot do without.
    ``swapped``: it is that of another sample. ``blank``: every pixel has the mean colour.

    Args:
        swapped_already: the samples have the pictures of others, as in the control ``swapped``. They get those of yet
            others: the same turn once more would give them their own.
    """
    if model.fusion.config.name == "none" and not model.vision_labels:
        return {}
    turned = swapped(samples, parts=4 if swapped_already else 2)
    other = dict(zip((sample.id for sample in samples), turned, strict=True))
    size = model.vision.config.image_size

    def left_out(batch: Sequence[Sample]) -> dict[str, Tensor]:
        seen = see(batch)
        if not seen:  # no sample of the batch has a picture
            return seen
        most = next(iter(seen.values())).shape[1]
        return {**seen, "seen_begin": torch.full((len(batch), most), FAR)}

    def blank(batch: Sequence[Sample]) -> dict[str, Tensor]:
        seen = see(batch)
        if "pixel_values" in seen:
            return {"pixel_values": torch.zeros_like(seen["pixel_values"])}
        patches, pooled = model.see(torch.zeros(1, 1, 3, size, size, device=model.device))
        grey = {"seen_patches": patches.cpu(), "seen_pooled": pooled.cpu()}
        return {name: grey[name].to(value.dtype).expand_as(value) for name, value in seen.items()}

    ways: dict[str, See] = {SWAPPED: lambda batch: see([other[sample.id] for sample in batch]), BLANK: blank}
    return ways if model.fusion.replaces else {LEFT_OUT: left_out, **ways}


@torch.no_grad()
def word_evidence(
    model: VisionLanguageModel, processor: TextProcessor, samples: Sequence[Sample], written: Sequence[list[int]],
    see: See, changed: Mapping[str, See], batch_size: int,
) -> dict[str, Any]:  # fmt: skip
    """A row per word that was written, as columns.

    Args:
        written: of each sample the ids of what the model wrote.
        changed: ways of :func:`changed_pictures`.

    Returns:
        ``sample`` (its number), ``word``, ``word_class``; ``contribution_<stream>``, mean over the word's tokens and
        over sites; ``logp``, nats of the word given what stands before it, and ``logp_<change>`` with a changed
        picture, of the same word behind the same words.
    """
    ways: dict[str, See] = {"logp": see, **{f"logp_{name}": way for name, way in changed.items()}}
    order = sorted(range(len(samples)), key=lambda k: len(written[k]))
    names: dict[str, None] = {}
    rows: list[tuple[int, str, list[float]]] = []
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        batch, new = [samples[k] for k in chosen], [written[k] for k in chosen]
        seen = {name: to_device(way(batch), model.device) for name, way in ways.items()}
        shares = explain(model, processor, batch, new, seen["logp"])
        logp = {name: log_probabilities(model, processor, batch, new, value) for name, value in seen.items()}
        for row, (k, ids) in enumerate(zip(chosen, new, strict=True)):
            per_token = {f"contribution_{name}": value for name, value in shares[row].contributions.items()}
            names |= dict.fromkeys((*per_token, *logp))
            for word, place in words(pieces(processor, ids)):
                means = [float(value[place].mean()) for value in per_token.values()]
                sums = [float(values[row][place].sum()) for values in logp.values()]
                rows.append((k, word, means + sums))
    rows.sort(key=lambda row: row[0])
    values = np.asarray([numbers for *_, numbers in rows], dtype=np.float16).reshape(-1, len(names))
    table: dict[str, Any] = {
        "sample": np.asarray([k for k, *_ in rows], dtype=np.int32),
        "word": [word for _, word, _ in rows],
        "word_class": [visual_class(word) for _, word, _ in rows],
    }
    return table | {name: column.astype(np.float32) for name, column in zip(names, values.T, strict=True)}


@torch.no_grad()
def log_probabilities(
    model: VisionLanguageModel, processor: TextProcessor, samples: Sequence[Sample], written: Sequence[list[int]],
    seen: Mapping[str, Tensor],
) -> list[np.ndarray]:  # fmt: skip
    """Nats ``[T]`` of the T tokens written of each sample, given its prompt and the tokens before.

    Args:
        seen: the samples' pictures as inputs of the model, on its device.
    """
    ids, mask, starts = whole_texts(processor, samples, written, model.device)
    logits = model(ids, attention_mask=mask, **seen).logits[:, :-1]
    nats = -torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    found = nats.view_as(ids[:, 1:]).cpu().numpy()
    return [row[start - 1 : start - 1 + len(new)] for row, start, new in zip(found, starts, written, strict=True)]


def words(tokens: Sequence[str]) -> Iterator[tuple[str, slice]]:
    """The words of a text, each with the place of its tokens; a word begins where a token begins with a space."""
    edges = [k for k, token in enumerate(tokens) if k == 0 or token[:1].isspace()] + [len(tokens)]
    for begin, end in pairwise(edges):
        yield "".join(tokens[begin:end]).strip(), slice(begin, end)
