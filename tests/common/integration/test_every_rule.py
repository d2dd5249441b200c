"""Invariants that hold for every registered rule."""

from __future__ import annotations

import copy
from itertools import combinations

import pytest
import torch

from common.integration import Site, rules
from common.integration.base import RECURRENT, signed_shares

NAMES = sorted(rules())
JOINING = [name for name in NAMES if name != "reference"]  # rules that take more than one stream
BLIND = [name for name in JOINING if not rules()[name].needs_reference]


def test_all_rules_are_found():
    expected = {
        "dm", "dm_linear", "li", "li_soma", "attention", "gated", "multiplicative", "hierarchical", "reference", "mean",
        "concat", "scalar_mix", "cross_attention", "gmu", "mag", "film", "flamingo", "hyper_connections",
    }  # fmt: skip
    assert expected <= set(NAMES)


def _check_backward(lab, module):
    streams = lab.streams(module)
    results = lab.run(module, streams)
    last = results[-1].state
    assert last.shape == (3, 5, lab.width) and torch.isfinite(last).all()
    probe = torch.randn(last.shape, generator=torch.Generator().manual_seed(5))
    (last * probe).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, f"{name} takes no part: it would break distributed training"
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("rule", NAMES)
def test_forward_and_backward_use_every_parameter(lab, rule):
    for count in range(1, 9):
        _check_backward(lab, lab.build(rule, count))


@pytest.mark.parametrize("rule", BLIND)
def test_without_the_reference_stream(lab, rule):
    for count in (1, 3):
        module = lab.build(rule, count, reference=None)
        assert module.preserves == "no"
        _check_backward(lab, module)


@pytest.mark.parametrize("rule", NAMES)
def test_start_equals_the_reference_stream(lab, rule):
    for count in (1, 3, 8):
        module = lab.build(rule, count)
        streams = lab.streams(module)
        state, reference = lab.run(module, streams)[-1].state, streams[-1]["ref"]
        if module.preserves == "exactly":
            assert torch.equal(state, reference)
        elif module.preserves == "nearly":
            assert (state - reference).norm() < 0.08 * reference.norm()


@pytest.mark.parametrize("rule", NAMES)
def test_a_zero_start_still_learns(lab, rule):
    module = lab.build(rule)
    streams = lab.streams(module)
    probe = torch.randn(3, 5, lab.width, generator=torch.Generator().manual_seed(5))
    (lab.run(module, streams)[-1].state * probe).sum().backward()
    parameters = list(module.parameters())
    assert not parameters or any(p.grad is not None and p.grad.abs().sum() > 0 for p in parameters)


@pytest.mark.parametrize("rule", NAMES)
def test_contributions_and_projections_sum_to_one(lab, rule):
    module = lab.shake(lab.build(rule))
    for site, result in zip(lab.active(module), lab.run(module, lab.streams(module)), strict=True):
        assert result.contributions is not None
        assert set(result.contributions) - {RECURRENT} == set(module.names)
        assert (RECURRENT in result.contributions) <= (site > 0)
        stacked = torch.stack(list(result.contributions.values()))
        assert stacked.shape[1:] == (3, 5) and (stacked >= 0).all() and not stacked.requires_grad
        torch.testing.assert_close(stacked.sum(0), torch.ones(3, 5))
        assert result.projections is not None and set(result.projections) == set(result.contributions)
        torch.testing.assert_close(sum(result.projections.values()), torch.ones(3, 5), rtol=1e-4, atol=1e-5)


def test_a_term_against_the_others_projects_below_zero():
    terms = {"a": [2.0, 0.0], "b": [-1.0, 5.0], "c": [0.0, -5.0]}
    found = signed_shares({name: torch.tensor([term]) for name, term in terms.items()})
    assert {name: value.item() for name, value in found.items()} == {"a": 2.0, "b": -1.0, "c": 0.0}
    assert all(value.item() == 0 for value in signed_shares({"a": torch.zeros(1, 2), "b": torch.zeros(1, 2)}).values())


ADDITIVE = [n for n in NAMES if n not in ("li", "concat", "gmu")]  # li: Norm follows; the others: an additive bias


@pytest.mark.parametrize("rule", ADDITIVE)
def test_terms_add_up_to_the_state(lab, rule):
    """Contributions are shares of the terms whose sum is the state of the last site, where no bias is added."""
    module = lab.shake(lab.build(rule))
    streams = lab.streams(module)
    state = None
    for site in lab.active(module):
        combined = module.combine(streams[site], state, Site(site))
        state = combined.state
    assert combined.terms is not None
    torch.testing.assert_close(sum(combined.terms.values()), state, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rule", NAMES)
def test_reporting_changes_nothing(lab, rule):
    module = lab.shake(lab.build(rule))
    streams = lab.streams(module)
    loud, quiet = lab.run(module, streams)[-1], lab.run(module, streams, report=False)[-1]
    assert torch.equal(loud.state, quiet.state) and quiet.contributions is None


@pytest.mark.parametrize("rule", JOINING)
@pytest.mark.parametrize("absent", ["ref", "b"])
def test_absent_stream_has_no_effect_and_no_gradient(lab, rule, absent):
    module = lab.shake(lab.build(rule))
    present = {absent: torch.tensor([True, False, True])}
    outcomes = []
    for content in (float("nan"), 7.0):
        streams = lab.streams(module)
        with torch.no_grad():
            for site in streams:
                site[absent][1] = content
        results = lab.run(module, streams, present)
        module.zero_grad()
        sum(result.state.square().sum() for result in results).backward()
        gradients = [parameter.grad.clone() for parameter in module.parameters()]
        for site in lab.active(module):
            gradient = streams[site][absent].grad
            assert (gradient[1] == 0).all() and gradient[0].abs().sum() > 0
        for result in results:
            assert (result.contributions[absent][1] == 0).all()
        outcomes.append([result.state for result in results] + gradients)
    for one, other in zip(*outcomes, strict=True):
        assert torch.isfinite(one).all() and torch.equal(one, other)


@pytest.mark.parametrize("rule", JOINING)
def test_a_sample_without_any_stream_stays_finite(lab, rule):
    module = lab.shake(lab.build(rule))
    present = {name: torch.tensor([True, False, True]) for name in module.names}
    streams = lab.streams(module)
    sum(result.state.sum() for result in lab.run(module, streams, present)).backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())


