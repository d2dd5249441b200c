"""The one interface behind which every way of joining pictures and text stands."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from common.registry import Registry
from step4_vision_language.fusion_config import STREAMS, FusionConfig

FAR = 1 << 30
"""Place of a picture that is not there: no token comes after it."""


class Pictures(NamedTuple):
    """The pictures of a batch, up to I a text.

    patches: ``[B, I, P, C]``.
    pooled: ``[B, I, E]``.
    begin: ``[B, I]``, place of each picture's first token in its text; ``FAR`` where there is no picture.
    """

    patches: Tensor
    pooled: Tensor
    begin: Tensor

    def seen(self, queries: int, length: int) -> Tensor:
        """Bool ``[B, T, I]``: which pictures the last T of `length` places read: those that began there or before."""
        time = torch.arange(length - queries, length, device=self.begin.device)
        return self.begin[:, None, :] <= time[None, :, None]


class Shape(NamedTuple):
    """Sizes that a fusion is built for.

    patch_width, pooled_width: channels C and E of the vision encoder.
    patches: patch tokens P of a picture.
    width: channels D of the language model.
    sites: its layers.
    """

    patch_width: int
    pooled_width: int
    patches: int
    width: int
    sites: int


class Fusion(nn.Module, ABC):
    """One way in which pictures reach the language model. A text holds ``<image>`` where a picture stands.

    Args:
        config: see :class:`FusionConfig`.
        shape: see :class:`Shape`.
    """

    replaces: bool = False
    """Whether what :meth:`embed` gives takes the place of the embeddings of the ``<image>`` tokens."""
    joins_layers: bool = False
    """Whether :meth:`attend` changes what the layers hand on."""

    def __init__(self, config: FusionConfig, shape: Shape) -> None:
        super().__init__()
        self.config, self.shape = config, shape

    @property
    def tokens(self) -> int:
        """How many ``<image>`` tokens stand in the text for one picture."""
        return 1

    def embed(self, pictures: Pictures) -> Tensor:
        """Visual tokens ``[B, I, K, D]``, K = `tokens`."""
        raise NotImplementedError(f"{type(self).__name__} replaces no tokens")

    def prepare(self, pictures: Pictures) -> Tensor:
        """What :meth:`attend` reads at every layer ``[B, I, K, d]``, computed once."""
        raise NotImplementedError(f"{type(self).__name__} joins no layers")

    def attend(self, site: int, hidden: Tensor, prepared: Tensor, seen: Tensor) -> Tensor:
        """What layer `site` hands on, given its output `hidden` ``[B, T, D]`` and `seen` bool ``[B, T, I]``."""
        raise NotImplementedError(f"{type(self).__name__} joins no layers")


_FUSIONS: Registry[type[Fusion]] = Registry("fusion")
Kind = TypeVar("Kind", bound=type[Fusion])


def register_fusion(name: str) -> Callable[[Kind], Kind]:
    """Class decorator: make a fusion known under `name`."""

    def add(cls: Kind) -> Kind:
        _FUSIONS.add(name, cls)
        return cls

    return add


def fusions() -> dict[str, type[Fusion]]:
    """All registered fusions, by name."""
    return dict(sorted(_FUSIONS.items()))


def build_fusion(config: FusionConfig, shape: Shape) -> Fusion:
    """Build the fusion that `config` names.

    Raises:
        ValueError: an unknown name.
    """
    return _FUSIONS.named(config.name)(config, shape)


@register_fusion("none")
class NoPicture(Fusion):
    """The text alone: ``<image>`` is a token like any other."""


@register_fusion(STREAMS)
class Streams(Fusion):
    """The picture is a stream; the model's integration joins it."""
