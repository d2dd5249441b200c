"""Step 1 as a task: cross-entropy, classification metrics, and a trace of what the integration does."""

from __future__ import annotations

from typing import Mapping

import numpy as np
from torch import Tensor

from common.evaluation.metrics import classification_metrics
from common.evaluation.trace import TracedTask
from common.models.multi_stream import MultiStreamForSequenceClassification


class SentimentTask(TracedTask):
    """Wraps the classifier for the trainer.

    Args:
        ordinal: the labels are ordered by their number, so that being nearly right is scored too.
    """

    def __init__(self, model: MultiStreamForSequenceClassification, ordinal: bool = False) -> None:
        super().__init__(model)
        self.ordinal = ordinal
        self.model: MultiStreamForSequenceClassification = model

    def training_forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean cross-entropy of a batch, plus the balance penalty where the integration asks for one."""
        output = self.model(**batch, report=self.tracing)
        self.note(output)
        accuracy = (output.logits.argmax(-1) == batch["labels"]).float().mean()
        return output.loss, {"accuracy": accuracy.detach()}

    def predict_forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits ``[B, K]`` and labels ``[B]``."""
        output = self.model(**batch)
        return {"logits": output.logits.float(), "labels": batch["labels"]}

    def metrics(self, outputs: dict[str, np.ndarray]) -> dict[str, float]:
        return classification_metrics(outputs["logits"], outputs["labels"], self.ordinal)
