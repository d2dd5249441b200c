"""LLaVA's projector (Liu et al. 2023): the picture's own vectors, mapped to token embeddings."""

from __future__ import annotations

from torch import Tensor, nn

from step4_vision_language.fusion_config import FusionConfig
from step4_vision_language.fusions.base import Fusion, Pictures, Shape, register_fusion


def projector(narrow: int, width: int) -> nn.Sequential:
    """``Linear(narrow, D) → ReLU → LayerNorm → Linear(D, D)``."""
    return nn.Sequential(nn.Linear(narrow, width), nn.ReLU(), nn.LayerNorm(width), nn.Linear(width, width))


@register_fusion("projector")
class Projector(Fusion):
    """The pooled vector as one token."""

    replaces = True

    def __init__(self, config: FusionConfig, shape: Shape) -> None:
        super().__init__(config, shape)
        self.project = projector(shape.pooled_width, shape.width)

    def embed(self, pictures: Pictures) -> Tensor:
        return self.project(pictures.pooled).unsqueeze(2)


@register_fusion("projector_patches")
class PatchProjector(Fusion):
    """Every patch as a token."""

    replaces = True

    def __init__(self, config: FusionConfig, shape: Shape) -> None:
        super().__init__(config, shape)
        self.project = projector(shape.patch_width, shape.width)

    @property
    def tokens(self) -> int:
        return self.shape.patches

    def embed(self, pictures: Pictures) -> Tensor:
        return self.project(pictures.patches)
