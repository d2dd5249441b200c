"""Frozen mixing weights in step 3: equal to those of the source, before and after training."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from common.models.causal_lm import MultiStreamGPT2LMHeadModel
from common.training.config import config_hash
from common.transfer.source import read_source
from step3_gpt.__main__ import COMMAND
from step3_gpt.config import variant
from step3_gpt.model import build_model
from step3_gpt.run import run
from tests.common.transfer.source import write_source
from tests.step3_gpt.conftest import runtime, tiny


def taking(folder, name, source, **options):
    config = variant(tiny(folder, **options), name)
    return replace(config, transfer=replace(config.transfer, source=str(source)))


def weights_of(folder):
    model = MultiStreamGPT2LMHeadModel.from_pretrained(folder / "model")
    return model.integration.mixing["alpha"], model.integration.mixing["gamma"], model.feedback["gate"]


@pytest.fixture(scope="module")
def learnt(folder, cache, tmp_path_factory):
    return run(tiny(folder, name="dm_b"), runtime(cache, tmp_path_factory.mktemp("learnt")))


def test_a_record_has_the_weights_of_the_model_bit_for_bit(learnt):
    _, _, read = read_source(learnt)
    for own, recorded in zip(weights_of(learnt), (read.alpha, read.gamma, read.gate), strict=True):
        assert own.any() and torch.equal(own, torch.tensor(recorded))


@pytest.mark.parametrize("name", ["dm_transfer_b", "dm_frozen_random_b", "dm_frozen_equal_b"])
def test_what_is_frozen_stays_and_the_rest_learns(folder, cache, tmp_path, learnt, data, name):
    config = taking(folder, name, learnt).named()
    before = build_model(config, data.corpus.tokenizer, data.vocabularies)
    finished = run(config, runtime(cache, tmp_path))
    start = (before.integration.mixing["alpha"], before.integration.mixing["gamma"], before.feedback["gate"])
    after, source = weights_of(finished), weights_of(learnt)
    assert all(torch.equal(one, other) for one, other in zip(start, after, strict=True))
    same = [torch.equal(one, other) for one, other in zip(source, after, strict=True)]
    # Of two sites there is one γ and one gate, which no order and no mean can change.
    assert same == [name == "dm_transfer_b", True, True]
    assert torch.equal(after[0].flatten().sort()[0], source[0].flatten().sort()[0]) == (name != "dm_frozen_equal_b")
    final, learning = (json.loads((one / "final.json").read_text()) for one in (finished, learnt))
    assert final["parameters"] - final["parameters_trainable"] == sum(one.numel() for one in after)
    assert learning["parameters"] == learning["parameters_trainable"] == final["parameters"]
    taken = json.loads((finished / "config.json").read_text())["config"]["transfer"]
    assert (
        taken["source"] == f"step3_gpt/{learnt.name}"
        and str(learnt.parent)
        not in (finished / "config.json").read_text() + (finished / "environment.json").read_text()
    )


def test_a_picture_tells_sound_and_structure_what_to_weigh(folder, tmp_path, data):
    source = write_source(tmp_path / "source", streams=("meaning", "vision"))
    model = build_model(taking(folder, "dm_transfer_b", source).named(), data.corpus.tokenizer, data.vocabularies)
    _, _, read = read_source(source)
    expected = torch.tensor(read.alpha)[:, [0, 1, 1]]
    assert torch.equal(model.integration.mixing["alpha"], expected)


def test_sites_must_agree(folder, tmp_path, data):
    config = taking(folder, "dm_transfer_b", write_source(tmp_path / "source", sites=3)).named()
    with pytest.raises(ValueError, match="at 3 sites, this model at 2"):
        build_model(config, data.corpus.tokenizer, data.vocabularies)


def test_a_source_joined_at_the_output_fits_a_model_that_does_so_too(folder, tmp_path, data):
    source = write_source(tmp_path / "source", sites=1)
    model = build_model(taking(folder, "dm_transfer_a", source).named(), data.corpus.tokenizer, data.vocabularies)
    assert model.integration.mixing["alpha"].tolist() == [list(read_source(source)[2].alpha[0])]


def test_the_command_line_names_the_source_or_says_that_it_must_be(tmp_path, capsys):
    source = write_source(tmp_path / "source", sites=4)
    given = ["--transfer.source", str(source)]
    for name in ("dm_transfer_b", "dm_frozen_random_b", "dm_frozen_equal_b"):
        config, _ = COMMAND.parse("small", name, given)
        assert config.name == name and len(config.transfer.weights.alpha) == 4 and not config.integration.train_alpha
    assert COMMAND.main(["--preset", "small", "--variant", "dm_transfer_b"]) == 2
    assert "--transfer.source" in capsys.readouterr().err
    assert COMMAND.main(["--preset", "small", "--variant", "dm_transfer_b", "--transfer.source", str(tmp_path)]) == 2
    assert "no finished run" in capsys.readouterr().err


def test_runs_of_earlier_records_keep_their_names():
    """The hash of results/records/step3_gpt/dm_b-288bd943e0cd, from the command that made it."""
    rest = ["--data.path", "data/wikipedia_en", "--also-path", "data/wikitext"]
    assert config_hash("step3_gpt", COMMAND.parse("small", "dm_b", rest)[0]) == "288bd943e0cd"