ORDER = ["c", "e", "ref", "d", "b"]


def _reordered(name: str, parameter: torch.Tensor, old: list[str], widths: dict[str, int], hidden: int) -> torch.Tensor:
    """A parameter of a module with streams in the order `old`, laid out for streams in ORDER."""

    def blocks(names, sizes, order):
        start, where = 0, {}
        for n, size in zip(names, sizes, strict=True):
            where[n] = torch.arange(start, start + size)
            start += size
        return torch.cat([where[n] for n in order])

    second, second_order = [n for n in old if n != "ref"], [n for n in ORDER if n != "ref"]
    pairs = [frozenset(pair) for pair in combinations(old, 2)]
    axes = [
        blocks(old, [1] * 5, ORDER),  # one per stream
        blocks(old, [widths[n] for n in old], ORDER),  # one per channel of every stream
        blocks(["state", *old], [12, *[widths[n] for n in old]], ["state", *ORDER]),
        blocks(second, [widths[n] for n in second], second_order),
        blocks(old, [hidden] * 5, ORDER),
        torch.tensor([pairs.index(frozenset(pair)) for pair in combinations(ORDER, 2)]),
    ]
    if name == "mixing.gates":  # Flamingo: the gates of the secondary streams, then the FFN's
        return parameter[blocks([*second, "ffn"], [1] * 5, [*second_order, "ffn"])]
    for axis, size in enumerate(parameter.shape):
        for index in axes:
            if len(index) == size:
                parameter = parameter.index_select(axis, index)
    return parameter


@pytest.mark.parametrize("rule", [n for n in JOINING if rules()[n].permutable])
def test_permuting_streams_permutes_the_weights(lab, rule):
    """The same weights laid out for another order of the streams give the same state, α and contributions."""
    hidden = {"hidden": 20} if "hidden" in rules()[rule].options else {}
    module = lab.shake(lab.build(rule, 5, **hidden))
    old, widths = list(module.names), module.widths
    other = type(module)(module.config, {n: widths[n] for n in ORDER}, module.width, module.sites, "ref")
    values = {}
    for name, parameter in module.named_parameters():
        parts = name.split(".")
        listed = parts[0] in ("keys", "inputs", "gates", "shifts", "attend") and len(parts) > 1
        if listed:  # one module or matrix per stream
            per = old if parts[0] in ("keys", "inputs") else [n for n in old if n != "ref"]
            new = [n for n in ORDER if n in per]
            parts[1] = str(new.index(per[int(parts[1])]))
        values[".".join(parts)] = parameter if listed else _reordered(name, parameter, old, widths, 20)
    other.load_state_dict(values)
    streams = lab.streams(module)
    for here, there in zip(lab.run(module, streams), lab.run(other, streams), strict=True):
        torch.testing.assert_close(there.state, here.state, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(there.contributions, here.contributions, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(there.alphas, here.alphas, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rule", NAMES)
def test_autocast(lab, rule):
    module = lab.shake(lab.build(rule), 0.1)
    streams = lab.streams(module)
    exact = lab.run(module, streams)[-1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = lab.run(module, streams)[-1]
    rough.state.float().sum().backward()
    assert (rough.state - exact.state).norm() < 0.05 * exact.state.norm()
    assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())
    if module.preserves == "exactly":
        fresh = lab.build(rule)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(lab.run(fresh, streams)[-1].state, streams[-1]["ref"])


@pytest.mark.parametrize("rule", NAMES)
def test_compiles_without_a_graph_break(lab, rule):
    module = lab.shake(lab.build(rule))
    streams = lab.streams(module)
    present = {module.names[-1]: torch.tensor([True, True, False])}

    def run(streams):
        return lab.run(module, streams, present)[-1]

    torch._dynamo.reset()
    eager, compiled = run(streams), torch.compile(run, backend="eager", fullgraph=True)(streams)
    torch.testing.assert_close(compiled.state, eager.state)
    for name, contribution in eager.contributions.items():
        torch.testing.assert_close(compiled.contributions[name], contribution)


@pytest.mark.parametrize("rule", NAMES)
def test_saves_and_loads_bit_equal(lab, rule):
    module, other = lab.shake(lab.build(rule)), lab.build(rule, seed=9)
    other.load_state_dict(copy.deepcopy(module.state_dict()))
    streams = lab.streams(module)
    assert torch.equal(lab.run(module, streams)[-1].state, lab.run(other, streams)[-1].state)


@pytest.mark.parametrize("rule", NAMES)
def test_key_mask_hides_padding(lab, rule):
    module = lab.shake(lab.build(rule))
    streams, mask = lab.streams(module), torch.tensor([[True] * 3 + [False] * 2] * 3)
    before = lab.run(module, streams, mask=mask)[-1].state[:, :3]
    with torch.no_grad():
        for site in streams:
            for stream in site.values():
                stream[:, 3:] = 3.0
    assert torch.equal(lab.run(module, streams, mask=mask)[-1].state[:, :3], before)
