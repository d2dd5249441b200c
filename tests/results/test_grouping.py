"""Which runs belong together, and which config a table shows."""

import json
from dataclasses import replace

import pytest

from results.grouping import by_variant, setting_key, tried, variant_key
from results.reader import RecordError, load_run, load_runs


def test_seeds_share_a_key_and_settings_do_not(records):
    runs = load_runs(records)
    dm = [run for run in runs if run.name == "dm" and run.dataset == "sst5"]
    assert len({variant_key(run) for run in dm}) == 1
    assert len({setting_key(run) for run in runs}) == 3


def test_weights_of_other_runs_are_no_configs_of_their_own(tmp_path, record):
    one = load_run(record(tmp_path, "dm", 0))
    arms = [
        replace(one, config=one.config | {"config": one.settings | {"transfer": {"arm": arm, "source": source}}})
        for arm, source in (("transfer", "runs/a-1"), ("transfer", "runs/a-2"), ("random", "runs/a-1"))
    ]
    assert tried(arms) == 2 and tried([one, *arms]) == 3 and len({variant_key(run) for run in arms}) == 3


def test_where_the_data_lie_makes_no_other_setting(tmp_path, record):
    one = load_run(record(tmp_path, "dm", 0))
    here, there, elsewhere = (
        replace(one, config=one.config | {"config": one.settings | {"data": one.settings["data"] | {"path": path}}})
        for path in ("data/sst5", "/home/me/sst5", "/home/me/other")
    )
    assert setting_key(here) == setting_key(there) != setting_key(elsewhere)
    assert variant_key(here) != variant_key(there)  # a run is found again by its config as it stands


def test_a_larger_or_longer_trained_model_from_scratch_is_another_setting(tmp_path, record):
    run = load_run(record(tmp_path, "dm", 0))

    def at(**fields):
        settings = run.settings | {"backbone": "scratch", "size": {"width": 192}, "train_tokens": 10} | fields
        return replace(run, config=run.config | {"config": settings})

    assert setting_key(at()) == setting_key(at(name="li"))
    assert len({setting_key(one) for one in (at(), at(size={"width": 384}), at(train_tokens=20))}) == 3


def test_of_several_configs_most_seeds_are_shown_then_the_best_on_validation(tmp_path, record):
    for seed in (2, 0, 1):
        record(tmp_path, "dm", seed, accuracy=0.3)
    for seed in (0, 1):
        record(tmp_path, "dm", seed, accuracy=0.9, lr=1e-3)
    runs = load_runs(tmp_path)
    assert [(run.seed, run.settings["train"]["lr_backbone"]) for run in by_variant(runs)["dm"]] == [
        (0, 1e-4), (1, 1e-4), (2, 1e-4),
    ]  # fmt: skip
    level = [run for run in runs if run.seed < 2]
    assert {run.settings["train"]["lr_backbone"] for run in by_variant(level)["dm"]} == {1e-3}
    for run in level:  # a loss: the lower, the better
        run.settings["train"] |= {"select_metric": "accuracy", "select_mode": "min"}
    assert {run.settings["train"]["lr_backbone"] for run in by_variant(level)["dm"]} == {1e-4}


def test_two_records_of_one_config_and_seed_are_refused(tmp_path, record):
    run = load_run(record(tmp_path, "dm", 0))
    with pytest.raises(RecordError, match="two records of one config and seed"):
        by_variant([run, replace(run, folder=run.folder.with_name("copy"))])


def test_of_configs_with_as_many_seeds_those_in_the_common_number_format_are_shown(tmp_path, record):
    """A row with two formats takes that of the others, also where the other one is better on validation."""
    for name, accuracy, precision in (
        ("dm", 0.9, "bf16"),
        ("dm", 0.3, "fp32"),
        ("li", 0.5, "fp32"),
        ("li", 0.6, "fp32"),
    ):
        folder = record(tmp_path, name, 0, accuracy=accuracy, lr=accuracy)
        config = json.loads((folder / "config.json").read_text())
        config["config"]["train"]["precision"] = precision
        (folder / "config.json").write_text(json.dumps(config))
    shown = by_variant(load_runs(tmp_path))
    assert [shown[name][0].settings["train"]["lr_backbone"] for name in ("dm", "li")] == [0.3, 0.6]
    assert by_variant(run for run in load_runs(tmp_path) if run.name == "dm")["dm"][0].number_format == "fp32"
