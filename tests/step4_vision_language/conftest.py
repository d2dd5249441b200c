"""A tiny config on drawn scenes, and folders for runs and cache."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.data.vision import VisionDataConfig
from common.models.gpt2_size import SizeConfig
from common.streams.config import StreamConfig
from common.training.config import RuntimeConfig, VisionTrainConfig
from common.vision.config import VisionConfig
from step4_vision_language.config import DecodeConfig, VisionLanguageRunConfig
from step4_vision_language.fusion_config import FusionConfig


def tiny(**options) -> VisionLanguageRunConfig:
    train = VisionTrainConfig(
        epochs=2, batch_size=16, max_length=32, lr_backbone=2e-3, lr_streams=2e-3, precision="fp32",
        checkpoint_every=3, select_metric="loss", select_mode="min",
    )  # fmt: skip
    config = VisionLanguageRunConfig(
        size=SizeConfig(width=32, layers=2, heads=2), vocab_size=500, vision=VisionConfig(image_size=64),
        fusion=FusionConfig(tokens=3, width=16, layers=1, heads=2), data=VisionDataConfig(scene_sizes=(48, 16, 16)),
        streams=(StreamConfig(kind="vision", alignment="attention", width=16, layers=2, heads=2, dropout=0.0),),
        train=train, decode=DecodeConfig(max_new_tokens=8, beams=1), embedding=8,
    )  # fmt: skip
    return replace(config, **options)


def runtime(cache, runs, **options) -> RuntimeConfig:
    return RuntimeConfig(runs_dir=str(runs), cache_dir=str(cache), progress=False, threads=1, device="cpu", **options)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")
