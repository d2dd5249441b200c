"""Parameter groups follow module types, whatever the parameters are called."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from common.integration import DM, build_integration
from common.integration.mixing_weights import MixingWeights
from common.training import TrainConfig
from common.training.config import LanguageTrainConfig
from common.training.optimiser import assign_groups, build_optimiser, build_scheduler

CONFIG = TrainConfig(lr_backbone=1e-4, lr_streams=2e-4, lr_head=3e-4, alpha_lr_multiplier=5.0, weight_decay=0.1)


class Model(nn.Module):
    def __init__(self, integration: nn.Module | None = None) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.body = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
        self.alpha = nn.Linear(4, 4)  # the name says alpha, the type does not
        self.integration = integration or nn.ModuleList([MixingWeights(weight=torch.ones(2, 2)), nn.Linear(4, 4)])
        self.head = nn.Linear(4, 2)

    def parts(self) -> dict[str, list[nn.Module]]:
        return {
            "backbone": [self.embedding, self.body],
            "streams": [self.alpha],
            "integration": [self.integration],
            "head": [self.head],
        }


def groups(model: Model, config: TrainConfig = CONFIG) -> dict[tuple[str, float], dict]:
    return {(g["name"], g["weight_decay"]): g for g in build_optimiser(model, model.parts(), config).param_groups}


def same(parameters, *expected) -> bool:
    return {id(p) for p in parameters} == {id(p) for p in expected}


def test_groups_by_type():
    model = Model()
    made = groups(model)
    mixing, matrix = model.integration
    alpha = made["alpha", 0.0]
    assert alpha["lr"] == pytest.approx(1e-3) and same(alpha["params"], *mixing.parameters())
    assert ("alpha", 0.1) not in made
    assert same(made["backbone", 0.1]["params"], model.body[0].weight)
    norm = model.body[1]
    undecayed = (model.embedding.weight, model.body[0].bias, norm.weight, norm.bias)
    assert same(made["backbone", 0.0]["params"], *undecayed)
    assert same(made["streams", 0.1]["params"], model.alpha.weight)
    assert same(made["integration", 0.1]["params"], matrix.weight)
    rates = {name: made[name, 0.1]["lr"] for name in ("backbone", "streams", "integration", "head")}
    assert rates == {"backbone": 1e-4, "streams": 2e-4, "integration": 2e-4, "head": 3e-4}
    count = sum(len(group["params"]) for group in made.values())
    assert count == len(list(model.parameters()))


def test_alpha_of_the_real_rule():
    model = Model(build_integration(DM(), {"meaning": 4, "phonetic": 3}, 4, 2, "meaning"))
    mixing = [p for m in model.modules() if isinstance(m, MixingWeights) for p in m.parameters()]
    assert mixing and same(groups(model)["alpha", 0.0]["params"], *mixing)


def test_the_biases_of_dm_are_one_matrix_and_decayed_as_such():
    model = Model(build_integration(DM(), {"meaning": 4, "phonetic": 3}, 4, 3, "meaning"))
    (biases,) = (p for name, p in model.integration.named_parameters() if name == "bias")
    assert biases.shape == (2, 4) and any(p is biases for p in groups(model)["integration", 0.1]["params"])


def test_no_decay_leaves_one_group_per_part():
    assert len(groups(Model(), TrainConfig(weight_decay=0.0))) == 5


def test_rate_zero_freezes():
    model = Model()
    made = groups(model, TrainConfig(lr_backbone=0.0, alpha_lr_multiplier=0.0))
    assert {name for name, _ in made} == {"streams", "integration", "head"}
    assert not any(p.requires_grad for p in (*model.body.parameters(), *model.integration[0].parameters()))
    with pytest.raises(ValueError, match="every parameter is frozen"):
        build_optimiser(model, model.parts(), TrainConfig(lr_backbone=0.0, lr_streams=0.0, lr_head=0.0))


def test_frozen_alpha_of_a_control_arm_is_left_out():
    model = Model(nn.ModuleList([MixingWeights(trainable=False, alpha=torch.ones(2)), nn.Linear(4, 4)]))
    assert not any(name == "alpha" for name, _ in groups(model))


def test_each_parameter_in_one_part():
    model = Model()
    with pytest.raises(ValueError, match="belong to no part.*head.weight, head.bias"):
        assign_groups(model, {name: value for name, value in model.parts().items() if name != "head"})
    with pytest.raises(ValueError, match="head.weight belongs to two parts: streams and head"):
        assign_groups(model, model.parts() | {"streams": [model.alpha, model.head]})
    with pytest.raises(ValueError, match="unknown parts .'body'"):
        assign_groups(model, {"body": [model]})


def test_mixing_weights_stay_fp32():
    model = Model().to(torch.bfloat16)
    with pytest.raises(ValueError, match="must stay fp32"):
        build_optimiser(model, model.parts(), CONFIG)


def test_schedule():
    model = Model()
    optimiser = build_optimiser(model, model.parts(), CONFIG)
    scheduler = build_scheduler(optimiser, replace(CONFIG, warmup=0.2), 20)
    factors = []
    for _ in range(21):
        factors.append(scheduler.get_last_lr()[0] / 1e-4)
        optimiser.step()
        scheduler.step()
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert factors[12] == pytest.approx(0.5) and factors[20] == 0.0
    assert all(late <= early for early, late in zip(factors[4:], factors[5:], strict=False))


def test_language_models_fall_along_a_cosine_to_their_last_rate():
    config = LanguageTrainConfig(lr_backbone=1e-4, lr_streams=2e-4, lr_head=3e-4, warmup=0.0, final_lr=0.2, beta2=0.9)
    model = Model()
    optimiser = build_optimiser(model, model.parts(), config)
    assert optimiser.defaults["betas"] == (0.9, 0.9)
    scheduler = build_scheduler(optimiser, config, 10)
    factors = []
    for _ in range(11):
        factors.append(scheduler.get_last_lr()[0] / 1e-4)
        optimiser.step()
        scheduler.step()
    assert factors[0] == 1.0 and factors[5] == pytest.approx(0.6) and factors[10] == pytest.approx(0.2)
    with pytest.raises(ValueError, match="final_lr"):
        LanguageTrainConfig(final_lr=2.0)
