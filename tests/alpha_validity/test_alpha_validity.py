"""Measures on models whose importance is known by construction, and a run from start to record."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pandas as pd
import pytest
import torch

from alpha_validity.__main__ import COMMAND
from alpha_validity.config import PRESETS, VARIANTS, ValidityRunConfig, VectorTrainConfig, variant
from alpha_validity.measures import MEASURES, all_measures, terms_of_the_sum
from alpha_validity.model import VectorModel
from alpha_validity.run import fit, folder_of, run, tensors
from common.data.planted_vectors import planted_vectors
from common.evaluation.planted_parts import Part, shapley_shares
from common.integration import IntegrationConfig
from common.training.config import RuntimeConfig
from results.table5_alpha_validity.configs import CONDITIONS, RULES
from results.table5_alpha_validity.configs import VARIANTS as TABLE

TINY = ValidityRunConfig(
    width=16, narrow=8, tested=400, settings=("unique 10-90", "redundant ab 60, c 40"),
    train=VectorTrainConfig(samples=600, steps=60, batch_size=64),
)  # fmt: skip
UNEQUAL = (Part("unique", ("a",), 0.7), Part("unique", ("b",), 0.3), Part("unique", ("c",), 0.0))


def runtime(runs) -> RuntimeConfig:
    return RuntimeConfig(runs_dir=str(runs), progress=False, threads=1, device="cpu")


def built(name="dm", parts=UNEQUAL, seed=0):
    config = variant(TINY, name)
    torch.manual_seed(seed)
    train, test = planted_vectors(parts, (600, 400), noise=0.5, seed=seed)
    return VectorModel(config, {n: x.shape[1] for n, x in train.streams.items()}), config, train, test


def test_shapley_and_leave_one_out_recover_unique_shares():
    model, config, train, test = built()
    fit(model, train, replace(config, train=replace(config.train, steps=400)), seed=0)
    found = all_measures(model, *tensors(test))
    for name, share in shapley_shares(UNEQUAL).items():
        assert found["shapley"][name] == pytest.approx(0.75 * share, abs=0.1)
        assert found["leave_one_out"][name] == pytest.approx(0.75 * share, abs=0.1)


def test_an_unused_stream_has_no_share_by_any_measure():
    model, _, _, test = built()
    model.eval()
    with torch.no_grad():
        alpha = model.integration.mixing.get_parameter("alpha")
        alpha[:] = torch.tensor([1.0, 0.5, 0.0])
    found = all_measures(model, *tensors(test))
    assert all(found[measure]["c"] == 0 for measure in MEASURES)
    assert found["alpha"] == pytest.approx({"a": 1.0, "b": 0.5, "c": 0.0})


def test_effective_alpha_counts_what_later_sites_carry_on():
    model, _, _, test = built()
    with torch.no_grad():
        model.integration.mixing.get_parameter("alpha")[:] = 1.0
        model.integration.mixing.get_parameter("gamma")[:] = -0.5
    found = all_measures(model.eval(), *tensors(test))["effective"]
    assert found == pytest.approx(dict.fromkeys("abc", 1.0 + 0.5))  # two sites: the last one, and half of the first


def test_gradient_times_term_is_the_slope_along_the_term():
    """Against finite differences: every term of a stream scaled by 1 + h."""
    model, _, _, test = built()
    with torch.no_grad():
        model.integration.mixing.get_parameter("alpha")[:] = torch.tensor([1.0, 0.6, -0.4])
    model.double().eval()
    streams, labels = tensors(test)
    streams = {name: x[:1].double() for name, x in streams.items()}
    labels = labels[:1]

    def margin() -> float:
        logits = model(streams).logits
        return float((logits.gather(1, labels[:, None]).sum() - logits.mean(-1).sum()).detach())

    found, alpha = terms_of_the_sum(model, streams, labels)["gradient"], model.integration.mixing.get_parameter("alpha")
    for k, name in enumerate("abc"):
        kept, h = alpha[:, k].clone(), 1e-4
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                alpha[:, k] = kept * (1 + sign * h)
            values.append(margin())
        with torch.no_grad():
            alpha[:, k] = kept
        assert found[name] == pytest.approx(abs(values[0] - values[1]) / (2 * h), rel=2e-2, abs=1e-4)


def test_projections_are_signed_shares_of_the_state():
    model, _, _, test = built()
    with torch.no_grad():
        model.integration.mixing.get_parameter("alpha")[:] = torch.tensor([1.0, 0.6, 0.0])
        model.integration.mixing.get_parameter("gamma")[:] = 0.0  # so that the streams are all there is in a state
    streams, labels = tensors(test)
    found = terms_of_the_sum(model.eval(), streams, labels)["projection"]
    assert found["c"] == 0 and sum(found.values()) == pytest.approx(1.0, abs=1e-4)


def test_rules_without_alpha_or_sum_say_so():
    model, _, _, test = built("li")
    found = all_measures(model.eval(), *tensors(test))
    assert all(
        math.isnan(found[measure][name])
        for measure in ("alpha", "effective", "projection", "gradient")
        for name in "abc"
    )
    assert sum(found["contribution"].values()) <= 1.0


@pytest.mark.parametrize("name", [*VARIANTS, "concat", "gmu", "dm_equal_softmax"])
def test_every_variant_learns_and_is_measured(name):
    model, config, train, test = built(name)
    before = model.loss(*tensors(train)).item()
    fit(model, train, config, seed=0)
    assert model.loss(*tensors(train)).item() < before
    found = all_measures(model, *tensors(test))
    assert set(found) == set(MEASURES) and all(math.isfinite(found["shapley"][stream]) for stream in "abc")


def test_frozen_weights_stay():
    model, config, train, _ = built("dm_frozen")
    before = model.integration.mixing.get_parameter("alpha").clone()
    fit(model, train, config, seed=0)
    assert torch.equal(before, model.integration.mixing.get_parameter("alpha"))


def test_a_run_writes_its_record_and_is_not_repeated(tmp_path):
    folder = run(TINY, runtime(tmp_path))
    frame = pd.read_parquet(folder / "measures.parquet")
    assert set(frame["setting"]) == set(TINY.settings) and len(frame) == 2 + 3
    assert frame.groupby("setting")["truth"].sum().to_numpy() == pytest.approx(1.0)
    final = json.loads((folder / "final.json").read_text())
    assert 0.25 < final["test_accuracy"] <= 1 and folder == folder_of(TINY, runtime(tmp_path))
    stamp = (folder / "final.json").stat().st_mtime_ns
    assert run(TINY, runtime(tmp_path)) == folder and (folder / "final.json").stat().st_mtime_ns == stamp
    again = run(TINY, runtime(tmp_path / "again"))
    pd.testing.assert_frame_equal(frame, pd.read_parquet(again / "measures.parquet"))


def test_a_table_from_the_command_line(tmp_path, capsys):
    some = ["--settings", "unique 10-90", "unique 60-30-10"]
    options = [*some, "--train.steps", "60", "--tested", "200", "--runtime.no-progress"]
    arguments = ["table", "--variants", "dm", "li", "--seeds", "0", *options, "--runtime.runs-dir", str(tmp_path)]
    assert COMMAND.main(arguments) == 0
    shown = capsys.readouterr().out
    assert "calibration error" in shown and "equal" in shown and "Shapley" in shown
    assert len(list(tmp_path.glob("alpha_validity/*/measures.parquet"))) == 2


def test_the_table_has_the_rows_of_the_help_and_every_row_can_be_run():
    assert set(VARIANTS) <= set(TABLE) and len(set(TABLE)) == len(TABLE)
    for name in TABLE:
        VectorModel(variant(TINY, name), {"a": 4, "b": 4})


def test_rules_without_a_condition_are_refused_it():
    """Else the table would lack a row that can be had."""
    for rule in RULES:
        for condition in CONDITIONS:
            if f"{rule}_{condition}" not in TABLE:
                with pytest.raises(ValueError, match="has no option"):
                    VectorModel(variant(TINY, f"{rule}_{condition}"), {"a": 4, "b": 4})


def test_bad_configs_are_refused():
    for wrong in ("dm_unknown", "reference", "mystery", "dm_equalsoftmax"):
        with pytest.raises(ValueError, match="unknown variant"):
            variant(PRESETS["small"](), wrong)
    with pytest.raises(ValueError, match="unknown settings"):
        replace(TINY, settings=("unique 1-99",))
    with pytest.raises(ValueError, match="stands twice"):
        replace(TINY, settings=("unique 50-50", "unique 50-50"))
    for noise in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="noise is a standard deviation"):
            replace(TINY, noise=noise)
    for options, said in (({"seed": -1}, "seed must not be negative"), ({"lr": float("nan")}, "lr must be positive")):
        with pytest.raises(ValueError, match=said):
            replace(TINY.train, **options)
    with pytest.raises(ValueError, match="has no option"):
        VectorModel(variant(TINY, "li_softmax"), {"a": 4, "b": 4})
    assert variant(TINY, "dm_lr20").train.alpha_lr_multiplier == 20.0
    assert variant(TINY, "dm_free_equal").integration == IntegrationConfig(init="equal")


@pytest.mark.parametrize("name", ["dm", "dm_equal_softmax", "dm_linear_lr20", "dm_free_equal"])
def test_a_row_called_after_another_rule_is_refused(name, capsys):
    assert COMMAND.main(["run", "--variant", name, "--integration.rule", "li"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"the row is called {name!r}, but its rule is 'li'" in told
    for mine in ("mine", "dm_of_mine"):
        config, _ = COMMAND.parse("quick", name, ["--integration.rule", "li", "--name", mine])
        assert config.name == mine and config.integration.rule == "li"
