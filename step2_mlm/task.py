"""Step 2 as a task: cross-entropy of masked tokens, and what was predicted at each of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from common.data.language.masking import NOTHING
from common.evaluation.trace import TracedTask
from common.evaluation.word_facts import WordFacts
from common.models.masked_lm import MultiStreamForMaskedLM
from common.training.task import for_model

INPUTS_ONLY = ("words", "places")
"""Fields of a batch that are for analyses and not for the model."""


class MaskedLMTask(TracedTask):
    """Wraps the masked language model for the trainer.

    Args:
        facts: what is known of the words; predictions are recorded with them.
    """

    def __init__(self, model: MultiStreamForMaskedLM, facts: WordFacts) -> None:
        super().__init__(model)
        self.model: MultiStreamForMaskedLM = model
        self.facts = facts

    def training_forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean cross-entropy of the batch's masked tokens, plus the balance penalty where one is set."""
        output = self.model(**for_model(batch, INPUTS_ONLY), report=self.tracing)
        self.note(output)
        targets = batch["labels"][batch["labels"] != NOTHING]
        right = (output.logits.argmax(-1) == targets).float().sum() / max(1, len(targets))
        return output.loss, {"accuracy": right.detach()}

    def predict_forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Per position ``[B, T]``, NaN where nothing was masked: negative log-likelihood of the token in nats, entropy
        of the prediction in nats, whether its best is right, the contribution of every stream (mean over the sites);
        and labels, words and places ``[B, T]``.
        """
        several = len(self.model.integration.names) > 1
        output = self.model(**for_model(batch, INPUTS_ONLY), report=several)
        wanted = batch["labels"] != NOTHING
        targets = batch["labels"][wanted]
        logs = output.logits.float().log_softmax(-1)  # [M, V]
        values = {
            "nll": -logs.gather(1, targets[:, None])[:, 0],
            "entropy": -(logs.exp() * logs).sum(-1),
            "right": (logs.argmax(-1) == targets).float(),
        }
        for name, share in (output.contributions or {}).items():  # [S, B, T]
            values[f"contribution_{name}"] = share.float().mean(0)[wanted]
        empty = torch.full(wanted.shape, torch.nan, device=wanted.device)
        spread = {name: empty.masked_scatter(wanted, value) for name, value in values.items()}
        return {**spread, "labels": batch["labels"], "words": batch["words"], "places": batch["places"]}

    def metrics(self, outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Mean negative log-likelihood of the masked tokens (nats), its exponential, and accuracy."""
        wanted = outputs["labels"] != NOTHING
        loss = float(outputs["nll"][wanted].astype(np.float64).mean())
        right = float(outputs["right"][wanted].mean())
        return {"loss": loss, "perplexity": float(np.exp(loss)), "accuracy": right, "tokens": float(wanted.sum())}

    def predictions(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A row per masked token, in the order of the text: place in the split, token, what was predicted, and the
        facts of its word. The places are the evaluation's masks.
        """
        wanted = outputs["labels"] != NOTHING
        words = outputs["words"][wanted]
        measured = [name for name in outputs if name not in ("labels", "words", "places", "right")]
        columns: dict[str, np.ndarray] = {
            "place": outputs["places"][wanted].astype(np.int32),
            "token": outputs["labels"][wanted].astype(np.int32),
        }
        columns |= {name: outputs[name][wanted].astype(np.float32) for name in measured}
        columns["right"] = outputs["right"][wanted] > 0
        columns["train_count"] = self.facts.train_count[words].astype(np.int32)
        columns["morphemes"] = self.facts.morphemes[words].astype(np.int8)
        columns["homophone"] = self.facts.homophone[words]
        return columns
