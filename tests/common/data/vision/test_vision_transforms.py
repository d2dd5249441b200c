"""Tensors of every size, and augmentations that a text allows."""

import numpy as np
import pytest
import torch
from PIL import Image

from common.data.vision.sample import Sample
from common.data.vision.transforms import Augment, Preprocess, flip_allowed, jitter_allowed, text_of


def halves(width=60, height=20):
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), "red")
    image.paste((0, 0, 255), (width // 2, 0, width, height))
    return image


@pytest.mark.parametrize("size", [64, 224, 448])
@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize("shape", [(60, 20), (3, 500), (1, 1), (448, 448)])
def test_shape_type_and_normalisation(size, resize, shape):
    image = Image.new("RGB", shape, (51, 102, 255))
    pixels = Preprocess(size, (0.5, 0.5, 0.5), (0.25, 0.5, 0.5), resize)(image)
    assert pixels.shape == (3, size, size) and pixels.dtype == torch.float32 and pixels.is_contiguous()
    centre = pixels[:, size // 2, size // 2]
    if resize != "pad" or 10 * min(shape) >= max(shape):  # else a line of one pixel, beside the centre
        assert torch.allclose(centre, torch.tensor([-1.2, -0.2, 1.0]), atol=0.03)


def test_squash_keeps_everything_crop_the_middle_and_pad_the_aspect():
    image = Image.new("RGB", (300, 100), "red")
    image.paste((0, 0, 255), (100, 0, 200, 100))
    plain = dict(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    squash, crop, pad = (Preprocess(90, resize=kind, **plain)(image) for kind in ("squash", "crop", "pad"))
    assert squash[0, 45, 10] > 0.99 and squash[2, 45, 45] > 0.99
    assert (crop[0, :, 2:-2] < 0.01).all() and (crop[2, :, 2:-2] > 0.99).all()
    assert (pad[:, :30] == 0).all() and (pad[:, 60:] == 0).all() and pad[0, 45, 5] > 0.99 and pad[2, 45, 45] > 0.99


def test_padding_is_the_mean():
    pixels = Preprocess(64, resize="pad")(Image.new("RGB", (64, 8)))
    assert pixels[:, 0].abs().max() < 0.01


@pytest.mark.parametrize("wrong", [{"size": 0}, {"resize": "fit"}, {"interpolation": "x"}, {"std": (1.0, 0.0, 1.0)}])
def test_wrong_settings(wrong):
    with pytest.raises(ValueError):
        Preprocess(**wrong)


@pytest.mark.parametrize(
    ("text", "flip", "jitter"),
    [
        ("A dog runs on grass .", True, True),
        ("A brown dog .", True, False),
        ("what COLOUR is the chair", True, False),
        ("the lamp to the left of the bed", False, True),
        ("A boy with the number 5 on his back", False, True),
        ("a man holds up a sign", False, True),
        ("a shirt with the letter R", False, True),
        ('it says "stop"', False, True),
        ("a big T on the wall", False, True),
        ("I see a man bereft of hope, a predator", True, True),
        ("the reddish rightmost cup", False, False),
    ],
)
def test_what_a_text_allows(text, flip, jitter):
    assert (flip_allowed(text), jitter_allowed(text)) == (flip, jitter)


def test_text_of_a_sample_holds_its_answers():
    sample = Sample("1", (), ("caption",), "question", ("left",), turns=(("human", "red"),))
    assert not flip_allowed(text_of(sample)) and not jitter_allowed(text_of(sample))


def test_augmentation_depends_on_seed_epoch_and_index_alone():
    image, augment = halves(), Augment()
    first = np.asarray(augment(image, "a dog", 1, 7))
    assert np.array_equal(first, np.asarray(augment(image, "a dog", 1, 7)))
    others = [augment(image, "a dog", 2, 7), augment(image, "a dog", 1, 8), Augment(seed=1)(image, "a dog", 1, 7)]
    assert all(not np.array_equal(first, np.asarray(other)) for other in others)


def test_augmentation_obeys_the_text():
    image, augment = halves(), Augment(flip=1.0)
    for index in range(20):
        pixels = np.asarray(augment(image, "red on the left", 0, index))
        assert pixels[0, 0].tolist() == [255, 0, 0] and pixels[0, -1].tolist() == [0, 0, 255]
        assert pixels.shape[0] * pixels.shape[1] >= 0.78 * 60 * 20
        mirrored = np.asarray(augment(image, "red and blue", 0, index))
        assert mirrored[0, 0].tolist() == [0, 0, 255] and mirrored.shape == pixels.shape
    changed = [np.asarray(Augment(flip=0.0)(image, "a picture", 0, i))[0, 0].tolist() for i in range(5)]
    assert any(colour != [255, 0, 0] for colour in changed)
