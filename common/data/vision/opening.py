"""Pictures as RGB, whatever their encoding; a bad one is one :class:`ImageError` that names it and says why."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from common.data.vision.sample import ImageError, ImageSource, Sample

MAX_PIXELS = 64_000_000
_ORIENTATION = 0x0112
"""EXIF tag: how the camera was held, 1 to 8."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class BadImage(NamedTuple):
    """A picture that failed, and why."""

    source: ImageSource
    reason: str


def open_image(source: ImageSource, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The picture in RGB with 8 bits a channel, turned upright by its EXIF orientation.

    Of an animation it is the first frame; transparency is laid on white; 16-bit grey is scaled to 8 bits.

    Raises:
        ImageError: missing, empty, not an image, damaged or cut short, larger than `max_pixels` (which is found before
            anything is decoded), or of a kind without a known conversion (floating-point grey, such as depth maps).
    """
    content = source.read()
    image = _opened(source, io.BytesIO(content), len(content), max_pixels)
    try:
        image.load()
        turn = _TURNS.get(_orientation(image))
        image = _rgb(image)
        return image if turn is None else image.transpose(turn)
    except Exception as error:  # decoders raise a dozen types on damaged data
        raise ImageError(f"{source.name}: damaged or cut short ({_first_line(error)})") from error


def check_header(source: ImageSource, max_pixels: int = MAX_PIXELS) -> None:
    """Whether the picture is there, of a known format and not too large, without decoding it.

    Raises:
        ImageError: as :func:`open_image`, except that damage behind the header goes unnoticed.
    """
    with source.open() as file:
        _opened(source, file, source.size(), max_pixels)


def check_images(
    samples: Iterable[Sample],
    skip: bool,
    depth: str = "header",
    max_pixels: int = MAX_PIXELS,
    workers: int = 0,
) -> tuple[list[Sample], list[BadImage]]:
    """Check the pictures of all samples, each picture once, in threads.

    Args:
        skip: leave out samples with a bad picture, rather than raise.
        depth: what is looked at: "exists" whether the file is there, "header" its beginning, "pixels" all of it.
        max_pixels: largest width x height.
        workers: threads; 0 = one per core, at most 16.

    Returns:
        (samples whose pictures are all good, bad pictures in order of appearance).

    Raises:
        DataError: without `skip`, for bad pictures; it counts them and names the first five.
    """
    samples = list(samples)

    def reason(source: ImageSource) -> str:
        try:
            if depth == "pixels":
                open_image(source, max_pixels)
            elif depth == "header":
                check_header(source, max_pixels)
            elif source.size() < 0:
                raise ImageError(f"{source.name}: there is no such file")
        except ImageError as error:
            return str(error)
        return ""

    pictures = {image.key: image for sample in samples for image in sample.images if not image.generated}
    with ThreadPoolExecutor(workers or min(16, os.cpu_count() or 1)) as pool:
        reasons = dict(zip(pictures, pool.map(reason, pictures.values()), strict=True))
    bad = [BadImage(pictures[key], text) for key, text in reasons.items() if text]
    if bad and not skip:
        listed = "\n  ".join(item.reason for item in bad[:5])
        raise ImageError(
            f"{len(bad)} of {len(pictures)} pictures cannot be used:\n  {listed}\n"
            "Repair or remove them, or leave out their samples with skip_bad=True"
        )
    return [s for s in samples if not any(reasons.get(image.key) for image in s.images)], bad


def _opened(source: ImageSource, file: BinaryIO, size: int, max_pixels: int) -> Image.Image:
    if size == 0:
        raise ImageError(f"{source.name}: the file is empty")
    try:
        image = Image.open(file)
    except Image.UnidentifiedImageError as error:
        raise ImageError(f"{source.name}: not an image of a known format") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{source.name}: too many pixels ({_first_line(error)})") from error
    except Exception as error:  # damaged headers raise a dozen types
        raise ImageError(f"{source.name}: damaged ({_first_line(error)})") from error
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(f"{source.name}: {width} x {height} is more than the {max_pixels:,} pixels allowed")
    if image.mode == "F":
        raise ImageError(f"{source.name}: floating-point grey has no known white; save it with 8 or 16 bits")
    return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _eight_bit(image).convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        # A palette or a key colour may be transparent too; only RGBA holds them all.
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    # convert("L") would clip everything above 255 to white.
    levels = np.asarray(image).astype(np.int64)
    if levels.min() < 0 or levels.max() > 65535:
        raise ValueError(f"grey levels from {levels.min()} to {levels.max()} are not of 16 bits")
    return Image.fromarray(np.round(levels / 257).astype(np.uint8))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block says nothing about the pixels
        return 1


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n")[0]
