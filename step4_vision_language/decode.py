"""Writing captions and answers with a trained model, and scoring what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.data.vision import Sample
from common.data.vision.vqa import TYPES, types_of
from common.evaluation.captions import caption_scores, human_agreement
from common.evaluation.vqa import means_by_type, vqa_scores
from common.training.task import to_device
from step4_vision_language.config import DecodeConfig
from step4_vision_language.data import See
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.texts import END, TextProcessor


@torch.no_grad()
def write_ids(
    model: VisionLanguageModel, processor: TextProcessor, samples: Sequence[Sample], see: See, decode: DecodeConfig
) -> list[list[int]]:
    """The tokens that the model writes of every sample, in their order; similar lengths are written together.

    Raises:
        ValueError: what is asked and what is to be written are longer than the model's context.
    """
    prompts = processor.prompts(samples, model.context, decode.max_new_tokens)
    order = sorted(range(len(samples)), key=lambda k: len(prompts[k]))
    found: list[list[int]] = [[] for _ in samples]
    before = model.training
    model.eval()
    for first in range(0, len(order), decode.batch_size):
        chosen = order[first : first + decode.batch_size]
        seen = to_device(see([samples[k] for k in chosen]), model.device)
        options = {"num_beams": decode.beams, "do_sample": False}
        new = generate_ids(model, processor, [prompts[k] for k in chosen], seen, decode.max_new_tokens, options)
        for k, row in zip(chosen, new, strict=True):
            found[k] = row
    model.train(before)
    return found


def generate_ids(
    model: VisionLanguageModel, processor: TextProcessor, prompts: Sequence[list[int]], seen: Mapping[str, Tensor],
    max_new_tokens: int, options: Mapping[str, Any],
) -> list[list[int]]:  # fmt: skip
    """The new tokens of each prompt, up to the one that ends them.

    Args:
        seen: the pictures as inputs of the model, on its device.
        options: further options of ``generate``.
    """
    longest = max(map(len, prompts))
    # On the left, so that what is written follows at once.
    ids = [[processor.end_id] * (longest - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    stops = {processor.end_id, processor.tokenizer.convert_tokens_to_ids(END)}  # a text, or a turn of a conversation
    whole = model.generate(
        input_ids=torch.tensor(ids, device=model.device), attention_mask=torch.tensor(mask, device=model.device),
        max_new_tokens=max_new_tokens, eos_token_id=sorted(stops), pad_token_id=processor.end_id,
        bad_words_ids=[[processor.image_id]], **seen, **options,
    )  # fmt: skip
    new = whole[:, longest:].tolist()
    return [row[: next((k for k, token in enumerate(row) if token in stops), len(row))] for row in new]


def score_texts(samples: Sequence[Sample], texts: Sequence[str]) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Metrics of what was written, and of every sample: captions by BLEU, ROUGE-L and CIDEr-D; answers by soft
    accuracy, exact match and F1, also by kind of question, and accuracy by each of the types by which VQA's official
    evaluation reports it (``accuracy_answer_type_number``, ``accuracy_question_type_how_many``), where the data have
    them. Conversations have none.
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
        accuracy = {"accuracy": scores.per_example["accuracy"]}
        for name, types in official_types(samples).items():
            for kind, values in means_by_type(accuracy, types).items():
                flat[f"accuracy_{name}_{kind.replace(' ', '_')}"] = values["accuracy"]
        return flat, {name: np.asarray(value) for name, value in scores.per_example.items()}
    return {}, {}


def official_types(samples: Sequence[Sample]) -> dict[str, list[str]]:
    """Of VQA's questions their answer and question types, each by its name; nothing for other data."""
    found = [types_of(sample.kind) for sample in samples]
    return {name: [types[name] for types in found] for name in TYPES} if all(found) else {}
