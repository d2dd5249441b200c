"""Config of the ways in which pictures reach a language model."""

from __future__ import annotations

from dataclasses import dataclass

STREAMS = "streams"
"""The picture is a stream beside the text, and an integration rule (DM, LI, concat …) joins them."""


@dataclass(frozen=True)
class FusionConfig:
    """How pictures reach the language model."""

    name: str = STREAMS
    """``streams`` (by the integration rule), ``none``, or a fusion: ``prefix_mlp``, ``prefix_transformer``,
    ``projector``, ``projector_patches``, ``qformer``, ``cross_attention``."""
    tokens: int = 8
    """Visual tokens of one picture, for the fusions that can choose: prefixes, queries, latents."""
    width: int = 128
    """Channels inside mappers, queries and latents."""
    layers: int = 2
    """Layers of mappers, queries and resamplers."""
    heads: int = 4
    """Attention heads inside them."""

    def __post_init__(self) -> None:
        if min(self.tokens, self.width, self.layers, self.heads) < 1 or self.width % self.heads:
            raise ValueError("tokens, width, layers and heads must be at least 1, and width a multiple of heads")
