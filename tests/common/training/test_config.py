"""Settings are checked, and the hash of a config is what names a run."""

from dataclasses import dataclass, replace

import pytest

from common.later import later
from common.training import RuntimeConfig, TrainConfig, config_hash
from common.training.config import plain
from tests.common.training import toy


def test_hash_is_stable_over_processes_and_versions():
    @dataclass(frozen=True)
    class Small:
        b: int = 2
        a: float = 0.1
        names: tuple[str, ...] = ("x", "y")
        runtime: RuntimeConfig = RuntimeConfig()

    assert config_hash("toy", Small()) == "ab0d157fbc59"
    assert config_hash("toy", Small(runtime=RuntimeConfig(runs_dir="elsewhere"))) == "ab0d157fbc59"
    assert config_hash("other", Small()) != config_hash("toy", Small())
    assert config_hash("toy", Small(a=0.2)) != config_hash("toy", Small())


def test_every_training_field_counts():
    base = toy.ToyConfig()
    for change in ({"seed": 1}, {"lr_head": 1e-3}, {"compile": True}, {"select_mode": "min"}):
        assert config_hash("toy", replace(base, train=replace(base.train, **change))) != config_hash("toy", base)


def test_values_json_cannot_hold_are_refused():
    with pytest.raises(TypeError, match="not set"):
        config_hash("toy", {"names": {"x"}})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"lr_backbone": -1.0}, "lr_backbone"),
        ({"lr_head": float("nan")}, "lr_head"),
        ({"warmup": 1.0}, "warmup"),
        ({"precision": "fp8"}, "precision"),
        ({"select_mode": "best"}, "select_mode"),
    ],
)
def test_bad_training_values(options, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**options)


@pytest.mark.parametrize("options", [{"logger": "x"}, {"device": "tpu"}, {"devices": 0}, {"threads": -1}])
def test_bad_runtime_values(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        RuntimeConfig(**options)


def test_fp16_on_the_cpu_is_refused(tmp_path):
    with pytest.raises(ValueError, match="fp16 needs a GPU"):
        toy.run(toy.toy_config(tmp_path, precision="fp16"))


def test_a_later_field_at_its_default_changes_no_hash():
    @dataclass(frozen=True)
    class Small:
        b: int = 2
        a: float = 0.1
        names: tuple[str, ...] = ("x", "y")
        share: float = later(1.0)

    assert plain(Small()) == {"b": 2, "a": 0.1, "names": ["x", "y"]}
    assert config_hash("toy", Small()) == config_hash("toy", Small(share=1.0)) == "ab0d157fbc59"
    assert plain(Small(share=0.3))["share"] == 0.3
    assert len({config_hash("toy", Small(share=share)) for share in (0.1, 0.3, 1.0)}) == 3
