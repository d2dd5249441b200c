"""Step 1 as a task: cross-entropy, classification metrics, and a trace of what the integration does."""

from __future__ import annotations

from typing import Mapping

import numpy as np
from torch import Tensor

from common.evaluation.metrics import classification_metrics
from common.evaluation.trace import trace_rows
from common.models.multi_stream import MultiStreamForSequenceClassification
from common.models.multi_stream_config import MultiStreamOutput
from common.training.task import Task


class SentimentTask(Task):
    """Wraps the classifier for the trainer.

    Args:
        ordinal: the labels are ordered by their number, so that being nearly right is scored too.
    """

    def __init__(self, model: MultiStreamForSequenceClassification, ordinal: bool = False) -> None:
        super().__init__(model)
        self.ordinal = ordinal
        self.model: MultiStreamForSequenceClassification = model
        self._last: MultiStreamOutput | None = None

    def parts(self):
        return self.model.parts()

    def training_forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean cross-entropy of a batch, plus the balance penalty where the integration asks for one."""
        output = self.model(**batch, report=self.tracing)
        if self.tracing:
            self._last = output
        accuracy = (output.logits.argmax(-1) == batch["labels"]).float().mean()
        return output.loss, {"accuracy": accuracy.detach()}

    def predict_forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits ``[B, K]`` and labels ``[B]``."""
        output = self.model(**batch)
        return {"logits": output.logits.float(), "labels": batch["labels"]}

    def metrics(self, outputs: dict[str, np.ndarray]) -> dict[str, float]:
        return classification_metrics(outputs["logits"], outputs["labels"], self.ordinal)

    def trace(self) -> list[tuple[str, str, int, float]]:
        """α, γ, their gradients and contributions of the last traced step."""
        if self._last is None:
            return []
        output, self._last = self._last, None
        return trace_rows(self.model, self.model.integration.names, output)
