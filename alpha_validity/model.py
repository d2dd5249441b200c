"""Vector streams through encoders of their own, joined by an integration rule at every depth, and a head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor, nn

from alpha_validity.config import ValidityRunConfig
from common.integration import build_integration
from common.integration.regularisers import draw_presence


@dataclass
class Joined:
    """What one pass leaves behind.

    logits: ``[B, K]``.
    states: the state of each site ``[B, 1, D]``.
    alphas, contributions: site -> stream -> values.
    """

    logits: Tensor
    states: list[Tensor] = field(default_factory=list)
    alphas: list[dict[str, Tensor]] = field(default_factory=list)
    contributions: list[dict[str, Tensor]] = field(default_factory=list)


class Encoder(nn.Module):
    """A stream ``[B, D_in]`` to one output ``[B, D]`` per depth, each a residual layer on the one below."""

    def __init__(self, narrow: int, width: int, depths: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.LayerNorm(narrow), nn.Linear(narrow, width))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            for _ in range(depths)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.enter(x)
        depths = []
        for layer in self.layers:
            x = x + layer(x)
            depths.append(x)
        return depths


class VectorModel(nn.Module):
    """Streams side by side, a rule at every depth, and a head that may combine what it reads.

    Args:
        widths: stream -> channels of its vectors.
    """

    def __init__(self, config: ValidityRunConfig, widths: Mapping[str, int]) -> None:
        super().__init__()
        self.names = tuple(widths)
        reference = self.names[0] if config.reference else None
        outer = {name: config.width if name == reference else config.narrow for name in self.names}
        self.encoders = nn.ModuleDict({name: Encoder(widths[name], outer[name], config.sites) for name in self.names})
        self.integration = build_integration(config.integration, outer, config.width, config.sites, reference)
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Sequential(
            nn.Linear(config.width, 2 * config.width), nn.GELU(), nn.Linear(2 * config.width, config.classes)
        )

    @property
    def sites(self) -> range:
        """Depths at which the rule joins the streams."""
        last = self.integration.sites - 1
        return range(last if self.integration.last_site_only else 0, last + 1)

    def encode(self, streams: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """Streams ``[B, D_i]`` to depth -> stream -> ``[B, 1, D_i]``."""
        depths = {name: self.encoders[name](streams[name]) for name in self.names}
        return [
            {name: depths[name][site].unsqueeze(1) for name in self.names} for site in range(self.integration.sites)
        ]

    def read(self, state: Tensor) -> Tensor:
        """Logits ``[B, K]`` of the last state ``[B, 1, D]``."""
        return self.head(self.integration.after_norm(self.norm(state))).squeeze(1)

    def forward(
        self, streams: Mapping[str, Tensor], present: Mapping[str, Tensor] | None = None, report: bool = False
    ) -> Joined:
        """Predict the label of each sample.

        Args:
            streams: name -> ``[B, D_i]``.
            present: name -> bool ``[B]``; a stream missing from it is present everywhere.
            report: also return α and contributions.
        """
        batch = len(streams[self.names[0]])
        rate = self.integration.config.stream_dropout
        if self.training and rate > 0:
            present = draw_presence(self.names, batch, rate, present, streams[self.names[0]].device)
        depths, state, joined = self.encode(streams), None, Joined(streams[self.names[0]])
        for site in self.sites:
            result = self.integration(depths[site], state, present, site, report)
            state = result.state
            joined.states.append(state)
            joined.alphas += [result.alphas] if result.alphas is not None else []
            joined.contributions += [result.contributions] if result.contributions is not None else []
        assert state is not None
        joined.logits = self.read(state)
        return joined

    def loss(self, streams: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """Cross-entropy ``[]`` of labels ``[B]``."""
        return F.cross_entropy(self(streams).logits, labels)
