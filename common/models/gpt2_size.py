"""Size of a GPT-2 that starts from random weights."""

from __future__ import annotations

from dataclasses import dataclass

SCRATCH = "scratch"
"""Name of the language model that starts from random weights."""


@dataclass(frozen=True)
class SizeConfig:
    """Size of a GPT-2 that starts from random weights."""

    width: int = 192
    """Channels."""
    layers: int = 4
    """Layers."""
    heads: int = 4
    """Attention heads."""
    inner: int = 0
    """Channels inside the MLPs; 0 = four times the width."""

    def __post_init__(self) -> None:
        if min(self.width, self.layers, self.heads) < 1 or self.width % self.heads or self.inner < 0:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}, and all at least 1")


TINY = SizeConfig(width=128, layers=4, heads=4)
SMALL = SizeConfig(width=768, layers=12, heads=12)
"""GPT-2 small: 124 million parameters with GPT-2's vocabulary (Radford et al. 2019)."""
