"""Features of frozen encoders that are kept on disk."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from common.data.vision import VisionDataConfig
from common.vision.config import VisionConfig
from common.vision.encoder import build_encoder
from common.vision.features import feature_store, preprocess_of
from step4_vision_language.build import build_model
from step4_vision_language.data import build_data, load_texts
from tests.step4_vision_language.conftest import runtime, tiny


def built(config, cache, tmp_path):
    corpus, tokenizer = load_texts(config)
    torch.manual_seed(0)
    model = build_model(config, tokenizer)
    return model, build_data(config, runtime(cache, tmp_path), corpus, tokenizer, model)


def test_kept_features_are_those_of_the_encoder(cache, tmp_path):
    config = tiny()
    model, data = built(config, cache, tmp_path)
    samples = data.corpus.splits["test"][:4]
    kept = data.pictures["test"](samples)
    from common.data.vision.opening import open_image

    prepare = preprocess_of(model.vision)
    with torch.no_grad():
        fresh = model.vision.eval()(torch.stack([prepare(open_image(s.images[0])) for s in samples]))
    torch.testing.assert_close(kept["seen_patches"][:, 0], fresh.patches, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(kept["seen_pooled"][:, 0], fresh.pooled, atol=2e-3, rtol=2e-3)


def test_a_killed_build_of_features_goes_on(tmp_path, monkeypatch):
    """The pictures done before the kill are not encoded again, and the result is that of a whole build."""
    from common.data.vision import load_vision
    from common.vision import features

    monkeypatch.setattr(features, "BATCH", 2)
    torch.manual_seed(0)
    encoder = build_encoder(VisionConfig(image_size=64))
    sources = [s.images[0] for s in load_vision(VisionDataConfig(scene_sizes=(60, 16, 16))).splits["train"]]
    whole = feature_store(encoder, sources, tmp_path / "whole", torch.device("cpu"), progress=False)
    opened, original = [], features.open_image

    def dies(source, max_pixels):
        opened.append(source.key)
        if len(opened) == 50:
            raise KeyboardInterrupt
        return original(source, max_pixels)

    monkeypatch.setattr(features, "open_image", dies)
    with pytest.raises(KeyboardInterrupt):
        feature_store(encoder, sources, tmp_path / "killed", torch.device("cpu"), progress=False)
    first = len(opened)
    monkeypatch.setattr(features, "open_image", lambda source, _: (opened.append(source.key), original(source))[1])
    again = feature_store(encoder, sources, tmp_path / "killed", torch.device("cpu"), progress=False)
    assert len(opened) - first == len(again.rows) - 32
    np.testing.assert_array_equal(again.patches, whole.patches)
