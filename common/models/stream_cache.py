"""What generation remembers of the secondary streams: further layers of the backbone's own key-value cache."""

from __future__ import annotations

from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer


class StreamCache:
    """Gives the streams layers behind the backbone's in one cache, so that beam search reorders them together.

    Args:
        cache: a ``DynamicCache``.
        first: layers of the backbone.

    Raises:
        ValueError: another kind of cache.
    """

    def __init__(self, cache: Cache, first: int) -> None:
        if not isinstance(cache, DynamicCache):
            raise ValueError(
                f"streams need a DynamicCache, got {type(cache).__name__}; leave cache_implementation unset"
            )
        self.cache, self.next = cache, first

    def layers(self, count: int) -> list[Layer]:
        """The next layers; they are asked for in the same order in every step."""
        self.next += count
        while len(self.cache.layers) < self.next:
            self.cache.layers.append(DynamicLayer())
        return [Layer(self.cache, index) for index in range(self.next - count, self.next)]

    def history(self, stream: Tensor) -> Tensor:
        """A stream ``[B, T, D]`` of new positions to that of all so far ``[B, S, D]``."""
        wide = stream.unsqueeze(1)
        return self.layers(1)[0](wide, wide[..., :0])[0].squeeze(1)


class Layer:
    """One layer: adds what is new, gives all so far."""

    def __init__(self, cache: Cache, index: int) -> None:
        self.cache, self.index = cache, index

    def __call__(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """``[B, H, T, d]`` to ``[B, H, S, d]``."""
        keys, values = self.cache.update(keys, values, self.index)
        return keys, values
