"""On texts whose label only one stream can tell, that stream must win, and leaving it out must leave chance."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from common.data.text import DataConfig
from common.integration import DM
from step1_sentiment.config import MORPHOLOGICAL, PHONETIC
from step1_sentiment.run import run
from tests.step1_sentiment.conftest import runtime, tiny


@pytest.mark.parametrize("informative", ["phonetic", "morphological"])
def test_the_informative_stream_wins(informative, tmp_path):
    streams = tuple(
        replace(stream, width=32, layers=1, heads=2, control="none" if stream.kind == informative else "noise")
        for stream in (PHONETIC, MORPHOLOGICAL)
    )
    train = replace(
        tiny().train, epochs=7, batch_size=32, lr_backbone=1e-3, lr_streams=3e-3, lr_head=3e-3,
        alpha_lr_multiplier=15.0, checkpoint_every=1000,
    )  # fmt: skip
    config = replace(
        tiny(), use_meaning=False, streams=streams, train=train, dropout=0.0,
        integration=DM(init="equal", recurrent=False),
        data=DataConfig(name="planted", planted_shares=((informative, 1.0),), planted_sizes=(800, 200, 200)),
    )  # fmt: skip
    folder = run(config, runtime(tmp_path))
    importance = json.loads((folder / "importance.json").read_text())
    assert importance["accuracy_full"] > 0.9
    for way in ("zero", "permutation"):
        assert importance["leave_one_out"][way][informative] == pytest.approx(importance["chance"], abs=0.1)
    trace = pd.read_csv(folder / "alphas.csv")
    trace = trace[(trace["step"] == trace["step"].max()) & (trace["quantity"] == "contribution")]
    assert trace.set_index("stream")["value"][informative] > 0.8
