"""Options with which a trained language model writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """How a text is written: the most likely tokens, beams, or drawn ones."""

    beams: int = 1
    """Beams of a beam search; 1 = none."""
    temperature: float = 0.0
    """Of sampling; 0 always takes the most likely token."""
    top_p: float = 0.95
    """Sampling draws from the most likely tokens that together have this probability."""
    seed: int = 0
    """Of sampling."""
    max_new_tokens: int = 24
    """Tokens to write at most."""

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or self.beams < 1:
            raise ValueError("max_new_tokens and beams must be at least 1")
        if self.temperature < 0 or not 0 < self.top_p <= 1:
            raise ValueError("temperature must not be negative, and top_p is a probability above 0")

    def of_generate(self) -> dict[str, Any]:
        """The keywords of ``generate`` that say how, but for the number of tokens."""
        if self.temperature == 0:
            return {"num_beams": self.beams, "do_sample": False}
        # Unset, `transformers` would draw from the 50 likeliest alone.
        drawn = {"do_sample": True, "temperature": self.temperature, "top_p": self.top_p, "top_k": 0}
        return {"num_beams": self.beams, **drawn}
