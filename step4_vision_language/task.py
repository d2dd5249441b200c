"""Step 4 as a task: cross-entropy of captions and answers, and where asked for a contrastive loss beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from common.data.language.masking import NOTHING
from common.evaluation.trace import TracedTask
from common.training.task import for_model
from step4_vision_language.contrast import DualEncoder
from step4_vision_language.data import INPUTS_ONLY
from step4_vision_language.model import VisionLanguageModel


class GenerateTask(TracedTask):
    """Wraps the model for the trainer.

    Args:
        dual: compares pictures and texts; None leaves the contrastive loss out.
        weight: of the contrastive loss.
    """

    def __init__(self, model: VisionLanguageModel, dual: DualEncoder | None = None, weight: float = 0.0) -> None:
        super().__init__(model)
        self.model: VisionLanguageModel = model
        self.dual, self.weight = dual, weight

    def parts(self) -> dict[str, list[nn.Module]]:
        found = super().parts()
        return found if self.dual is None else {**found, "head": [*found["head"], self.dual]}

    def training_forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean cross-entropy of the tokens that are to be written, plus the weighted contrastive loss."""
        output = self.model(**for_model(batch, INPUTS_ONLY), report=self.tracing)
        self.note(output)
        if self.dual is None:
            return output.loss, {}
        contrast = self.dual.loss(self.model, batch)
        return output.loss + self.weight * contrast, {"contrastive": contrast.detach()}

    def predict_forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``nll [B]`` in nats and ``tokens [B]`` of each text, and ``example [B]``."""
        inputs = for_model(batch, INPUTS_ONLY)
        labels = nn.functional.pad(inputs.pop("labels")[:, 1:], (0, 1), value=NOTHING)
        logits = self.model(**inputs).logits
        nll = nn.functional.cross_entropy(
            logits.float().flatten(0, 1), labels.flatten(), ignore_index=NOTHING, reduction="none"
        ).view_as(labels)
        return {"nll": nll.sum(-1), "tokens": (labels != NOTHING).sum(-1), "example": batch["example"]}

    def metrics(self, outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
        """loss: nats per token. perplexity: its exponential. tokens."""
        tokens = float(outputs["tokens"].sum())
        loss = float(outputs["nll"].astype(np.float64).sum()) / tokens
        return {"loss": loss, "perplexity": math.exp(min(700.0, loss)), "tokens": tokens}

    def predictions(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A row per text: the number of its sample, its negative log-likelihood in nats, its tokens."""
        return {
            "sample": outputs["example"].astype(np.int32),
            "nll": outputs["nll"].astype(np.float32),
            "tokens": outputs["tokens"].astype(np.int16),
        }


class RetrieveTask(TracedTask):
    """Finds the picture of a text, and the text of a picture: the contrastive loss alone."""

    def __init__(self, model: VisionLanguageModel, dual: DualEncoder) -> None:
        super().__init__(model)
        self.model: VisionLanguageModel = model
        self.dual = dual

    def parts(self) -> dict[str, list[nn.Module]]:
        found = super().parts()
        return {**found, "head": [*found["head"], self.dual]}

    def training_forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The contrastive loss of a batch."""
        if self.tracing:
            with torch.no_grad():
                self.note(self.dual.read_pictures(self.model, batch, report=True))
        return self.dual.loss(self.model, batch), {}

    def predict_forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``picture`` and ``text`` ``[B, E]``, of length 1, and ``example [B]``."""
        picture, text = self.dual(self.model, batch)
        return {"picture": picture, "text": text, "example": batch["example"]}

    def metrics(self, outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
        """loss: InfoNCE over the split at the learned temperature. Recall and median rank, both ways."""
        from common.evaluation.retrieval import retrieval_scores

        examples, first = np.unique(outputs["example"], return_index=True)
        similarity = outputs["picture"][first] @ outputs["text"].T  # [I, C]
        owner = np.searchsorted(examples, outputs["example"])
        scores = retrieval_scores(similarity, owner)
        logits = torch.from_numpy(similarity.T * float(self.dual.scale().detach()))  # [C, I]
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(owner))
        return {"loss": float(loss), **scores}

    def predictions(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A row per text: the number of its sample, and the rank of its picture among all."""
        from common.evaluation.retrieval import retrieval_ranks

        examples, first = np.unique(outputs["example"], return_index=True)
        owner = np.searchsorted(examples, outputs["example"])
        _, of_texts = retrieval_ranks(outputs["picture"][first] @ outputs["text"].T, owner)
        return {"sample": outputs["example"].astype(np.int32), "rank": of_texts.astype(np.int32)}
