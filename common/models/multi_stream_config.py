"""Config and output of the multi-stream models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from torch import Tensor
from transformers import AutoConfig, PretrainedConfig
from transformers.utils.generic import ModelOutput

from common.integration import IntegrationConfig

POOLINGS = ("first", "mean")
"""What a classification head reads: the first token's state, or the mean over the text's tokens."""


class MultiStreamConfig(PretrainedConfig):
    """Config of a multi-stream model: the backbone's own config, the streams and the integration."""

    model_type = "multi_stream"

    def __init__(
        self,
        backbone: Mapping | None = None,
        integration: Mapping | None = None,
        streams: Sequence[Mapping] = (),
        vocabularies: Mapping[str, int] | None = None,
        use_meaning: bool = True,
        pooling: str = "first",
        **kwargs,
    ) -> None:
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}")
        self.pooling = pooling
        self.backbone = dict(backbone or {})
        self.integration = dict(integration or asdict(IntegrationConfig()))
        self.streams = [dict(stream) for stream in streams]
        self.vocabularies = dict(vocabularies or {})
        self.use_meaning = use_meaning
        super().__init__(**kwargs)


@dataclass
class MultiStreamOutput(ModelOutput):
    """loss ``[]``, logits; α: stream -> ``[S, …]``; contributions, projections: stream (and ``state``) -> ``[S, B, T]``
    (see :class:`common.integration.base.Integrated`); read: bool ``[B, T]``, the positions whose state reaches the
    logits (elsewhere contributions have no effect)."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    alphas: dict[str, Tensor] | None = None
    contributions: dict[str, Tensor] | None = None
    read: Tensor | None = None
    projections: dict[str, Tensor] | None = None


# So that `transformers` finds it by the type that a saved folder names.
AutoConfig.register(MultiStreamConfig.model_type, MultiStreamConfig, exist_ok=True)
