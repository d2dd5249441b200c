"""Kept features are those of the encoder and the pictures that are asked for."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image

from common.data.vision.source import ImageSource
from common.vision.config import VisionConfig
from common.vision.encoder import VisionEncoder, build_encoder
from common.vision.features import feature_store


def encoder_of(same_padding: bool) -> VisionEncoder:
    torch.manual_seed(0)
    return build_encoder(VisionConfig("timm/mobilenetv2_100", image_size=64, same_padding=same_padding))


def picture(shade: int) -> ImageSource:
    file = io.BytesIO()
    Image.linear_gradient("L").point(lambda level: (level + shade) % 256).save(file, "PNG")
    return ImageSource(data=file.getvalue(), label=f"picture {shade}")


def test_encoders_that_pad_otherwise_have_features_of_their_own(tmp_path):
    pictures, cpu = [picture(0), picture(90)], torch.device("cpu")
    found = {}
    for same_padding in (False, True):
        kept = feature_store(encoder_of(same_padding), pictures, tmp_path / "shared", cpu, progress=False)
        alone = feature_store(encoder_of(same_padding), pictures, tmp_path / str(same_padding), cpu, progress=False)
        found[same_padding] = kept.read(pictures)[0]
        torch.testing.assert_close(found[same_padding], alone.read(pictures)[0])
    assert not torch.allclose(found[False], found[True])


@pytest.mark.parametrize("difference", [{"hidden_act": "relu"}, {"num_attention_heads": 2}])
def test_clips_of_equal_weights_and_other_architecture_have_features_of_their_own(tmp_path, difference):
    pictures, cpu = [picture(0), picture(90)], torch.device("cpu")
    torch.manual_seed(0)
    one = build_encoder(VisionConfig(image_size=64))
    other = build_encoder(VisionConfig(image_size=64), load=False, architecture=one.architecture() | difference)
    other.load_state_dict(one.state_dict())
    first, second = (feature_store(e, pictures, tmp_path, cpu, progress=False).read(pictures) for e in (one, other))
    assert not torch.allclose(first[0], second[0]) and not torch.allclose(first[1], second[1])
    again = feature_store(one, pictures, tmp_path, cpu, progress=False)
    assert len(list(tmp_path.glob("features-*/done"))) == 2
    torch.testing.assert_close(again.read(pictures), first)
