"""Stream dropout and the balance penalty."""

from __future__ import annotations

import pytest
import torch

from common.integration.regularisers import balance_penalty, draw_presence


def test_presence_has_the_rate_and_never_takes_everything():
    names, generator = ["a", "b", "c"], torch.Generator().manual_seed(0)
    drawn = torch.stack(list(draw_presence(names, 20_000, 0.5, None, "cpu", generator).values()))
    assert drawn.any(0).all()
    # 1/8 of the samples lose all three and get one back: 0.5 + 0.125 / 3.
    assert (drawn.float().mean(1) - (0.5 + 0.125 / 3)).abs().max() < 0.02
    assert torch.stack(list(draw_presence(names, 100, 0.0, None, "cpu").values())).all()


def test_presence_respects_what_is_absent_already():
    present = {"a": torch.arange(4000) % 2 == 0, "b": torch.arange(4000) % 4 < 2}
    drawn = draw_presence(["a", "b"], 4000, 0.9, present, "cpu")
    for name, there in present.items():
        assert not (drawn[name] & ~there).any()
    some = present["a"] | present["b"]
    assert torch.equal(drawn["a"] | drawn["b"], some)


def test_presence_repeats_with_the_generator():
    one, other = (draw_presence(["a", "b"], 50, 0.5, None, "cpu", torch.Generator().manual_seed(3)) for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_penalty_values():
    one, zero = torch.ones(2, 3, 4), torch.zeros(2, 3, 4)
    assert balance_penalty({"a": one, "b": one}).item() == pytest.approx(0.0, abs=1e-6)
    assert balance_penalty({"a": one, "b": zero}).item() == pytest.approx(0.5, abs=1e-4)
    absent = {"b": torch.tensor([False, False])}
    assert balance_penalty({"a": one, "b": zero}, absent).item() == pytest.approx(0.0, abs=1e-4)
    mask = torch.tensor([[True, False, False]] * 2)
    half = torch.cat([one[:, :1], zero[:, 1:]], dim=1)
    assert balance_penalty({"a": one, "b": half}, mask=mask).item() == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("rule", ["dm", "li", "gated", "concat", "hierarchical"])
def test_penalty_evens_contributions_out(lab, rule):
    module = lab.shake(lab.build(rule, balance_penalty=1.0))
    streams = lab.streams(module)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.03)

    def step():
        results = lab.run(module, streams, report=False)
        assert all(result.contributions is None for result in results)
        return sum(result.penalty for result in results)

    before = step().item()
    for _ in range(60):
        optimiser.zero_grad()
        step().backward()
        assert all(p.grad is None or torch.isfinite(p.grad).all() for p in module.parameters())
        optimiser.step()
    assert step().item() < 0.4 * before


def test_penalty_is_finite_at_the_preserving_start_and_off_in_evaluation(lab):
    module = lab.build("dm", balance_penalty=1.0)
    result = lab.run(module, lab.streams(module))[-1]
    result.penalty.backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in module.parameters())
    assert lab.run(module.eval(), lab.streams(module))[-1].penalty is None
    assert lab.run(lab.build("dm"), lab.streams(module))[-1].penalty is None


def test_presence_needs_no_host_synchronisation():
    def draw(present):
        return draw_presence(["a", "b"], 6, 0.5, {"a": present}, "cpu")["b"]

    # A graph without a break reads no value on the host.
    drawn = torch.compile(draw, backend="eager", fullgraph=True)(torch.tensor([True, False] * 3))
    assert drawn.shape == (6,) and drawn[1::2].all()
