"""A small corpus, its cache and a tiny config."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.data.language import CorpusConfig
from common.models.gpt2_size import SizeConfig
from common.streams.config import StreamConfig
from common.training.config import LanguageTrainConfig, RuntimeConfig
from step3_gpt.config import GPTConfig
from step3_gpt.data import build_data
from tests.common.data.language.texts import write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("step3") / "texts")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def tiny(folder, **options):
    streams = tuple(
        StreamConfig(kind=k, width=16, layers=2, heads=2, dropout=0.0) for k in ("phonetic", "morphological")
    )
    train = LanguageTrainConfig(
        epochs=2, batch_size=8, max_length=32, lr_backbone=2e-3, lr_streams=2e-3, precision="fp32", bucket=False,
        checkpoint_every=3, select_metric="loss", select_mode="min",
    )  # fmt: skip
    config = GPTConfig(
        size=SizeConfig(width=32, layers=2, heads=2), streams=streams, train=train,
        data=CorpusConfig(name="folder", path=str(folder), vocab_size=400),
    )  # fmt: skip
    return replace(config, **options)


def runtime(cache, tmp_path, **options):
    return RuntimeConfig(
        runs_dir=str(tmp_path), cache_dir=str(cache), progress=False, threads=1, device="cpu", **options
    )


@pytest.fixture(scope="module")
def data(folder, cache, tmp_path_factory):
    return build_data(tiny(folder), runtime(cache, tmp_path_factory.mktemp("unused")))
