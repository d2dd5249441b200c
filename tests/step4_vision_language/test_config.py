"""Rows of step 4 are what they are called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.integration import IntegrationConfig
from common.streams.config import StreamConfig
from common.training.config import plain
from common.variants import CONTROLS, UNTOLD
from step4_vision_language.__main__ import COMMAND
from step4_vision_language.config import VARIANTS, variant
from step4_vision_language.fusion_config import FusionConfig
from tests.step4_vision_language.conftest import call, tiny


@pytest.mark.parametrize(
    "name",
    [*CONTROLS, *(f"li{ending}" for ending in UNTOLD), "dm_shuffled_dropout", "dm_noise_swapped", "noise[vision]"],
)
def test_controls_of_words_are_no_rows_of_pictures(name):
    with pytest.raises(ValueError, match="no_image, swapped, <rule>_swapped") as told:
        variant(tiny(), name)
    assert "li_shuffled" not in str(told.value).replace(repr(name), "")


def test_an_unknown_row_is_told_those_of_this_step():
    with pytest.raises(ValueError, match="unknown variant 'telepathy'; known: no_image, swapped") as told:
        variant(tiny(), "telepathy")
    assert not any(word in str(told.value) for word in ("shuffled", "noise", "phonetic"))


@pytest.mark.parametrize("control", ["shuffled", "noise"])
def test_a_stream_of_pictures_has_no_control(control):
    with pytest.raises(ValueError, match="has no control"):
        StreamConfig(kind="vision", alignment="attention", control=control)


WRONG = [
    ("dm", ["--fusion.name", "projector"], "projector"),
    ("dm", ["--integration.rule", "li"], "li"),
    ("dm_token", ["--integration.rule", "gated"], "gated"),
    ("dm_pooled", ["--fusion.name", "none"], "no_image"),
    ("projector", ["--fusion.name", "qformer"], "qformer"),
    ("no_image", ["--fusion.name", "projector"], "projector"),
    ("swapped", ["--integration.rule", "li"], "li"),
    ("li_swapped", ["--integration.rule", "dm"], "dm"),
]


@pytest.mark.parametrize(("name", "options", "own"), WRONG)
def test_a_row_called_after_another_rule_or_fusion_is_refused(name, options, own, capsys):
    assert call("run", "--variant", name, *options) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"the row is called {name!r}" in told and f"--variant {own}, or give the row another --name" in told
    config, _ = COMMAND.parse("quick", name, [*options, "--name", "mine"])
    assert config.name == "mine"


@pytest.mark.parametrize(
    "name", [*VARIANTS, "gmu", "li_output", "projector_swapped", "dm_dropout", "dm[vision+meaning]"]
)
def test_every_row_keeps_its_name_whatever_it_is_made_from(name):
    config = variant(tiny(), name)
    assert config.named().name == name and variant(variant(tiny(), "li"), name).name == name
    assert plain(replace(config, name="mine")) == plain(config) | {"name": "mine"}


@pytest.mark.parametrize("fusion", ["streams", "none", "projector", "cross_attention"])
def test_a_config_without_a_name_gets_one_that_fits(fusion):
    assert tiny(fusion=FusionConfig(name=fusion)).named().name == ("dm" if fusion == "streams" else fusion)
    rule = IntegrationConfig(rule="cross_attention")
    assert tiny(integration=rule, feedback=False).named().name == "cross_attention"


def test_a_rule_at_the_output_feeds_nothing_back(capsys):
    assert call("run", "--integration.rule", "gmu") == 2
    assert "take --variant gmu, or --no-feedback" in " ".join(capsys.readouterr().err.split())
    config, _ = COMMAND.parse("quick", "", ["--integration.rule", "gmu", "--no-feedback"])
    assert config == COMMAND.parse("quick", "gmu", [])[0]
    with pytest.raises(ValueError, match="take --no-feedback"):
        tiny(integration=IntegrationConfig(recurrent=False))


def test_a_row_with_the_pictures_of_others_is_called_so(capsys):
    assert call("run", "--variant", "li", "--swapped") == 2
    assert "take --variant li_swapped" in " ".join(capsys.readouterr().err.split())
    assert tiny(swapped=True).named().name == "swapped"
    assert tiny(swapped=True, integration=IntegrationConfig(rule="li")).named().name == "li_swapped"
    assert not variant(variant(tiny(), "swapped"), "dm").swapped
