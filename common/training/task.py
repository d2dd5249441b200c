"""What a step of the study hands to the trainer: a model, its loss and its metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Batch = dict[str, Any]


class Task(nn.Module, ABC):
    """Model + loss + metrics of one step. The trainer knows nothing else of a step.

    Args:
        model: the module that is trained and saved. It (or the task) names its parts, see :meth:`parts`.
    """

    tracing: bool = False
    """Set by the trainer around a forward whose contributions :meth:`trace` will be asked for."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @abstractmethod
    def training_forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean loss ``[]`` of a batch, and scalars ``[]`` to log beside it."""

    @abstractmethod
    def predict_forward(self, batch: Batch) -> dict[str, Tensor]:
        """Outputs ``[B, ...]`` per example, equal in all but the first dimension over batches.

        For classification at least ``logits [B, K]`` and ``labels [B]``.
        """

    @abstractmethod
    def metrics(self, outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Metrics of a whole split from the outputs of :meth:`predict_forward`, in the order of the examples."""

    def parts(self) -> dict[str, list[nn.Module]]:
        """Modules of each part (backbone, streams, integration, head); together they hold every parameter."""
        own = getattr(self.model, "parts", None)
        if not callable(own):
            raise TypeError(f"{type(self.model).__name__} needs a method parts() -> dict[str, list[nn.Module]]")
        return own()  # pyright: ignore[reportReturnType]

    def wants_trace(self, step: int) -> bool:
        """Whether α, gradients and contributions are recorded after `step` updates: 0, 1, 2, 4, 8, ..."""
        return step & (step - 1) == 0

    def trace(self) -> list[tuple[str, str, int, float]]:
        """(quantity, stream, site, value) of the last forward and backward.

        quantity is ``alpha``, ``gamma``, ``contribution`` or ``gradient``. When the trainer asks, the last forward was
        one in eval mode over a fixed batch of validation examples, and ``.grad`` of the mixing weights is of its loss.
        """
        return []

    def predictions(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Columns of the predictions file, each ``[N]``. Default: ``label`` and the probability of each class."""
        if "logits" not in outputs or outputs["logits"].ndim != 2:
            return {}
        logits = outputs["logits"].astype(np.float64)  # [N, K]
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)
        columns = {"label": outputs["labels"].astype(np.int64)}
        return columns | {f"p_{k}": probabilities[:, k] for k in range(probabilities.shape[1])}


def for_model(batch: Mapping[str, Tensor], inputs_only: Collection[str]) -> dict[str, Tensor]:
    """The fields of a batch that the model reads: all but `inputs_only`, which are for analyses."""
    return {name: value for name, value in batch.items() if name not in inputs_only}


def to_device(batch: Any, device: torch.device) -> Any:
    """`batch` with every tensor in it (dicts, lists and tuples are searched) on `device`."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)(to_device(value, device) for value in batch)
    return batch
