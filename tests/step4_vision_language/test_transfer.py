"""Frozen mixing weights in step 4, from a language model: equal to those of the source, before and after training."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from common.training.config import config_hash
from common.transfer.hold import by_role
from common.transfer.source import read_source
from step4_vision_language.__main__ import COMMAND
from step4_vision_language.build import build_model
from step4_vision_language.config import variant
from step4_vision_language.data import load_texts
from step4_vision_language.model import VisionLanguageModel
from step4_vision_language.run import run
from tests.common.transfer.source import write_source
from tests.step4_vision_language.conftest import runtime, tiny


def taking(name, source):
    config = variant(tiny(train=replace(tiny().train, epochs=1)), name)
    return replace(config, transfer=replace(config.transfer, source=str(source)))


def weights_of(model):
    found = model.integration.mixing["alpha"], model.integration.mixing["gamma"], model.feedback["gate"]
    return [one.detach().clone() for one in found]


@pytest.mark.parametrize("name", ["dm_transfer", "dm_frozen_random", "dm_frozen_equal"])
def test_what_is_frozen_stays_and_the_rest_learns(cache, tmp_path, name):
    source = write_source(tmp_path / "source")
    config = taking(name, source)
    finished = run(config, runtime(cache, tmp_path / "runs"))
    model = VisionLanguageModel.from_pretrained(finished / "model")
    alpha, gamma, gate = weights_of(model)
    _, _, read = read_source(source)
    expected = by_role(read, ("meaning", "vision"))
    assert torch.equal(alpha, expected) == (name == "dm_transfer")
    assert torch.equal(alpha.flatten().sort()[0], expected.flatten().sort()[0]) == (name != "dm_frozen_equal")
    assert torch.equal(gamma, torch.tensor(read.gamma)) and torch.equal(gate, torch.tensor(read.gate))
    final = json.loads((finished / "final.json").read_text())
    frozen = alpha.numel() + gamma.numel() + gate.numel() + sum(p.numel() for p in model.vision.parameters())
    assert final["parameters"] - final["parameters_trainable"] == frozen
    with pytest.raises(ValueError, match="learnt no mixing weights"):
        read_source(finished)
    assert str(tmp_path) not in (finished / "config.json").read_text()


def test_without_feedback_there_is_no_gate_to_take(tmp_path):
    config = replace(taking("dm_transfer", write_source(tmp_path / "source")), feedback=False).named()
    model = build_model(config, load_texts(config)[1])
    assert not hasattr(model, "feedback") and not model.integration.mixing["gamma"].requires_grad


def test_runs_of_earlier_records_keep_their_names():
    """The hash of results/records/step4_vision_language/dm-b1a165f5d0ac, from the command that made it."""
    rest = [
        "--data.path", "data/flickr8k", "--vision.weights", "data/weights/mobilenetv2_100_imagenet.safetensors",
        "--vision.mean", "0.5", "0.5", "0.5", "--vision.std", "0.5", "0.5", "0.5", "--vision.same-padding",
    ]  # fmt: skip
    assert config_hash("step4_vision_language", COMMAND.parse("small", "dm", rest)[0]) == "b1a165f5d0ac"
