"""The one config of every integration rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class IntegrationConfig:
    """Which rule combines the streams, and how. Every field is an ablation.

    A rule that has no use for a field refuses any value but the field's default, so that two
    configs which differ always describe two different models.
    """

    rule: str = "dm"
    """Registered name of the rule: see ``python -m common.integration``."""
    scope: Literal["layer", "shared"] = "layer"
    """One set of weights per site, or one set shared by all sites."""
    granularity: Literal["scalar", "channel", "token"] = "scalar"
    """α is one number, one number per channel, or computed for every token."""
    constraint: Literal["free", "softmax", "sigmoid"] = "free"
    """α is unconstrained, a softmax over streams, or a sigmoid."""
    activation: Literal["identity", "relu", "gelu"] = "identity"
    """φ, applied to the integrated state of every site."""
    scale: Literal["reference", "rms", "none"] = "reference"
    """n: bring projected streams to the reference stream's RMS (detached), to RMS 1, or leave them."""
    init: Literal["preserving", "equal", "predecessor"] = "preserving"
    """Start as the plain backbone; with α = 1/√N; or with α = 1, γ = 0.2."""
    recurrent: bool = True
    """Whether the state of the site below is carried over (γ or U). Off: every site stands alone, so that only the
    last one has an effect and only it is run."""
    train_alpha: bool = True
    """Off freezes α and γ at their initial values (the control arms "fixed equal" and "frozen random")."""
    alpha_noise: float = 0.0
    """Standard deviation of Gaussian noise added to the initial α, or to its logit when α is constrained
    (for the "frozen random" arm)."""
    hidden: int = 64
    """Inner width of the rules that have one (attention keys, bottlenecks of the baselines)."""
    heads: int = 4
    """Attention heads of the rules that attend."""
    stream_dropout: float = 0.0
    """Probability that a sample loses a stream during training (never all of them)."""
    balance_penalty: float = 0.0
    """Weight of the penalty on uneven contributions (0 = off)."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.stream_dropout < 1.0:
            raise ValueError(f"stream_dropout must be in [0, 1), got {self.stream_dropout}")
        if self.balance_penalty < 0 or self.alpha_noise < 0:
            raise ValueError("balance_penalty and alpha_noise must not be negative")
        if self.hidden < 1 or self.heads < 1:
            raise ValueError("hidden and heads must be at least 1")
