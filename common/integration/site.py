"""What a rule is told about the place at which it combines streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from common.integration.scaling import reference_rms


class Ahead(NamedTuple):
    """What of a site was computed before its reference was known."""

    mixed: Tensor
    """The secondary streams' sum ``[B, T, D]``, before the scale of the reference."""
    alphas: Mapping[str, Tensor]
    """stream -> α."""
    gamma: Tensor | None
    """Weight of the recurrent term; None at the first site."""
    bias: Tensor | None
    """``b_l [D]``; None at the last site."""


class Site(NamedTuple):
    """One site of one forward pass, as :meth:`Integration.combine` sees it."""

    index: int
    """0-based depth."""
    present: Mapping[str, Tensor] | None = None
    """name -> bool ``[B]``; a stream missing from it is present everywhere."""
    mask: Tensor | None = None
    """Bool ``[B, T]``, True at real tokens."""
    report: bool = True
    """Whether the additive terms are asked for."""
    scale_like: Tensor | None = None
    """Reference stream ``[B, T, D]`` that sets the scale of the others in place of the one given."""
    causal: bool = False
    """Whether position t may read positions up to t only."""
    ahead: Ahead | None = None
    """What :meth:`Integration.work_ahead` made of the secondary streams of this site."""

    def scale(self, reference: Tensor, name: str) -> Tensor:
        """RMS ``[B, T, 1]`` that projected streams are brought to beside the `reference` stream of this name."""
        if self.scale_like is not None:
            return reference_rms(self.scale_like, None)
        return reference_rms(reference, (self.present or {}).get(name))
