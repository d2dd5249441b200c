"""Settings are checked, and the hash of a config is what names a run."""

from dataclasses import dataclass, field, replace

import pytest

from common.training import RuntimeConfig, TrainConfig, config_hash
from common.training.config import ADDED_LATER, plain
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


def test_a_field_that_was_added_later_counts_where_it_is_set():
    @dataclass(frozen=True)
    class Before:
        a: int = 1

    @dataclass(frozen=True)
    class After(Before):
        more: tuple[int, ...] = field(default_factory=tuple, metadata=ADDED_LATER)

    assert plain(After()) == {"a": 1} and config_hash("toy", After()) == config_hash("toy", Before())
    assert plain(After(more=(2,))) == {"a": 1, "more": [2]}


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
