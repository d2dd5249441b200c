"""Writing with a trained model, and what each stream had to do with every token that was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.data.vision import Sample
from common.data.vision.opening import MAX_PIXELS
from common.training.task import to_device
from step4_vision_language.data import Pictures
from step4_vision_language.decode import generate_ids
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.texts import TextProcessor


@dataclass(frozen=True)
class Shares:
    """Of T written tokens, mean over sites. A model without streams has neither, a rule without α no `alphas`."""

    contributions: dict[str, np.ndarray]
    """Stream (and ``state``) -> share ``[T]``; those of a token add up to 1."""
    alphas: dict[str, np.ndarray]
    """Stream -> α ``[T]``; where it is one number for all tokens, that number; of one per channel, the mean."""


@dataclass(frozen=True)
class Written:
    """What was written of a sample: its text, and the T tokens that it was written in."""

    sample: Sample
    text: str
    tokens: list[str]
    shares: Shares


@torch.no_grad()
def write(
    model: VisionLanguageModel, processor: TextProcessor, samples: Sequence[Sample], batch_size: int,
    max_new_tokens: int, max_pixels: int = MAX_PIXELS, **options: Any,
) -> list[Written]:  # fmt: skip
    """What the model writes of every sample, in their order, with contributions; similar lengths are written together.

    Args:
        batch_size: texts that are written at once.
        max_new_tokens: tokens of a text at most.
        max_pixels: largest width x height of a picture.
        options: further options of ``generate``, such as ``do_sample=True``.

    Raises:
        ImageError: a picture that cannot be read.
        ValueError: what is asked and what is to be written are longer than the model's context.
    """
    prompts = processor.prompts(samples, model.context, max_new_tokens)
    see = Pictures(model.vision, store=None, max_pixels=max_pixels)
    order = sorted(range(len(samples)), key=lambda k: len(prompts[k]))
    found: dict[int, Written] = {}
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        batch = [samples[k] for k in chosen]
        seen = to_device(see(batch), model.device)
        if "pixel_values" in seen:  # the encoder reads them once, for writing and for the contributions
            patches, pooled = model.see(seen["pixel_values"])
            seen = {"seen_patches": patches, "seen_pooled": pooled}
        new = generate_ids(model, processor, [prompts[k] for k in chosen], seen, max_new_tokens, options)
        shares = explain(model, processor, batch, new, seen)
        for k, ids, share in zip(chosen, new, shares, strict=True):
            found[k] = Written(samples[k], processor.decode(ids), pieces(processor, ids), share)
    return [found[k] for k in range(len(samples))]


@torch.no_grad()
def explain(
    model: VisionLanguageModel,
    processor: TextProcessor,
    samples: Sequence[Sample],
    written: Sequence[Sequence[int]],
    seen: Mapping[str, Tensor],
) -> list[Shares]:
    """Read the whole texts once more, for the part of each stream in every written token.

    Args:
        samples: what was asked.
        written: of each sample the ids of its T new tokens; T may differ, and may be 0.
        seen: the samples' pictures as inputs of the model, on its device.
    """
    if not model.secondary.configs:
        return [Shares({}, {}) for _ in samples]
    ids, mask, starts = whole_texts(processor, samples, written, model.device)
    output = model(ids, attention_mask=mask, report=True, logits_to_keep=1, **seen)
    found = []
    for row, (start, new) in enumerate(zip(starts, written, strict=True)):
        place = slice(start - 1, start - 1 + len(new))  # the token at t was predicted at t - 1
        contributions, alphas = (
            {name: _along(value, row, place) for name, value in (values or {}).items()}
            for values in (output.contributions, output.alphas)
        )
        found.append(Shares(contributions, alphas))
    return found


def whole_texts(
    processor: TextProcessor, samples: Sequence[Sample], written: Sequence[Sequence[int]], device: torch.device
) -> tuple[Tensor, Tensor, list[int]]:
    """What was asked and what was written as ids ``[B, T]`` with mask ``[B, T]``, and where in each text the written
    tokens begin; padding stands on the right.
    """
    prompts = [processor.prompt(sample) for sample in samples]
    texts = [[*prompt, *new] for prompt, new in zip(prompts, written, strict=True)]
    longest = max(map(len, texts))
    ids = torch.tensor([text + [processor.end_id] * (longest - len(text)) for text in texts], device=device)
    mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts], device=device)
    return ids, mask, list(map(len, prompts))


def pieces(processor: TextProcessor, ids: Sequence[int]) -> list[str]:
    """Each token as text; a character that several tokens share is counted to the last of them."""
    found, before = [], ""
    for end in range(1, len(ids) + 1):
        whole = processor.tokenizer.decode(ids[:end], clean_up_tokenization_spaces=False)
        if whole.endswith("\ufffd") and end < len(ids):  # the first bytes of a character
            whole = before
        found.append(whole[len(before) :])
        before = whole
    return found


def _along(value: Tensor, row: int, place: slice) -> np.ndarray:
    """The mean over sites at `place` of a text, of ``[S, B, T]``, or of ``[S]`` and ``[S, D]``, alike for all texts."""
    if value.dim() == 3:
        return value[:, row, place].float().mean(0).cpu().numpy()
    return np.full(place.stop - place.start, float(value.float().mean()), dtype=np.float32)
