"""Training on instruction files whose conversations have no, one or two pictures, from start to record."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from rich.console import Console

from common.data.vision import ImageSource, Sample, VisionDataConfig
from step4_vision_language.config import variant
from step4_vision_language.contrast import DualEncoder
from step4_vision_language.contributions import Shares, Written
from step4_vision_language.data import Pictures, swapped
from step4_vision_language.evidence import changed_pictures
from step4_vision_language.page import show
from step4_vision_language.run import run
from step4_vision_language.texts import TextProcessor
from tests.common.data.vision.made import NAMES, conversation, write_instructions
from tests.step4_vision_language.conftest import runtime, tiny
from tests.step4_vision_language.models import EOS, IMAGE, build, text_of

pytestmark = pytest.mark.filterwarnings("ignore:instructions", "ignore:.*byte-identical")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conversations")
    without = {"conversations": conversation([], "Hello")["conversations"]}
    entries = [conversation(NAMES[:2], "Compare <image> with <image>."), *(without for _ in range(9))]
    write_instructions(folder / "all.json", [*entries, *(conversation(name) for name in NAMES[2:])])
    return folder / "all.json"


@pytest.mark.parametrize(
    ("name", "contrastive"), [("dm", 0.5), ("swapped", 0.0), ("projector", 0.5), ("no_image", 0.0)]
)
def test_a_run_goes_from_start_to_record(name, contrastive, file, tmp_path):
    data = VisionDataConfig(name="instructions", path=str(file), validation_fraction=0.2)
    base = tiny(data=data, contrastive=contrastive)
    config = variant(replace(base, decode=replace(base.decode, batch_size=2)), name)
    folder = run(config, runtime(tmp_path, tmp_path / "runs"))
    evidence = pd.read_parquet(folder / "evidence.parquet")
    assert (
        json.loads((folder / "final.json").read_text())["test_loss"] > 0
        and len(pd.read_parquet(folder / "texts.parquet")) > 0
    )
    assert "logp" in evidence and evidence.filter(like="logp").notna().all().all()


def test_nothing_is_changed_where_no_sample_has_a_picture():
    model = build("dm", trained=True)
    samples = [Sample("a", (), turns=(("human", "Hello"), ("assistant", "A dog.")))]
    ways = changed_pictures(model, samples, Pictures(model.vision, store=None))
    assert {name: way(samples) for name, way in ways.items()} == {"left_out": {}, "swapped": {}, "blank": {}}


def picture(number):
    return ImageSource(data=b"", label=str(number))


def test_pictures_are_swapped_among_samples_with_as_many():
    numbers = [(0,), (), (1, 2), (3,), (4, 5), (6,), (7, 8, 9)]
    samples = [Sample(str(k), tuple(map(picture, images))) for k, images in enumerate(numbers)]
    told = [tuple(int(image.label) for image in sample.images) for sample in swapped(samples)]
    assert [len(images) for images in told] == [len(images) for images in numbers]
    assert sorted(told) == sorted(numbers)
    moved = [old != new for old, new in zip(numbers, told, strict=True)]
    assert moved == [True, False, True, True, True, True, False]  # no other has none, or three


def test_no_text_ends_within_a_picture():
    processor = TextProcessor.__new__(TextProcessor)
    processor.marks, processor.max_length, processor.image_id = 4, 3, 9
    for before in range(12):
        parts = [([9] * 4, False), ([1] * before, False), ([9] * 4, False), ([1] * 5, True)]
        ids = processor._joined(parts).ids
        assert ids.count(9) % 4 == 0 and len(ids) <= 3 + 8


@pytest.mark.parametrize("case", ["dm", "li", "projector", "cross_attention"])
def test_the_embedding_of_pictures_is_that_of_the_row_alone(case):
    """Also beside rows with more pictures, fewer or none; a row without any counts nothing in the loss."""
    model = build(case, trained=True)
    torch.manual_seed(2)
    dual = DualEncoder(32, 8, siglip=False, end_id=EOS)
    told = [("image",), ("image", "image"), ()]
    texts = [text_of(model, [2], *images, [3, 4 + k, 5]) for k, images in enumerate(told)]
    longest = max(map(len, texts))
    batch = {
        "input_ids": torch.stack([F.pad(text, (0, longest - len(text)), value=EOS) for text in texts]),
        "attention_mask": torch.stack([F.pad(torch.ones_like(text), (0, longest - len(text))) for text in texts]),
        "labels": torch.stack([F.pad(text, (0, longest - len(text)), value=-100) for text in texts]),
        "example": torch.arange(3), "pixel_values": torch.randn(3, 2, 3, 64, 64),
    }  # fmt: skip
    batch["labels"][batch["input_ids"] == IMAGE] = -100
    with torch.no_grad():
        together, _ = dual(model, batch)
        for row, images in enumerate(told[:2]):
            alone = {name: value[row : row + 1] for name, value in batch.items()}
            alone["pixel_values"] = alone["pixel_values"][:, : len(images)]
            torch.testing.assert_close(dual(model, alone)[0][0], together[row], atol=1e-4, rtol=1e-4)
        pairs = {name: value[:2] for name, value in batch.items()}
        torch.testing.assert_close(dual.loss(model, batch), dual.loss(model, pairs), atol=1e-4, rtol=1e-4)
        nothing = {name: value[2:] for name, value in batch.items() if name != "pixel_values"}
        assert dual.loss(model, nothing).item() == 0


def test_numbers_of_every_token_are_printed():
    console = Console(file=io.StringIO(), width=200, color_system=None)
    shares = Shares({"vision": np.array([0.25, 0.5])}, {"vision": np.array([0.1, 0.1])})
    show([Written(Sample("a", (picture(0),)), "a dog", [" a", " dog"], shares)], console)
    printed = console.file.getvalue()
    assert "contribution of vision: a 0.25  dog 0.50" in printed and "α of vision: 0.10 for every token" in printed
