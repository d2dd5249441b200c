"""Config of a vision encoder."""

from __future__ import annotations

from dataclasses import dataclass

RANDOM = "random"
"""Weights that are not loaded."""
IMAGE_SIZES = range(64, 449)
"""Widths and heights that are taken, in pixels."""


@dataclass(frozen=True)
class VisionConfig:
    """A vision encoder and the pictures it reads."""

    name: str = "tiny"
    """``tiny`` (a small ViT with random weights), ``timm/MODEL``, ``open_clip/MODEL``, or hub name or local folder of a
    CLIP of `transformers`."""
    weights: str = RANDOM
    """Of timm: ``random``, ``pretrained`` or a local file; of open_clip: ``random``, the tag of pretrained weights or a
    local file. A CLIP of `transformers` brings its own."""
    image_size: int = 64
    """Width and height of the pictures in pixels."""
    mean: tuple[float, ...] = ()
    """Mean of each colour that the encoder expects; empty takes its own."""
    std: tuple[float, ...] = ()
    """Standard deviation of each colour; empty takes its own."""
    depths: int = 1
    """Last layers whose patch tokens are handed out."""
    same_padding: bool = False
    """Of timm: pad as TensorFlow does, for weights that come from there."""

    def __post_init__(self) -> None:
        if self.image_size not in IMAGE_SIZES:
            raise ValueError(f"image_size is {IMAGE_SIZES[0]} to {IMAGE_SIZES[-1]} pixels, got {self.image_size}")
        if self.depths < 1:
            raise ValueError(f"depths must be at least 1, got {self.depths}")
        if any(len(value) not in (0, 3) for value in (self.mean, self.std)):
            raise ValueError(f"mean and std are three numbers each, one per colour, got {self.mean} and {self.std}")
