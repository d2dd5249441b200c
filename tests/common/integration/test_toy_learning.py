"""On planted vectors the one informative stream ends with the contribution, and without it the rule is at chance."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from common.integration import IntegrationConfig, build_integration

WIDTHS = {"ref": 16, "signal": 16, "other": 8}
SITES, TIME, CLASSES, STEPS = 2, 8, 16, 600


def draw(batch: int, generator: torch.Generator) -> tuple[list[dict[str, Tensor]], Tensor]:
    """Noise everywhere, but the stream `signal` points along the axis of the token's class at the last site."""
    label = torch.randint(CLASSES, (batch, TIME), generator=generator)
    sites = [
        {name: torch.randn(batch, TIME, width, generator=generator) for name, width in WIDTHS.items()}
        for _ in range(SITES)
    ]
    noise = 0.4 * torch.randn(batch, TIME, CLASSES, generator=generator)
    sites[-1]["signal"] = noise + 2.0 * F.one_hot(label, CLASSES)
    return sites, label


@pytest.mark.parametrize("rule", ["dm", "dm_linear", "li", "li_soma", "gated", "hierarchical"])
def test_the_informative_stream_wins(rule):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = build_integration(IntegrationConfig(rule=rule), WIDTHS, 16, SITES, "ref")
    # The read-out is fixed and reads every channel: noise in the state costs accuracy, so a rule has to shut it out.
    head = 3.0 * torch.randn(CLASSES, 16) / 4.0

    def run(sites, present=None):
        state, result = None, None
        for site, streams in enumerate(sites):
            result = module(streams, state, present, site)
            state = result.state
        return F.rms_norm(state, (16,)) @ head.T, result.contributions

    optimiser = torch.optim.Adam(module.parameters(), lr=0.04)
    generator = torch.Generator().manual_seed(1)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, STEPS)
    for _ in range(STEPS):
        sites, label = draw(32, generator)
        logits, _ = run(sites)
        optimiser.zero_grad()
        F.cross_entropy(logits.flatten(0, 1), label.flatten()).backward()
        optimiser.step()
        schedule.step()
    sites, label = draw(500, generator)
    with torch.no_grad():
        logits, contributions = run(sites)
        without, _ = run(sites, {"signal": torch.zeros(500, dtype=torch.bool)})
    assert (logits.argmax(-1) == label).float().mean() > 0.9
    assert abs((without.argmax(-1) == label).float().mean() - 1 / CLASSES) < 0.03
    assert contributions["signal"].mean() > 0.8
