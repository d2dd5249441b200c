"""Encoders of timm, open_clip and transformers with random weights: tokens in raster order, widths as they say."""

from __future__ import annotations

import json

import open_clip
import pytest
import torch

from common.vision.config import VisionConfig
from common.vision.encoder import VisionEncoder, as_tokens, build_encoder

SWIN, VIT, MOBILENET = "timm/swin_tiny_patch4_window7_224", "timm/vit_tiny_patch16_224", "timm/mobilenetv2_100"
CLIP = "open_clip/tiny-of-the-tests"
GRIDS = {SWIN: (96, 3), VIT: (64, 4), MOBILENET: (96, 3), CLIP: (64, 4), "tiny": (64, 8)}
"""Encoder -> pixels a side, patch tokens a side."""


@pytest.fixture(autouse=True, scope="module")
def small_clip(tmp_path_factory):
    """ViT-B-32 of open_clip in small."""
    path = tmp_path_factory.mktemp("clip") / f"{CLIP.partition('/')[2]}.json"
    vision = {"image_size": 32, "layers": 3, "width": 32, "head_width": 16, "patch_size": 16}
    text = {"context_length": 8, "vocab_size": 50, "width": 16, "heads": 2, "layers": 1}
    path.write_text(json.dumps({"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}))
    open_clip.add_model_config(path)


def encoder_of(name: str, depths: int = 1) -> VisionEncoder:
    torch.manual_seed(0)
    return build_encoder(VisionConfig(name=name, image_size=GRIDS[name][0], depths=depths)).eval()


def pixels_of(name: str) -> torch.Tensor:
    size = GRIDS[name][0]
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("depths", [1, 2, 3])
@pytest.mark.parametrize("name", GRIDS)
@torch.no_grad()
def test_widths_and_tokens_are_as_stated(name, depths):
    encoder, (size, side) = encoder_of(name, depths), GRIDS[name]
    patches, pooled = encoder(pixels_of(name))
    assert patches.shape == (2, side * side, encoder.patch_width) and encoder.patches_of(size) == side * side
    assert pooled.shape == (2, encoder.pooled_width)
    assert patches.isfinite().all() and not torch.allclose(patches[0], patches[1])
    # The last layer stands last, and is the same however many are handed out.
    alone, pooled_alone = encoder_of(name)(pixels_of(name))
    torch.testing.assert_close(patches[..., -alone.shape[-1] :], alone)
    torch.testing.assert_close(pooled, pooled_alone)


@pytest.mark.parametrize("name", [SWIN, MOBILENET])
@torch.no_grad()
def test_a_feature_map_becomes_tokens_row_by_row(name):
    """Channels first (MobileNet) or last (Swin); what the classifier would read is their mean."""
    encoder, side = encoder_of(name), GRIDS[name][1]
    last = encoder.model.forward_features(pixels_of(name))
    patches, pooled = encoder(pixels_of(name))
    for row in range(side):
        for column in range(side):
            token = last[:, row, column] if name == SWIN else last[:, :, row, column]
            torch.testing.assert_close(patches[:, row * side + column], token)
    torch.testing.assert_close(patches.mean(1), pooled)


@pytest.mark.parametrize("name", [SWIN, VIT])
@torch.no_grad()
def test_earlier_layers_stand_first_on_the_last_grid(name):
    encoder = encoder_of(name, depths=2)
    maps = encoder.model.forward_intermediates(pixels_of(name), indices=2, intermediates_only=True)
    earlier, last = as_tokens(maps)
    patches = encoder(pixels_of(name)).patches
    torch.testing.assert_close(patches[..., : earlier.shape[-1]], earlier)
    assert encoder.patch_width == earlier.shape[-1] + last.shape[-1]
    assert name != SWIN or (earlier.shape[-1], maps[0].shape[-1]) == (384, 2 * maps[1].shape[-1])


@torch.no_grad()
def test_the_class_token_of_a_vit_is_no_patch():
    """Nor is that of a model with two, or anything of a model that has none."""
    encoder = encoder_of(VIT)
    whole = encoder.model.forward_features(pixels_of(VIT))
    patches, pooled = encoder(pixels_of(VIT))
    torch.testing.assert_close(patches, whole[:, 1:])
    torch.testing.assert_close(pooled, whole[:, 0])
    for name, side in (("timm/deit_tiny_distilled_patch16_224", 4), ("timm/mixer_s32_224", 2)):
        assert build_encoder(VisionConfig(name=name, image_size=64)).patches_of(64) == side * side


@torch.no_grad()
def test_open_clip_hands_out_the_embedding_it_compares():
    encoder = encoder_of(CLIP, depths=2)
    patches, pooled = encoder(pixels_of(CLIP))
    torch.testing.assert_close(pooled, encoder.visual(pixels_of(CLIP)))
    assert pooled.shape[-1] == 24 and patches.shape[-1] == 2 * 32
    layers = encoder.visual.forward_intermediates(pixels_of(CLIP), indices=[1, 2], output_fmt="NLC")
    torch.testing.assert_close(patches, torch.cat(layers["image_intermediates"], dim=-1))


def test_a_layout_that_is_not_known_is_refused():
    encoder = encoder_of(MOBILENET)
    encoder.model.output_fmt = "NHWC"  # which it is not
    with pytest.raises(ValueError, match="take another model"):
        encoder(pixels_of(MOBILENET))
