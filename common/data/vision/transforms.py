"""Pictures as tensors, and augmentations that leave the text true."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageEnhance

from common.data.vision.sample import Sample

RESIZES = ("squash", "crop", "pad")
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of the ImageNet encoders of torchvision and most of timm."""

_COLOUR_WORDS = (
    "red green blue yellow purple violet pink orange brown black white grey gray silver gold golden tan beige maroon "
    "teal turquoise cyan magenta navy cream khaki blond blonde brunette reddish bluish greenish yellowish dark darker "
    "light lighter bright pale pastel colour color colours colors coloured colored colourful colorful multicolored "
    "multicoloured shade tint hue"
)
_SIDE_WORDS = "left right leftmost rightmost leftward rightward leftwards rightwards lefthand righthand lefty " \
    "west east western eastern clockwise counterclockwise anticlockwise"  # fmt: skip
_WRITING_WORDS = (
    "word words letter letters text digit digits number numbers sign signs say says saying read reads reading spell "
    "spells write writes written writing print printed logo label labels brand name named license plate clock time "
    "watch title caption jersey banner poster page alphabet numeral numbered"
)


@dataclass(frozen=True)
class Preprocess:
    """A picture of any size as the input of a vision encoder.

    Args:
        size: height and width of the result, in pixels; encoders take 64 to 448.
        mean, std: of every channel, red, green and blue, on the scale 0 to 1.
        resize: "squash" changes the aspect ratio, "crop" keeps the central square, "pad" keeps everything and fills up
            with the mean.
        interpolation: nearest, bilinear, bicubic or lanczos; shrinking is antialiased by all but nearest.
    """

    size: int = 224
    mean: tuple[float, float, float] = IMAGENET[0]
    std: tuple[float, float, float] = IMAGENET[1]
    resize: str = "squash"
    interpolation: str = "bicubic"

    def __post_init__(self) -> None:
        if not 8 <= self.size <= 1024:
            raise ValueError(f"size must be 8 to 1024 pixels, got {self.size}")
        if self.resize not in RESIZES:
            raise ValueError(f"resize must be one of {', '.join(RESIZES)}, got {self.resize!r}")
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {self.interpolation!r}")
        if min(self.std) <= 0:
            raise ValueError(f"std must be positive, got {self.std}")

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """The RGB picture, normalised: float32 ``[3, size, size]``."""
        pixels = torch.from_numpy(np.array(self.resized(image.convert("RGB")), dtype=np.float32))  # [H, W, 3]
        return ((pixels / 255 - torch.tensor(self.mean)) / torch.tensor(self.std)).permute(2, 0, 1).contiguous()

    def resized(self, image: Image.Image) -> Image.Image:
        """The RGB picture at the final size, before normalisation."""
        width, height = image.size
        target, method = (self.size, self.size), INTERPOLATIONS[self.interpolation]
        if self.resize == "squash":
            return image.resize(target, method)
        if self.resize == "crop":
            side = min(width, height)
            left, top = (width - side) / 2, (height - side) / 2
            return image.resize(target, method, box=(left, top, left + side, top + side))
        scale = self.size / max(width, height)
        inner = image.resize((max(1, round(width * scale)), max(1, round(height * scale))), method)
        red, green, blue = (round(255 * channel) for channel in self.mean)
        canvas = Image.new("RGB", target, (red, green, blue))
        canvas.paste(inner, ((self.size - inner.width) // 2, (self.size - inner.height) // 2))
        return canvas


@dataclass(frozen=True)
class Augment:
    """Random changes of a training picture that leave its text true: a large crop, and, where the text allows them,
    jitter of brightness, contrast and saturation, and a mirror image.

    Args:
        scale: smallest and largest share of the area that a crop keeps. Below about 0.6 a crop loses things that the
            text names or counts.
        ratio: smallest and largest factor on the aspect ratio.
        jitter: largest relative change of brightness, contrast and saturation; 0 = none.
        flip: probability of a mirror image.
        seed: every result depends only on (seed, epoch, index, text, picture).
    """

    scale: tuple[float, float] = (0.8, 1.0)
    ratio: tuple[float, float] = (0.9, 1.1)
    jitter: float = 0.2
    flip: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.scale[0] <= self.scale[1] <= 1 or not 0 < self.ratio[0] <= self.ratio[1]:
            raise ValueError(
                f"scale must rise within (0, 1] and ratio must be positive, got {self.scale}, {self.ratio}"
            )
        if not 0 <= self.jitter < 1 or not 0 <= self.flip <= 1:
            raise ValueError(f"jitter must be in [0, 1) and flip in [0, 1], got {self.jitter}, {self.flip}")

    def __call__(self, image: Image.Image, text: str | Sequence[str], epoch: int, index: int) -> Image.Image:
        """The changed picture.

        Args:
            image: RGB.
            text: everything that is said about the picture, answers included (see :func:`text_of`).
            epoch, index: number of the epoch and of the sample.
        """
        text = text if isinstance(text, str) else "\n".join(text)
        random = np.random.default_rng((self.seed, epoch, index))
        # All numbers are drawn at once: a word in the text must not change the crop.
        area, aspect, x, y, mirror, *changes = random.random(8).tolist()
        image = self._cropped(image, area, aspect, x, y)
        if mirror < self.flip and flip_allowed(text):
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self.jitter and jitter_allowed(text):
            kinds = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
            for kind, change in zip(kinds, changes, strict=True):
                image = kind(image).enhance(1 + self.jitter * (2 * change - 1))
        return image

    def _cropped(self, image: Image.Image, area: float, aspect: float, x: float, y: float) -> Image.Image:
        width, height = image.size
        share = self.scale[0] + area * (self.scale[1] - self.scale[0])
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        factor = math.exp(low + aspect * (high - low))
        across = max(1, min(width, round(width * math.sqrt(share * factor))))
        down = max(1, min(height, round(height * math.sqrt(share / factor))))
        left, top = round(x * (width - across)), round(y * (height - down))
        return image.crop((left, top, left + across, top + down))


def text_of(sample: Sample) -> str:
    """Everything a sample says about its pictures, answers included."""
    said = (text for _, text in sample.turns)
    return "\n".join((*sample.captions, sample.question, *sample.answers, *said))


def flip_allowed(text: str) -> bool:
    """Whether a mirror image fits the text: it names no side and nothing written, and holds no digit or quotation."""
    written = re.search(r"\d|[\"“”]|\b(?![AIO]\b)[A-Z]\b", text)  # a letter by itself, other than these words
    return not (written or _mentions(text, f"{_SIDE_WORDS} {_WRITING_WORDS}"))


def jitter_allowed(text: str) -> bool:
    """Whether a change of colours fits the text: it names no colour."""
    return not _mentions(text, _COLOUR_WORDS)


def _mentions(text: str, words: str) -> bool:
    return not set(words.split()).isdisjoint(re.findall(r"[a-z]+", text.lower()))
