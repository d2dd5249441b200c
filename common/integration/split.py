"""Split the output of a small network into the parts that its inputs account for, so that fusions with a non-linearity
have contributions too.

``GELU(x) = x · Φ(x)``: with the gain ``Φ(x)`` taken as it is at that point, the output is a sum over the summands of x.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def gelu_gain(x: Tensor) -> Tensor:
    """``GELU(x) / x``, which is the normal distribution function Φ(x); defined at 0 too."""
    return 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))
