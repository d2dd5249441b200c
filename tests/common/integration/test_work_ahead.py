"""What a rule computes of few tokens before it knows the reference changes nothing."""

from __future__ import annotations

import pytest
import torch

from common.integration import rules

OPTIONS = {
    "plain": ("dm", {}), "linear": ("dm_linear", {}), "channel": ("dm", {"granularity": "channel"}),
    "softmax": ("dm", {"constraint": "softmax"}), "sigmoid": ("dm", {"constraint": "sigmoid"}),
    "softmax by channel": ("dm", {"constraint": "softmax", "granularity": "channel"}),
    "shared": ("dm", {"scope": "shared"}), "rms": ("dm", {"scale": "rms"}), "none": ("dm", {"scale": "none"}),
    "output": ("dm", {"recurrent": False}), "relu": ("dm", {"activation": "relu"}),
}  # fmt: skip


def _one_token(lab, module, seed=1):
    return [{name: stream[:, :1] for name, stream in site.items()} for site in lab.streams(module, seed)]


def _ahead(lab, module, streams, present=None):
    secondary = [{name: streams[site][name] for name in module.secondary} for site in lab.active(module)]
    return module.work_ahead(secondary, present)


def _states(lab, module, streams, present=None, ahead=None):
    states, state = [], None
    for place, site in enumerate(lab.active(module)):
        part = None if ahead is None else ahead[place]
        result = module(streams[site], state, present, site, report=False, ahead=part)
        state = result.state
        states.append(state)
    return states


@pytest.mark.parametrize("reference", ["ref", None])
@pytest.mark.parametrize("absent", [None, "ref", "b"])
@pytest.mark.parametrize("case", OPTIONS)
@torch.no_grad()
def test_states_are_the_same(lab, case, absent, reference):
    rule, options = OPTIONS[case]
    module = lab.shake(lab.build(rule, reference=reference, **options))
    streams = _one_token(lab, module)
    present = {absent: torch.tensor([True, False, True])} if absent else None
    if absent:
        for site in streams:
            site[absent][1] = float("nan")
    ahead = _ahead(lab, module, streams, present)
    assert ahead is not None
    plain, quick = _states(lab, module, streams, present), _states(lab, module, streams, present, ahead)
    for one, other in zip(plain, quick, strict=True):
        assert torch.isfinite(one).all()
        torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-6)
    again = _states(lab, module, streams, present, ahead)
    assert all(torch.equal(one, other) for one, other in zip(quick, again, strict=True))  # nothing was written into


@pytest.mark.parametrize("rule", sorted(rules()))
def test_only_where_alpha_is_static_and_no_gradient_is_wanted(lab, rule):
    module = lab.shake(lab.build(rule))
    streams = _one_token(lab, module)
    assert _ahead(lab, module, streams) is None
    with torch.no_grad():
        assert (_ahead(lab, module, streams) is not None) == (rule in ("dm", "dm_linear"))
        many = lab.streams(module)  # as many tokens as the narrowest stream has channels, or more
        assert _ahead(lab, module, many) is None
        if rule == "dm":
            by_token = lab.build(rule, granularity="token")
            assert _ahead(lab, by_token, streams) is None


@torch.no_grad()
def test_under_autocast(lab):
    module = lab.shake(lab.build("dm"), 0.1)
    streams = _one_token(lab, module)
    exact = _states(lab, module, streams)[-1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = _states(lab, module, streams, ahead=_ahead(lab, module, streams))[-1]
    assert (rough - exact).norm() < 0.02 * exact.norm()
