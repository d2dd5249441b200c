"""Small streams and one way to run all sites of a rule."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from common.integration import Integration, IntegrationConfig, build_integration

WIDTH, SITES, BATCH, TIME = 12, 3, 3, 5
NARROW = (12, 7, 5, 16, 4, 9, 12, 3)  # one is wider than WIDTH, so that both ways to take an RMS are run


class Lab:
    """Makes rules and streams, and runs every site."""

    sites = SITES
    width = WIDTH

    @staticmethod
    def widths(count: int, rule: str = "dm") -> dict[str, int]:
        count = 1 if rule == "reference" else count
        return dict(zip(["ref", "b", "c", "d", "e", "f", "g", "h"][:count], NARROW, strict=False))

    @classmethod
    def build(cls, rule: str, count: int = 3, reference: str | None = "ref", seed: int = 0, **options) -> Integration:
        torch.manual_seed(seed)
        config = IntegrationConfig(rule=rule, **options)
        return build_integration(config, cls.widths(count, rule), WIDTH, SITES, reference)

    @staticmethod
    def streams(module: Integration, seed: int = 1) -> list[dict[str, Tensor]]:
        generator = torch.Generator().manual_seed(seed)
        return [
            {n: torch.randn(BATCH, TIME, w, generator=generator, requires_grad=True) for n, w in module.widths.items()}
            for _ in range(SITES)
        ]

    @staticmethod
    def active(module: Integration) -> range:
        return range(SITES - 1 if module.last_site_only else 0, SITES)

    @classmethod
    def run(cls, module: Integration, streams: list[dict[str, Tensor]], present=None, report=True, mask=None):
        """The results of all sites that run."""
        results, state = [], None
        for site in cls.active(module):
            results.append(module(streams[site], state, present, site, report, mask))
            state = results[-1].state
        return results

    @staticmethod
    def shake(module: Integration, amount: float = 0.3, seed: int = 2) -> Integration:
        """Move every parameter off its start, so that no term is zero."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(amount * torch.randn(parameter.shape, generator=generator))
        return module


@pytest.fixture(scope="session")
def lab() -> type[Lab]:
    torch.set_num_threads(1)
    return Lab
