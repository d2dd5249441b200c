"""Step 3 as a task: cross-entropy of the next token, and what was predicted at each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from common.data.language.masking import NOTHING
from common.data.language.shards import Counts
from common.evaluation.trace import TracedTask
from common.evaluation.word_facts import WordFacts
from common.models.causal_lm import MultiStreamGPT2LMHeadModel
from common.training.task import for_model

INPUTS_ONLY = ("words", "places", "source")
"""Fields of a batch that are for analyses and not for the model."""


class GPTTask(TracedTask):
    """Wraps the language model for the trainer.

    Args:
        counts: words and bytes of each split, by its number in the batches' ``source``.
        facts: what is known of the words of the main text; None records no predictions.
        recorded: number of the split whose predictions are recorded.
    """

    def __init__(
        self,
        model: MultiStreamGPT2LMHeadModel,
        counts: Mapping[int, Counts],
        facts: WordFacts | None = None,
        recorded: int = -1,
    ) -> None:
        super().__init__(model)
        self.model: MultiStreamGPT2LMHeadModel = model
        self.counts, self.facts, self.recorded = dict(counts), facts, recorded

    def training_forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean cross-entropy of the batch's tokens, plus the balance penalty where one is set."""
        output = self.model(**for_model(batch, INPUTS_ONLY), report=self.tracing)
        self.note(output)
        return output.loss, {}

    def predict_forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``nll [B, T]``: negative log-likelihood of the token in nats, NaN where none is scored; ``places``,
        ``labels`` and ``words`` ``[B, T]`` and ``source`` ``[B]`` as in the batch.
        """
        inputs = for_model(batch, INPUTS_ONLY)
        labels = inputs.pop("shift_labels")
        logits = self.model(**inputs).logits
        nll = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), labels.flatten(), ignore_index=NOTHING, reduction="none"
        ).view_as(labels)
        nll = torch.where(labels == NOTHING, torch.nan, nll)
        return {"nll": nll, "labels": labels, **{name: batch[name] for name in INPUTS_ONLY}}

    def metrics(self, outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
        """See :func:`language_metrics`."""
        return language_metrics(outputs["nll"][outputs["labels"] != NOTHING], self.counts[int(outputs["source"][0])])

    def predictions(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A row per token of the recorded split, in the order of the text: its place, itself, its negative
        log-likelihood in nats, and the facts of its word.
        """
        if self.facts is None or int(outputs["source"][0]) != self.recorded:
            return {}
        wanted = outputs["labels"] != NOTHING
        words = outputs["words"][wanted]
        return {
            "place": outputs["places"][wanted].astype(np.int32),
            "token": outputs["labels"][wanted].astype(np.int32),
            "nll": outputs["nll"][wanted].astype(np.float32),
            "train_count": self.facts.train_count[words].astype(np.int32),
            "morphemes": self.facts.morphemes[words].astype(np.int8),
            "homophone": self.facts.homophone[words],
        }


def language_metrics(nll: np.ndarray, counts: Counts) -> dict[str, float]:
    """Loss and perplexities of a text.

    Args:
        nll: nats of every scored token; those that part documents count too.
        counts: the text's words and bytes.

    Returns:
        loss: nats per token. token_perplexity: its exponential, comparable within one tokenizer only. word_perplexity:
        exp(all nats / words). bits_per_byte: all nats / (ln 2 · bytes). tokens, words, bytes.
    """
    total = float(nll.astype(np.float64).sum())
    loss = total / len(nll)
    return {
        "loss": loss,
        "token_perplexity": math.exp(loss),
        # A model that has learnt nothing may be beyond what a float holds.
        "word_perplexity": math.exp(min(700.0, total / max(1, counts.words))),
        "bits_per_byte": total / (math.log(2) * max(1, counts.bytes)),
        "tokens": float(len(nll)),
        "words": float(counts.words),
        "bytes": float(counts.bytes),
    }


def split_numbers(names: Sequence[str]) -> dict[str, int]:
    """Number of each split in ``source``."""
    return {name: number for number, name in enumerate(names)}
