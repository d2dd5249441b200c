"""A tiny config on drawn scenes, folders for runs, cache and pictures, and the command line."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from common.data.vision import VisionDataConfig, load_vision
from common.data.vision.opening import open_image
from common.models.gpt2_size import SizeConfig
from common.streams.config import StreamConfig
from common.training.config import RuntimeConfig, VisionTrainConfig
from common.vision.config import VisionConfig
from step4_vision_language.__main__ import COMMAND
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six pictures, one of another shape and one in grey, beside a file that is none."""
    place = tmp_path_factory.mktemp("pictures")
    samples = load_vision(VisionDataConfig(scene_sizes=(8, 2, 2))).splits["train"]
    for number, sample in enumerate(samples[:6]):
        image = open_image(sample.images[0])
        image = image.resize((300, 400)) if number == 0 else image.convert("L") if number == 1 else image
        image.save(place / f"{number} <b>.png")
    (place / "notes.txt").write_text("no picture")
    return place


def call(*arguments) -> int:
    """Exit status of the command line of step 4."""
    return COMMAND.main([str(argument) for argument in arguments])


def rows_of(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]
