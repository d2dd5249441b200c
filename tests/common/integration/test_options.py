"""Inits, scopes, constraints and what a rule refuses."""

from __future__ import annotations

import math

import pytest
import torch

from common.integration import DM, LI, IntegrationConfig, build_integration, rules
from common.integration.__main__ import describe
from common.integration.mixing_weights import MixingWeights


def test_unread_options_are_refused():
    for rule, options in [
        ("li", {"scale": "rms"}), ("li", {"granularity": "channel"}), ("concat", {"heads": 2}), ("mean", {"hidden": 8}),
        ("reference", {"scope": "shared"}), ("gated", {"constraint": "softmax"}), ("dm", {"hidden": 8}),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="has no option"):
            build_integration(IntegrationConfig(rule=rule, **options), {"ref": 8}, 8, 2, "ref")


@pytest.mark.parametrize(
    "make,message",
    [
        (lambda: build_integration(IntegrationConfig(rule="nonsense"), {"ref": 8}, 8, 1, "ref"), "known: .*dm"),
        (lambda: build_integration(DM(), {}, 8, 1, None), "at least one stream"),
        (lambda: build_integration(DM(), {"ref": 8, "state": 4}, 8, 1, "ref"), "another name"),
        (lambda: build_integration(DM(), {"ref": 7}, 8, 1, "ref"), "8 wide"),
        (lambda: build_integration(DM(), {"ref": 8}, 8, 0, "ref"), "at least one site"),
        (lambda: build_integration(IntegrationConfig(rule="film"), {"b": 8}, 8, 1, None), "needs one"),
        (lambda: build_integration(IntegrationConfig(rule="reference"), {"r": 8, "b": 4}, 8, 1, "r"), "alone"),
        (lambda: build_integration(LI(init="predecessor"), {"r": 8}, 8, 1, "r"), "no init"),
        (lambda: build_integration(DM(init="predecessor", constraint="softmax"), {"r": 8}, 8, 1, "r"), "use 'free'"),
        (
            lambda: build_integration(
                IntegrationConfig(rule="cross_attention", hidden=6, heads=4), {"r": 8, "b": 4}, 8, 1, "r"
            ),
            "multiple of heads",
        ),
        (lambda: IntegrationConfig(stream_dropout=1.0), "stream_dropout"),
        (lambda: IntegrationConfig(balance_penalty=-1.0), "negative"),
        (lambda: IntegrationConfig(heads=0), "at least 1"),
    ],
)
def test_errors_say_what_to_do(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_calls_that_make_no_sense_are_refused(lab):
    module = lab.build("dm")
    streams = lab.streams(module)
    with pytest.raises(ValueError, match="expected the streams"):
        module({"ref": streams[0]["ref"]})
    with pytest.raises(ValueError, match="unknown streams"):
        module(streams[0], present={"sound": torch.ones(3, dtype=torch.bool)})
    with pytest.raises(ValueError, match="no state below"):
        module(streams[0], state=streams[0]["ref"])
    with pytest.raises(ValueError, match="not integrated"):
        lab.build("concat")(streams[0], site=0)


@pytest.mark.parametrize("factor", [10.0, 0.1])
@pytest.mark.parametrize("scale", ["reference", "rms"])
def test_alpha_means_the_same_whatever_the_scale_of_the_projection(lab, scale, factor):
    module = lab.shake(lab.build("dm", 4, scale=scale))
    streams = lab.streams(module)
    before = lab.run(module, streams)[-1].state
    with torch.no_grad():
        module.project.weight.mul_(factor)
    torch.testing.assert_close(lab.run(module, streams)[-1].state, before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rule", ["dm", "hierarchical"])
def test_sites_may_share_a_depth_and_passes_share_nothing(lab, rule):
    module = lab.build(rule)
    streams = lab.streams(module)
    shared = [{**site, "b": streams[0]["b"]} for site in streams]
    for seed in range(2):
        lab.shake(module, seed=seed)
        expected = lab.run(module, shared)[-1].state
        with torch.no_grad():
            assert torch.equal(lab.run(module, shared)[-1].state, expected)
            lab.run(module, shared[:1] + streams[1:])


@pytest.mark.parametrize("rule", ["dm", "dm_linear", "multiplicative", "hierarchical", "li_soma"])
@pytest.mark.parametrize("reference", ["ref", None])
def test_equal_start_keeps_the_variance(rule, reference):
    torch.manual_seed(0)
    widths = {"ref": 64, "b": 32, "c": 48}
    module = build_integration(IntegrationConfig(rule=rule, init="equal"), widths, 64, 4, reference)
    state = None
    for site in range(4):
        streams = {name: torch.randn(16, 32, width) for name, width in widths.items()}
        state = module(streams, state, site=site).state
    assert abs(state.std().item() - 1) < 0.1
    assert state.std(dim=(0, 1)).min() > 0.5  # and no channel is another one's copy
    assert torch.linalg.matrix_rank(state.reshape(-1, 64)) == 64


def test_equal_and_predecessor_values(lab):
    equal, predecessor = lab.build("dm", 4, init="equal").mixing, lab.build("dm", 4, init="predecessor").mixing
    assert torch.allclose(equal["alpha"], torch.full((3, 4), 0.5)) and (equal["gamma"] == 0).all()
    assert (predecessor["alpha"] == 1).all() and torch.allclose(predecessor["gamma"], torch.full((2,), 0.2))
    assert torch.allclose(lab.build("dm", 4, init="preserving", reference=None).mixing["alpha"], torch.tensor(0.5))


@pytest.mark.parametrize("constraint,total", [("softmax", 1.0), ("sigmoid", 0.99 + 2 * 0.01)])
def test_constrained_start_is_near(lab, constraint, total):
    module = lab.build("dm", constraint=constraint)
    alphas = lab.run(module, lab.streams(module))[-1].alphas
    assert module.preserves == "nearly"
    assert math.isclose(alphas["ref"], 0.99, abs_tol=1e-4) and math.isclose(sum(alphas.values()), total, abs_tol=1e-4)


def test_preserving_is_reported_per_config(lab):
    assert lab.build("dm").preserves == "exactly"
    assert lab.build("dm", granularity="token").preserves == "exactly"
    for options in ({"init": "equal"}, {"activation": "gelu"}, {"alpha_noise": 0.1}, {"reference": None}):
        assert lab.build("dm", **options).preserves == "no"


@pytest.mark.parametrize("granularity,shape", [("scalar", ()), ("channel", (12,)), ("token", (3, 5))])
def test_alpha_shapes(lab, granularity, shape):
    module = lab.build("dm", granularity=granularity)
    for result in lab.run(module, lab.streams(module)):
        assert {name: alpha.shape for name, alpha in result.alphas.items()} == dict.fromkeys(module.names, shape)


def test_shared_scope_has_one_set_of_weights(lab):
    mixing = lab.build("dm", scope="shared").mixing
    assert mixing["alpha"].shape == (1, 3) and mixing["gamma"].shape == (1,)


@pytest.mark.parametrize("rule", [name for name in rules() if "recurrent" in rules()[name].options])
@pytest.mark.parametrize("scope", ["layer", "shared"])
def test_without_recurrence_only_the_last_site_exists(lab, rule, scope):
    options = {"scope": scope} if "scope" in rules()[rule].options else {}
    module = lab.shake(lab.build(rule, recurrent=False, **options))
    assert module.last_site_only
    results = lab.run(module, lab.streams(module))
    results[0].state.sum().backward()
    assert len(results) == 1 and all(p.grad is not None for p in module.parameters())


def test_frozen_weights_and_noise(lab):
    module = lab.build("dm", train_alpha=False, alpha_noise=0.5)
    assert not any(p.requires_grad for p in module.mixing.parameters()) and module.project.weight.requires_grad
    assert 0.1 < (module.mixing["alpha"] - lab.build("dm").mixing["alpha"]).std() < 1.5
    assert torch.equal(module.mixing["alpha"], lab.build("dm", train_alpha=False, alpha_noise=0.5).mixing["alpha"])


def test_mixing_weights_can_be_found_by_type(lab):
    for rule in rules():
        module = lab.build(rule)
        held = {id(p) for m in module.modules() if isinstance(m, MixingWeights) for p in m.parameters()}
        few = {n for n, p in module.named_parameters() if any(part in n for part in ("alpha", "gamma", "mixing"))}
        assert {n for n, p in module.named_parameters() if id(p) in held} == few


def test_one_site_and_one_stream(lab):
    for rule in rules():
        module = build_integration(IntegrationConfig(rule=rule), {"ref": 8}, 8, 1, "ref")
        stream = torch.randn(2, 3, 8, requires_grad=True)
        module({"ref": stream}).state.sum().backward()
        assert all(p.grad is not None for p in module.parameters()) and stream.grad is not None


def test_li_applies_phi_after_the_backbones_norm(lab):
    hidden = torch.randn(2, 3, 12)
    assert torch.equal(lab.build("li", activation="relu").after_norm(hidden), hidden.relu())
    assert torch.equal(lab.build("li_soma", activation="relu").after_norm(hidden), hidden)


def test_every_rule_is_described():
    text = describe()
    for name, rule in rules().items():
        assert f"{name}\n" in text and rule.__doc__
