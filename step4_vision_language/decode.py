"""Writing captions and answers with a trained model, and scoring what was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from common.data.vision import Sample
from common.evaluation.captions import caption_scores, human_agreement
from common.evaluation.vqa import vqa_scores
from common.training.task import to_device
from step4_vision_language.config import DecodeConfig
from step4_vision_language.data import See
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.texts import TextProcessor


@torch.no_grad()
def write_texts(
    model: VisionLanguageModel, processor: TextProcessor, samples: Sequence[Sample], see: See, decode: DecodeConfig,
    **options: Any,
) -> list[str]:  # fmt: skip
    """What the model writes of every sample, in their order; similar lengths are written together.

    Args:
        options: further options of ``generate``, such as ``do_sample=True``.
    """
    prompts = [processor.prompt(sample) for sample in samples]
    order = sorted(range(len(samples)), key=lambda k: len(prompts[k]))
    texts = [""] * len(samples)
    before = model.training
    model.eval()
    for first in range(0, len(order), decode.batch_size):
        chosen = order[first : first + decode.batch_size]
        longest = max(len(prompts[k]) for k in chosen)
        # On the left, so that what is written follows at once.
        ids = torch.tensor([[processor.end_id] * (longest - len(prompts[k])) + prompts[k] for k in chosen])
        mask = torch.tensor([[0] * (longest - len(prompts[k])) + [1] * len(prompts[k]) for k in chosen])
        inputs = to_device(
            {"input_ids": ids, "attention_mask": mask, **see([samples[k] for k in chosen])}, model.device
        )
        found = model.generate(
            **inputs, max_new_tokens=decode.max_new_tokens, num_beams=decode.beams, do_sample=False,
            eos_token_id=processor.end_id, pad_token_id=processor.end_id, bad_words_ids=[[processor.image_id]],
            **options,
        )  # fmt: skip
        for k, row in zip(chosen, found[:, longest:].tolist(), strict=True):
            texts[k] = processor.decode(row)
    model.train(before)
    return texts


def score_texts(samples: Sequence[Sample], texts: Sequence[str]) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Metrics of what was written, and of every sample: captions by BLEU, ROUGE-L and CIDEr-D; answers by soft
    accuracy, exact match and F1, also by kind of question. Conversations have none.
    """
    ids = [sample.id for sample in samples]
    if samples[0].captions:
        references = {sample.id: sample.captions for sample in samples}
        scores = caption_scores(dict(zip(ids, texts, strict=True)), references)
        found = dict(scores.corpus)
        if all(len(captions) > 1 for captions in references.values()):  # what people agree on stands beside it
            found |= {f"human_{name}": value for name, value in human_agreement(references).corpus.items()}
        return found, {name: np.asarray(value) for name, value in scores.per_example.items()}
    if samples[0].answers:
        scores = vqa_scores(list(texts), [s.answers for s in samples], [s.needs or s.kind for s in samples])
        flat = dict(scores.overall)
        for kind, values in scores.by_type.items():
            flat |= {f"{name}_{kind.replace(' ', '_')}": value for name, value in values.items()}
        return flat, {name: np.asarray(value) for name, value in scores.per_example.items()}
    return {}, {}
