"""Every kind of picture is read as upright RGB, or refused with one error that names it."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from common.data import DataError
from common.data.vision.opening import check_header, check_images, open_image
from common.data.vision.sample import ImageError, ImageSource, Sample


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(content, **options):
    image = open_image(ImageSource(data=content, label="some.img"), **options)
    assert image.mode == "RGB"
    return np.asarray(image)


def noise(height=48, width=64):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


JPEG = encoded(noise(), "JPEG")
PNG = encoded(noise(), "PNG")


def bomb(width, height):
    """A PNG of a few bytes that claims a size."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


BAD = {
    "empty": (b"", "empty"),
    "text": (b"<html>404 not found</html>", "not an image"),
    "cut jpeg": (JPEG[: len(JPEG) // 2], "cut short"),
    "cut png": (PNG[: len(PNG) // 2], "cut short"),
    "flipped bytes": (PNG[:60] + bytes(255 - b for b in PNG[60:120]) + PNG[120:], "damaged"),
    "cut header": (PNG[:20], "damaged|not an image"),
    "large": (bomb(9000, 9000), "9000 x 9000 is more than the 64,000,000 pixels allowed"),
    "bomb": (bomb(60000, 60000), "some.img: too many pixels|pixels allowed"),
    "depth map": (encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"), "floating-point"),
    "33 bits": (encoded(Image.fromarray(np.full((4, 4), 70000, np.int32)), "TIFF"), "not of 16 bits"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", BAD)
def test_bad_pictures_are_one_error_that_names_the_file(kind):
    content, reason = BAD[kind]
    with pytest.raises(ImageError, match=reason) as caught:
        opened(content)
    assert str(caught.value).count("some.img") == 1 and isinstance(caught.value, DataError)


@pytest.mark.parametrize(("name", "reason"), [("none.jpg", "no such file"), ("folder", "a folder")])
def test_missing_file_and_folder(tmp_path, name, reason):
    (tmp_path / "folder").mkdir()
    source = ImageSource(str(tmp_path / name))
    for use in (open_image, check_header):
        with pytest.raises(ImageError, match=f"{name}.*{reason}"):
            use(source)


def test_own_pixel_limit():
    with pytest.raises(ImageError, match="64 x 48 is more than the 3,071 pixels"):
        opened(PNG, max_pixels=3071)
    assert opened(PNG, max_pixels=3072).shape == (48, 64, 3)


def test_grey_cmyk_and_bilevel():
    grey = Image.new("L", (4, 4), 100)
    assert (opened(encoded(grey, "PNG")) == 100).all()
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # no cyan, all magenta and yellow: red
    red = opened(encoded(cmyk, "JPEG", quality=100))[4, 4]
    assert red[0] > 240 and red[1] < 30 and red[2] < 30
    assert set(opened(encoded(Image.new("1", (4, 4), 1), "PNG")).ravel()) == {255}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_grey_is_scaled_not_clipped(kind):
    levels = np.array([[0, 257, 25700, 65535]], np.uint16)
    assert opened(encoded(Image.fromarray(levels), kind))[0, :, 0].tolist() == [0, 1, 100, 255]


def test_transparency_is_laid_on_white():
    clear = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    clear.putpixel((1, 0), (255, 0, 0, 255))
    expected = [[[255, 255, 255], [255, 0, 0]]]
    assert opened(encoded(clear, "PNG")).tolist() == expected
    assert opened(encoded(clear, "WEBP", lossless=True)).tolist() == expected
    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.putpixel((1, 0), 1)
    assert opened(encoded(palette, "PNG", transparency=0)).tolist() == expected
    assert opened(encoded(palette, "GIF", transparency=0)).tolist() == expected
    keyed = Image.new("RGB", (2, 1), (0, 0, 0))
    keyed.putpixel((1, 0), (255, 0, 0))
    assert opened(encoded(keyed, "PNG", transparency=(0, 0, 0))).tolist() == expected
    assert opened(encoded(Image.new("LA", (1, 1), (0, 128)), "PNG"))[0, 0].tolist() == [127, 127, 127]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation):
    image = noise(8, 16)
    turns = [None, 0, 3, 1, 5, 4, 6, 2]  # Image.Transpose that a viewer applies for orientation 1 to 8
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = image if turns[orientation - 1] is None else image.transpose(Image.Transpose(turns[orientation - 1]))
    assert np.array_equal(opened(encoded(image, "PNG", exif=exif)), np.asarray(expected))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_matter():
    assert opened(encoded(noise(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")).shape == (48, 64, 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    pixel = opened(content)[0, 0]
    assert pixel[0] > 240 and pixel[2] < 20


def test_check_counts_each_bad_picture_once_and_names_it(tmp_path):
    (tmp_path / "good.png").write_bytes(PNG)
    (tmp_path / "cut.jpg").write_bytes(JPEG[:-300])
    (tmp_path / "empty.jpg").write_bytes(b"")
    names = ["good.png", "cut.jpg", "empty.jpg", "empty.jpg", "none.jpg"]
    samples = [Sample(str(i), (ImageSource(str(tmp_path / name)),)) for i, name in enumerate(names)]
    with pytest.raises(ImageError, match="2 of 4 pictures cannot be used:\n.*empty.jpg.*\n.*none.jpg.*\n.*skip_bad"):
        check_images(samples, skip=False)
    kept, bad = check_images(samples, skip=True)
    assert [s.id for s in kept] == ["0", "1"] and len(bad) == 2
    kept, bad = check_images(samples, skip=True, depth="pixels")
    assert [s.id for s in kept] == ["0"] and "cut.jpg: damaged or cut short" in bad[0].reason
    kept, bad = check_images(samples, skip=True, depth="exists")
    assert [s.id for s in kept] == ["0", "1", "2", "3"] and [b.source.path for b in bad] == [str(tmp_path / "none.jpg")]
