"""What generation remembers of the secondary streams: further layers of the backbone's own key-value cache."""

from __future__ import annotations

from dataclasses import fields

from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer
from transformers.modeling_outputs import CausalLMOutputWithPast

CACHE = "cache" if "cache" in {field.name for field in fields(CausalLMOutputWithPast)} else "past_key_values"
"""What the installed `transformers` calls the keys and values so far: ``past_key_values`` until its version 5.23."""


def one_cache(cache: Cache | None, past_key_values: Cache | None) -> Cache | None:
    """The cache of a call that may name it by either name of `transformers`.

    Raises:
        ValueError: both are given.
    """
    if cache is not None and past_key_values is not None:
        raise ValueError("cache and past_key_values are two names of one thing; pass one of them")
    return past_key_values if cache is None else cache


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
