"""Presets and variants."""

from dataclasses import replace

import pytest

from common.data import load_text
from common.integration import rules
from common.training.config import config_hash
from step1_sentiment.config import CONTROLS, PRESETS, RULES, small, variant
from step1_sentiment.data import build_data
from step1_sentiment.model import build_model
from step1_sentiment.task import SentimentTask
from tests.step1_sentiment.conftest import runtime, tiny


def test_every_registered_rule_is_a_variant():
    assert set(rules()) == {*RULES, "reference"}


def test_variants_differ_in_their_hash():
    names = (*CONTROLS, *RULES, "dm[phonetic]", "dm[meaning+phonetic]", "li[meaning]")
    hashes = {config_hash("step1_sentiment", variant(small(), name)) for name in names}
    assert len(hashes) == len(names)


def test_subsets_choose_streams():
    config = variant(small(), "li[phonetic]")
    assert config.stream_names == ("phonetic",) and config.integration.rule == "li" and not config.use_meaning
    assert variant(small(), "dm[meaning]").stream_names == ("meaning",)
    assert variant(small(), "dm").stream_names == ("meaning", "phonetic", "morphological")


@pytest.mark.parametrize("name", ["nonsense", "dm[colour]", "nonsense[meaning]"])
def test_unknown_variants_are_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match="known|streams are"):
        variant(small(), name)


@pytest.mark.parametrize("name", [*CONTROLS, *RULES, "dm[phonetic]", "li[morphological]", "dm[meaning]"])
def test_every_variant_builds_and_trains_a_step(name, tmp_path_factory):
    shared = tmp_path_factory.getbasetemp()
    config = variant(tiny(), name)
    data = build_data(config, runtime(shared))
    task = SentimentTask(build_model(config, data.processor, len(data.text.label_names)))
    loss, report = task.training_forward(next(iter(data.loaders["train"])))
    loss.backward()
    assert loss.isfinite() and 0 <= report["accuracy"] <= 1
    assert any(p.grad is not None and p.grad.any() for p in task.parameters())


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_builds_and_trains_a_step(name, tmp_path):
    # Hub and SST-5 are not needed to see that a preset fits together: backbone and corpus are swapped for small ones.
    preset = PRESETS[name]()
    config = replace(preset, backbone="tiny-bert", data=tiny().data)
    data = build_data(config, runtime(tmp_path))
    task = SentimentTask(build_model(config, data.processor, len(data.text.label_names)))
    loss, _ = task.training_forward(next(iter(data.loaders["train"])))
    loss.backward()
    assert loss.isfinite()


def test_streams_are_fitted_on_the_training_split_only(tmp_path):
    config = tiny()
    data = build_data(config, runtime(tmp_path))
    seen = {word.lower() for text in load_text(config.data).splits["train"].texts for word in text.split()}
    morphs = data.processor.lexicons["morphological"].analyser.symbols
    assert all(any(morph in word for word in seen) for morph in morphs if morph.isalpha())


def test_duplicates_have_the_parameters_of_the_streams_they_replace():
    from common.models.secondary import SecondaryStreams

    def count(name):
        streams = list(variant(small(), name).streams)
        module = SecondaryStreams(streams, {"phonetic": 73, "morphological": 3960}, 384)
        return sum(p.numel() for p in module.parameters())

    assert count("duplicate") == pytest.approx(count("dm"), rel=0.01)
