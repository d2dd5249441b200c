"""Step 1 as a task: cross-entropy, classification metrics, and a trace of what the integration does."""

from __future__ import annotations

from typing import Mapping

import numpy as np
from torch import Tensor

from common.evaluation.metrics import classification_metrics
from common.integration.mixing_weights import MixingWeights
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
        """(quantity, stream, site, value) of the last traced step: α, γ, their gradients, and contributions.

        Values per token are averaged over the tokens that the head reads, channels over all.
        """
        if self._last is None:
            return []
        output, self._last = self._last, None
        assert output.read is not None
        rows = []
        for quantity, values in (("alpha", output.alphas), ("contribution", output.contributions)):
            for stream, value in (values or {}).items():
                kept = value[:, output.read] if value.dim() == 3 else value.reshape(len(value), -1)
                mean = kept.float().mean(1)  # [S]
                rows += [(quantity, stream, site, share) for site, share in enumerate(mean.tolist())]
        return rows + self._weights()

    def _weights(self) -> list[tuple[str, str, int, float]]:
        """γ of every site that has one, and the gradient of α (its mean over channels)."""
        names = self.model.integration.names
        rows = []
        for module in self.model.modules():
            if not isinstance(module, MixingWeights):
                continue
            if "gamma" in module:
                # The first site has no state below it, so the first γ belongs to the second site.
                rows += [("gamma", "state", site + 1, g) for site, g in enumerate(module["gamma"].detach().tolist())]
            alpha = module.get_parameter("alpha") if "alpha" in module else None
            if alpha is not None and alpha.grad is not None and alpha.shape[1:2] == (len(names),):
                gradients = alpha.grad.float().flatten(2).mean(-1) if alpha.dim() > 2 else alpha.grad.float()  # [R, N]
                rows += [
                    ("gradient", name, site, value)
                    for site, row in enumerate(gradients.tolist())
                    for name, value in zip(names, row, strict=True)
                ]
        return rows
