"""Presets and variants."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from common.data import load_text
from common.integration import IntegrationConfig, build_integration, rules
from common.models.secondary import SecondaryStreams
from common.training.config import config_hash, plain
from common.variants import CONTROLS, NUDGE, RULES
from step1_sentiment.__main__ import COMMAND
from step1_sentiment.config import PRESETS, small, variant
from step1_sentiment.data import build_data
from step1_sentiment.model import build_model
from step1_sentiment.run import folder_of
from step1_sentiment.task import SentimentTask
from tests.step1_sentiment.conftest import runtime, tiny

RECORDS = Path(__file__).parents[2] / "results" / "records" / "step1_sentiment"


def test_every_registered_rule_is_a_variant():
    assert set(rules()) == {*RULES, "reference"}


def test_variants_differ_in_their_hash():
    names = (
        *CONTROLS,
        *RULES,
        "dm_dropout",
        "dm_equal",
        "dm_equal_dropout",
        "dm_nudged",
        "dm_linear_shuffled",
        "li_noise",
        "dm[phonetic]",
        "dm[meaning+phonetic]",
        "li[meaning]",
    )
    hashes = {config_hash("step1_sentiment", variant(small(), name)) for name in names}
    assert len(hashes) == len(names)


def test_subsets_choose_streams():
    config = variant(small(), "li[phonetic]")
    assert [one.kind for one in config.streams] == ["phonetic"] and config.integration.rule == "li"
    assert not config.use_meaning
    alone, every = variant(small(), "dm[meaning]"), variant(small(), "dm")
    assert alone.use_meaning and alone.streams == ()
    assert every.use_meaning and [one.kind for one in every.streams] == ["phonetic", "morphological"]


def test_an_equal_start_changes_the_start_alone():
    plain_start, equal = variant(small(), "dm"), variant(small(), "dm_equal")
    assert equal.integration == replace(plain_start.integration, init="equal")
    assert replace(equal, name="dm", integration=plain_start.integration) == plain_start
    assert variant(small(), "li_equal_dropout").integration.stream_dropout > 0
    with pytest.raises(ValueError, match="its rule is"):
        replace(equal, integration=IntegrationConfig(rule="li", init="equal"))


def test_a_nudged_start_is_near_the_plain_one_and_another_for_every_seed():
    plain_start, nudged = variant(small(), "dm").integration, variant(small(), "dm_nudged").integration
    assert nudged == replace(plain_start, alpha_noise=NUDGE)
    assert variant(small(), "dm_nudged_equal_dropout").integration.alpha_noise == NUDGE  # no ending is passed over
    starts = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        rule = build_integration(nudged, {"meaning": 32, "phonetic": 8}, 32, 6, "meaning")
        starts.append(rule.get_submodule("mixing").get_parameter("alpha").detach())
    away = torch.stack(starts) - torch.tensor([1.0, 0.0])  # [2, 6, 2]
    assert 0.5 * NUDGE < away.std() < 2 * NUDGE and away.ne(0).all()
    assert not torch.equal(*starts)


@pytest.mark.parametrize("control", CONTROLS[1:])
@pytest.mark.parametrize("rule", ["dm", "dm_linear", "concat"])
def test_every_rule_has_the_streams_of_a_control(rule, control):
    told, of_dm, untold = (variant(small(), name) for name in (rule, control, f"{rule}_{control}"))
    assert untold.streams == of_dm.streams != told.streams and untold.integration == told.integration
    assert variant(small(), f"{rule}_dropout_{control}").streams == of_dm.streams
    assert variant(small(), f"{rule}_{control}_dropout").integration.stream_dropout > 0  # no ending is passed over
    assert variant(small(), f"{rule}_{control}[meaning+phonetic]").streams == of_dm.streams[:1]
    with pytest.raises(ValueError, match="one control at a time"):
        variant(small(), f"{rule}_{control}_{CONTROLS[1 + (control == CONTROLS[1])]}")
    with pytest.raises(ValueError, match="its rule is"):
        replace(untold, integration=IntegrationConfig(rule="li"))


@pytest.mark.parametrize("name", ["nonsense", "dm[colour]", "nonsense[meaning]"])
def test_unknown_variants_are_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match="known|streams are"):
        variant(small(), name)


@pytest.mark.parametrize("name", [*CONTROLS, *RULES, "li_dropout", "dm[phonetic]", "li[morphological]", "dm[meaning]"])
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


@pytest.mark.parametrize("morphs", [60, 900, 12000])
@pytest.mark.parametrize("alignment", ["word", "attention"])
def test_duplicates_have_the_parameters_of_the_streams_they_replace(morphs, alignment):
    sizes = {"phonetic": 73, "morphological": morphs}
    sizes |= {f"duplicate_of_{name}": size for name, size in sizes.items()}

    def count(name):
        streams = tuple(replace(stream, alignment=alignment) for stream in small().streams)
        module = SecondaryStreams(list(variant(replace(small(), streams=streams), name).streams), sizes, 384)
        return sum(p.numel() for p in module.parameters())

    assert count("duplicate") == pytest.approx(count("dm"), rel=0.002)


def test_duplicates_learn_their_size_from_the_fitted_streams(tmp_path):
    models = [
        build_model(config, build_data(config, runtime(tmp_path)).processor, 2)
        for config in (variant(tiny(), name) for name in ("dm", "duplicate"))
    ]
    real, copy = (sum(p.numel() for p in model.parameters()) for model in models)
    assert copy == pytest.approx(real, rel=0.01)


@pytest.mark.parametrize("name", ["dm", "dm_dropout", "dm[meaning]"])
def test_a_row_called_after_another_rule_is_refused(name):
    with pytest.raises(ValueError, match="but its rule is 'li'"):
        replace(variant(small(), name), integration=IntegrationConfig(rule="li"))


def test_a_run_without_a_variant_is_called_after_its_rule():
    config, _ = COMMAND.parse("quick", "", ["--integration.rule", "li"])
    assert config.name == "li"
    assert config_hash("s", config) == config_hash("s", variant(PRESETS["quick"](), "li"))


@pytest.mark.parametrize("seed, name", [(2, "dm-308e07079c9e"), (0, "meaning-6e32692e98ed")])
def test_finished_runs_keep_their_folders(seed, name):
    """Names of committed records: a new field of a config must not orphan them."""
    variant_name = name.partition("-")[0]
    options = ["--data.path", "data/sst5", "--train.seed", str(seed)]
    config, settings = COMMAND.parse("small", variant_name, options)
    assert folder_of(config, settings).name == name
    recorded = json.loads((RECORDS / name / "config.json").read_text())["config"]
    assert plain(config) == recorded
    fewer, _ = COMMAND.parse("small", variant_name, [*options, "--data.train-fraction", "0.1"])
    assert plain(fewer) == recorded | {"data": recorded["data"] | {"train_fraction": 0.1}}
    assert folder_of(fewer, settings) != folder_of(config, settings)
