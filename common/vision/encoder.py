"""The one interface behind which every vision encoder stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.modeling_utils import load_state_dict

from common.registry import Registry
from common.vision.config import RANDOM, VisionConfig


class Visual(NamedTuple):
    """What an encoder makes of N pictures: `patches` ``[N, P, C]``, the depths side by side in C, and `pooled`
    ``[N, E]``.
    """

    patches: Tensor
    pooled: Tensor


class VisionEncoder(nn.Module, ABC):
    """Pictures to patch tokens and a pooled vector. Frozen (no parameter asks for a gradient), it stays in evaluation
    mode, so that its batch statistics stay as they are too.

    Args:
        config: see :class:`VisionConfig`.
        mean, std: what its weights were trained with, per colour.
    """

    patch_width: int
    """Channels C of a patch token, all depths together."""
    pooled_width: int
    """Channels E of the pooled vector."""

    def __init__(self, config: VisionConfig, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.config = config
        self.mean, self.std = config.mean or tuple(mean), config.std or tuple(std)

    @abstractmethod
    def layers(self, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
        """Patch tokens of the last `depths` layers, each ``[N, P, C_l]``, and the pooled vector ``[N, E]``."""

    def architecture(self) -> dict[str, Any]:
        """What is needed beside the config to build it again without weights."""
        return {}

    def forward(self, pixels: Tensor) -> Visual:
        """Normalised pictures ``[N, 3, H, W]`` to their tokens."""
        patches, pooled = self.layers(pixels)
        return Visual(torch.cat(patches, dim=-1), pooled)

    def train(self, mode: bool = True) -> VisionEncoder:
        return super().train(mode and any(parameter.requires_grad for parameter in self.parameters()))

    def patches_of(self, size: int) -> int:
        """Patch tokens P of a picture of `size` pixels a side."""
        with torch.no_grad():
            like = next(self.parameters())
            return self.eval()(torch.zeros(1, 3, size, size, device=like.device, dtype=like.dtype)).patches.shape[1]


def as_tokens(layers: list[Tensor]) -> list[Tensor]:
    """Feature maps ``[N, C, h, w]``, brought to the grid of the last one, as tokens ``[N, P, C]``."""
    grid = (layers[-1].shape[-2], layers[-1].shape[-1])
    return [F.adaptive_avg_pool2d(layer, grid).flatten(2).transpose(1, 2) for layer in layers]


def read_weights(model: nn.Module, path: str, name: str) -> None:
    """Load a local file into `model`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is of another model.
    """
    if not Path(path).expanduser().is_file():
        raise FileNotFoundError(f"no weights at {path}; name a local file, or {RANDOM}")
    state = load_state_dict(str(Path(path).expanduser()))
    try:
        model.load_state_dict({key: value.float() for key, value in state.items()})
    except RuntimeError as error:
        raise ValueError(
            f"{path} does not hold the weights of {name}: {str(error).splitlines()[-1].strip()}"
        ) from error


Builder = Callable[[VisionConfig, bool, dict[str, Any]], VisionEncoder]
_BUILDERS: Registry[Builder] = Registry("family of encoders")


def register_encoder(prefix: str) -> Callable[[Builder], Builder]:
    """Decorator: make an encoder known under names that begin with `prefix`."""
    return partial(_BUILDERS.add, prefix)


def build_encoder(config: VisionConfig, load: bool = True, architecture: dict[str, Any] | None = None) -> VisionEncoder:
    """Build the encoder that `config` names.

    Args:
        load: False leaves its weights random, to be filled from a saved model.
        architecture: what :meth:`VisionEncoder.architecture` of the saved one said.

    Raises:
        FileNotFoundError: weights that cannot be had.
        ValueError: an unknown model.
    """
    from common.vision import open_clip_encoder, timm_encoder, transformers_encoder  # noqa: F401  # they register

    prefix = config.name.partition("/")[0]
    return _BUILDERS.get(prefix, _BUILDERS[""])(config, load, architecture or {})
