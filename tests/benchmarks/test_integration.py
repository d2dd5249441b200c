"""What the benchmark of the integration counts: all that is multiplied, the attention of the streams as well."""

from __future__ import annotations

import pytest

from benchmarks import integration
from common.training.flops import counted

SETTINGS = integration.Settings(batch=2, time=8, layers=2, width=128, precision="fp32", device="cpu")


class Pipe:
    """Asks for no timed steps, and keeps what is sent."""

    def recv(self) -> int:
        return 0

    def send(self, result: dict) -> None:
        self.result = result


def flops_of(arm: str, training: bool) -> int:
    pipe = Pipe()
    integration.measure(arm, SETTINGS, training, pipe)
    return pipe.result["flops"]


@pytest.mark.parametrize("training", [True, False])
def test_the_reference_has_the_flops_of_its_formula(training):
    tokens, time, width = 16, 8, 128
    layer = 2 * tokens * 12 * width**2 + 4 * tokens * time * width
    assert flops_of("reference", training) == 2 * layer + 2 * 2 * (width**2 + 5 * width)  # pooler and classifier


@pytest.mark.parametrize("training", [True, False])
def test_streams_are_counted_whole(training):
    model, batch = integration.build("dm", SETTINGS).eval(), integration.make_batch("dm", SETTINGS)
    assert flops_of("dm", training) == counted(lambda: model(**batch))
