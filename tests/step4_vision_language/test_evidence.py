"""What a picture had to do with every word: against the model itself, and where nothing may come out."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from common.data.vision import VisionDataConfig
from common.evaluation.visual_words import VISUAL_CLASSES, visual_class
from step4_vision_language.build import build_model
from step4_vision_language.config import variant
from step4_vision_language.data import build_data, load_texts
from step4_vision_language.decode import write_ids
from step4_vision_language.evidence import changed_pictures, log_probabilities, word_evidence, words
from step4_vision_language.run import run
from tests.step4_vision_language.conftest import runtime, tiny

WRITTEN = [[40, 41, 42], [43], []]


def shaken(name, cache, tmp_path, **options):
    """A model of which every part has a say, its data, and three test samples with different pictures."""
    config = variant(tiny(**options), name)
    corpus, tokenizer = load_texts(config)
    torch.manual_seed(0)
    model = build_model(config, tokenizer)
    data = build_data(config, runtime(cache, tmp_path), corpus, tokenizer, model)
    for label, parameter in model.named_parameters():
        if not label.startswith("vision."):
            parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval(), data, corpus.splits["test"][:3]


@pytest.mark.parametrize("name", ["dm", "dm_token", "li", "concat", "projector_patches", "cross_attention"])
def test_log_probabilities_are_those_of_each_text_alone(name, cache, tmp_path):
    model, data, samples = shaken(name, cache, tmp_path)
    see, processor = data.pictures["test"], data.processor
    found = log_probabilities(model, processor, samples, WRITTEN, see(samples))
    assert [len(row) for row in found] == [3, 1, 0]
    for sample, new, row in zip(samples[:2], WRITTEN, found, strict=False):
        ids = processor.prompt(sample)
        for token, value in zip(new, row, strict=True):  # token by token, without padding
            logits = model(torch.tensor([ids]), **see([sample])).logits[0, -1]
            assert value == pytest.approx(float(logits.log_softmax(-1)[token].detach()), abs=1e-4)
            ids = [*ids, token]


@pytest.mark.parametrize("name", ["dm", "dm_token", "li", "cross_attention"])
def test_left_out_is_the_text_alone(name, cache, tmp_path):
    """With the picture left out the mark stays, and what it stands for is nowhere read."""
    model, data, samples = shaken(name, cache, tmp_path)
    ways = changed_pictures(model, samples, data.pictures["test"])
    left_out = log_probabilities(model, data.processor, samples, WRITTEN, ways["left_out"](samples))
    noise = {n: v + torch.randn_like(v) if v.is_floating_point() else v for n, v in ways["left_out"](samples).items()}
    for own, other in zip(left_out, log_probabilities(model, data.processor, samples, WRITTEN, noise), strict=True):
        np.testing.assert_array_equal(own, other)
    kept = log_probabilities(model, data.processor, samples, WRITTEN, data.pictures["test"](samples))
    assert abs(kept[0] - left_out[0]).max() > 1e-4


def test_changes_are_what_they_are_called(cache, tmp_path):
    model, data, samples = shaken("dm", cache, tmp_path)
    see = data.pictures["test"]
    ways = changed_pictures(model, samples, see)
    own, other, grey = (way(samples)["seen_patches"] for way in (see, ways["swapped"], ways["blank"]))
    assert sorted(x.sum().item() for x in own) == sorted(x.sum().item() for x in other)
    assert all(not torch.equal(a, b) for a, b in zip(own, other, strict=True))
    pixels = model.see(torch.zeros(1, 1, 3, 64, 64))[0][0]
    assert all(torch.equal(one, pixels.to(grey.dtype)) for one in grey)
    projector, _, _ = shaken("projector", cache, tmp_path)
    assert set(changed_pictures(projector, samples, see)) == {"swapped", "blank"}
    blind, _, _ = shaken("no_image", cache, tmp_path)
    assert changed_pictures(blind, samples, see) == {}


def test_a_control_is_shown_neither_its_own_picture_nor_the_one_it_has(cache, tmp_path):
    """Samples of the control have the pictures of others; turned as far once more, they would have their own."""
    config = variant(tiny(), "swapped")
    own, used = (load_texts(each)[0].splits["test"] for each in (replace(config, swapped=False), config))
    model, _, _ = shaken("dm", cache, tmp_path)
    way = changed_pictures(model, used, lambda batch: [sample.images[0].key for sample in batch], config.swapped)
    for first, second, third in zip(own, used, way["swapped"](used), strict=True):
        assert len({first.images[0].key, second.images[0].key, third}) == 3


def test_a_run_says_whether_its_pictures_are_those_of_others(cache, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("step4_vision_language.run.changed_pictures", lambda *given: said.append(given[3]) or {})
    for name in ("dm", "swapped"):
        run(variant(replace(tiny(), train=replace(tiny().train, epochs=1)), name), runtime(cache, tmp_path))
    assert said == [False, True]


def test_generation_without_the_picture_does_not_see_it(cache, tmp_path):
    model, data, samples = shaken("dm", cache, tmp_path)
    see, decode = data.pictures["test"], replace(tiny().decode, beams=3)
    way = changed_pictures(model, samples, see)["left_out"]

    def other(batch):
        return {n: v.flip(0) if n != "seen_begin" else v for n, v in way(batch).items()}

    assert write_ids(model, data.processor, samples, way, decode) == write_ids(
        model, data.processor, samples, other, decode
    )


def test_rows_are_words(cache, tmp_path):
    model, data, samples = shaken("dm_token", cache, tmp_path)
    processor, see = data.processor, data.pictures["test"]
    written = [processor.tokenizer(text)["input_ids"] for text in (" a red circle", "", " two stars.")]
    ways = changed_pictures(model, samples, see)
    rows = pd.DataFrame(word_evidence(model, processor, samples, written, see, ways, batch_size=2))
    assert (
        rows["word"].tolist() == ["a", "red", "circle", "two", "stars."]
        and rows["sample"].tolist() == [0] * 3 + [2] * 2
    )
    assert rows["word_class"].tolist() == ["function", "colour", "shape", "number", "shape"]
    shares = rows[[name for name in rows if name.startswith("contribution_")]]
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=2e-3)  # half precision
    nats = log_probabilities(model, processor, samples, written, see(samples))
    np.testing.assert_allclose(rows.groupby("sample")["logp"].sum(), [nats[0].sum(), nats[2].sum()], rtol=2e-3)


def test_words_and_their_classes():
    assert list(words([" a", " tri", "angle", ".", " x"])) == [
        ("a", slice(0, 1)), ("triangle.", slice(1, 4)), ("x", slice(4, 5)),
    ]  # fmt: skip
    assert list(words([])) == []
    known = {"Red": "colour", "squares,": "shape", "3": "number", "two": "number", ".": "function", "the": "function",
             "left": "place", "large": "size", "dog": "other"}  # fmt: skip
    assert {word: visual_class(word) for word in known} == known and set(known.values()) == set(VISUAL_CLASSES)


def test_answers_are_also_given_with_changed_pictures(cache, tmp_path):
    data = VisionDataConfig(scene_sizes=(48, 16, 24), scene_task="question")
    folder = run(tiny(data=data, train=replace(tiny().train, epochs=1)), runtime(cache, tmp_path))
    final = json.loads((folder / "final.json").read_text())
    frame = pd.read_parquet(folder / "texts.parquet")
    for change in ("left_out", "swapped", "blank"):
        assert frame[f"accuracy_{change}"].mean() == pytest.approx(final[f"test_accuracy_{change}"], abs=1e-6)
    rows = pd.read_parquet(folder / "evidence.parquet")
    assert set(rows["sample"]) <= set(range(24)) and (rows["logp"] <= 0).all()
