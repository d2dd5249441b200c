"""Step times of steps 1 to 3: what is measured is found again for every row of the runs' setting, and for no others."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks import language_step_time, step_time
from benchmarks.report import write_report
from benchmarks.timing import Timing, side_by_side
from results.costs import read_step_times
from results.reader import load_run
from results.table2_mlm.configs import VARIANTS as MLM
from results.table3_gpt.configs import VARIANTS as GPT
from step1_sentiment.run import run as train_sentiment
from step2_mlm.config import MaskedLMConfig, ScratchConfig
from step2_mlm.run import run as train_mlm
from step3_gpt.run import run as train_gpt
from tests.common.data.language.texts import write_folder
from tests.step1_sentiment.conftest import runtime as sentiment_runtime
from tests.step1_sentiment.conftest import tiny as tiny_sentiment
from tests.step3_gpt.conftest import runtime
from tests.step3_gpt.conftest import tiny as tiny_gpt

ONCE = {"steps": 1, "warm": 0, "rounds": 1, "device": "cpu"}


def tiny_mlm(folder):
    gpt = tiny_gpt(folder)
    return MaskedLMConfig(scratch=ScratchConfig(32, 2, 2), streams=gpt.streams, data=gpt.data, train=gpt.train)


def changed(run, **fields):
    """`run` with other values in parts of its settings."""
    settings = run.settings | {name: run.settings[name] | values for name, values in fields.items()}
    return replace(run, config=run.config | {"config": settings})


def test_sentiment(tmp_path):
    settings = step_time.Settings(
        base=tiny_sentiment(), variants=("meaning", "dm", "dm[phonetic]"), cache=str(tmp_path / "cache"), **ONCE
    )
    report = step_time.run(settings)
    write_report(report, tmp_path / "benchmarks" / "step_time-step1_sentiment.json")
    assert [row["variant"] for row in report["rows"]] == ["meaning", "dm", "dm[phonetic]"]
    assert report["rows"][0]["ratio"] == 1.0
    run = load_run(train_sentiment(tiny_sentiment(), sentiment_runtime(tmp_path)))
    times = read_step_times("step1_sentiment", tmp_path)
    assert times is not None
    assert [times.of(row["variant"], run) for row in report["rows"]] == [row["step_ms"] for row in report["rows"]]
    assert math.isnan(times.of("dm", changed(run, data={"name": "sst5"}))) and math.isnan(times.of("li", run))


@pytest.mark.parametrize(
    ("step", "base", "train", "variants", "size"),
    [("step2_mlm", tiny_mlm, train_mlm, MLM, "scratch"), ("step3_gpt", tiny_gpt, train_gpt, GPT, "size")],
)
def test_language(tmp_path, step, base, train, variants, size):
    folder = write_folder(tmp_path / "texts")
    config = base(folder)
    settings = language_step_time.Settings(step=step, path=str(folder), cache=str(tmp_path / "cache"), **ONCE)
    report = language_step_time.run(settings, config)
    write_report(report, tmp_path / "benchmarks" / f"step_time-{step}.json")
    assert [row["variant"] for row in report["rows"]] == list(variants)
    short = replace(config, train=replace(config.train, epochs=1))
    run = load_run(train(short, runtime(tmp_path / "cache", tmp_path / "runs")))
    times = read_step_times(step, tmp_path)
    assert times is not None
    assert all(times.of(name, run) > 0 for name in variants)
    for other in ({"data": {"path": "elsewhere"}}, {size: {"width": 48}}, {"train": {"max_length": 64}}):
        assert math.isnan(times.of(variants[0], changed(run, **other)))


def test_no_round_no_times():
    rows = side_by_side({"a": None, "b": None}, Timing(rounds=0), step_time.resolve_device("cpu"))
    assert rows == [{"variant": name, "step_ms": None, "ratio": None} for name in "ab"]
