"""Costs of step 4's variants: what is measured is found again for the runs of the same setting, and for no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.report import write_report
from benchmarks.vision_step_time import Settings, run
from results.costs import fitting_step_times
from results.reader import load_run
from step4_vision_language.config import variant
from step4_vision_language.run import run as train
from tests.step4_vision_language.conftest import runtime, tiny


def test_costs_are_found_for_runs_of_the_setting(tmp_path):
    base = replace(tiny(), train=replace(tiny().train, epochs=1))
    settings = Settings(
        base=base, variants=("no_image", "dm"), steps=1, warm=0, rounds=1, device="cpu", cache=str(tmp_path / "cache")
    )
    report = run(settings)
    flops = {row["variant"]: row["flops_per_text"] for row in report["rows"]}
    assert flops["dm"] > flops["no_image"] > 0 and all(row["step_ms"] > 0 for row in report["rows"])
    write_report(report, tmp_path / "benchmarks" / "step_time-step4_vision_language-captions.json")
    own, other = (
        load_run(train(variant(config, "dm"), runtime(tmp_path / "cache", tmp_path / "runs")))
        for config in (base, replace(base, objective="retrieve"))
    )
    found = fitting_step_times([own], tmp_path)
    assert found is not None and found.by_variant["dm"] > 0
    assert found.flops_per_text["dm"] == pytest.approx(own.final["flops_per_text"])
    assert fitting_step_times([other], tmp_path) is None
    counted = run(replace(settings, rounds=0))
    assert [row["step_ms"] for row in counted["rows"]] == [None, None]
    assert {row["variant"]: row["flops_per_text"] for row in counted["rows"]} == flops
