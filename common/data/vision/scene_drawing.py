"""Scenes of one to four coloured shapes on a grid: how they are described, drawn, and dealt to the splits."""

from __future__ import annotations

import hashlib
import io
import math
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image, ImageDraw

from common.data.vision.source import ImageSource

SHAPES = ("circle", "square", "triangle", "star")
COLOURS = {
    "red": (214, 39, 40),
    "green": (44, 160, 44),
    "blue": (31, 90, 200),
    "yellow": (240, 200, 20),
    "purple": (140, 70, 190),
    "black": (30, 30, 30),
}
SIZES = {"small": 0.26, "large": 0.44}
"""Radius of a shape, in cells of the grid."""
MAX_THINGS = 4
JITTER = 2
"""A shape's centre is up to this many steps off the centre of its cell, each way."""
_STEP = 0.03
_SUPERSAMPLING = 3
_BACKGROUND = (236, 236, 232)

Pair = tuple[str, str]
"""(colour, shape)."""


@dataclass(frozen=True)
class Thing:
    """One shape of a scene."""

    shape: str
    colour: str
    size: str
    row: int
    column: int
    shift: tuple[int, int] = (0, 0)
    """Steps of 0.03 cells that the centre is off, right and down; no text depends on it."""

    @property
    def pair(self) -> Pair:
        """(colour, shape)."""
        return self.colour, self.shape


@dataclass(frozen=True)
class Scene:
    """What a picture shows; no two things share a place."""

    grid: int
    """Places per row and per column."""
    things: tuple[Thing, ...]

    def layout(self) -> str:
        """The scene in a line of text, without the shifts and in reading order: what a person would call the same."""
        ordered = sorted(self.things, key=lambda thing: (thing.row, thing.column))
        return f"{self.grid}x{self.grid}: " + ", ".join(
            f"{thing.size} {thing.colour} {thing.shape} at {thing.row},{thing.column}" for thing in ordered
        )

    def draw(self, pixels: int) -> Image.Image:
        """The picture: RGB, `pixels` high and wide."""
        side = pixels * _SUPERSAMPLING
        image = Image.new("RGB", (side, side), _BACKGROUND)
        canvas = ImageDraw.Draw(image)
        cell = side / self.grid
        for thing in self.things:
            x = (thing.column + 0.5 + _STEP * thing.shift[0]) * cell
            y = (thing.row + 0.5 + _STEP * thing.shift[1]) * cell
            radius = SIZES[thing.size] * cell
            if thing.shape == "circle":
                canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=COLOURS[thing.colour])
            else:
                canvas.polygon(_outline(thing.shape, x, y, radius), fill=COLOURS[thing.colour])
        return image.reduce(_SUPERSAMPLING)


@dataclass(frozen=True)
class SceneImage(ImageSource):
    """The picture of a scene, drawn whenever it is read."""

    scene: Scene = Scene(1, ())
    pixels: int = 64

    generated: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """See :class:`ImageSource`."""
        return f"scene {self.scene.layout()}"

    def identity(self) -> str:
        """Everything the drawing depends on."""
        return f"{self.pixels}: {self.scene}"

    def size(self) -> int:
        """See :class:`ImageSource`; the picture is drawn for it."""
        return len(self.read())

    def open(self) -> io.BytesIO:
        """See :class:`ImageSource`."""
        return io.BytesIO(self.read())

    def read(self) -> bytes:
        """The picture as PNG."""
        file = io.BytesIO()
        self.scene.draw(self.pixels).save(file, "PNG", compress_level=1)
        return file.getvalue()


@dataclass(frozen=True)
class Wanted:
    """A thing that a scene must have; an empty word leaves the choice open."""

    shape: str = ""
    colour: str = ""
    size: str = ""


def draw_scene(
    rng: random.Random,
    grid: int,
    pairs: Sequence[Pair],
    count: int,
    wanted: Sequence[Wanted] = (),
    allowed: Callable[[Thing], bool] = lambda thing: True,
) -> Scene | None:
    """A random scene of `count` things: one for each of `wanted`, and others that are `allowed`; in random places.

    Args:
        pairs: (colour, shape) pairs that may occur.

    Returns:
        None where the things that are not wanted were never allowed.
    """
    places = rng.sample([(row, column) for row in range(grid) for column in range(grid)], count)
    things = []
    for index, (row, column) in enumerate(places):
        wish = wanted[index] if index < len(wanted) else Wanted()
        fitting = [p for p in pairs if wish.colour in ("", p[0]) and wish.shape in ("", p[1])]
        for _ in range(20):
            colour, shape = rng.choice(fitting)
            size = wish.size or rng.choice(tuple(SIZES))
            shift = (rng.randint(-JITTER, JITTER), rng.randint(-JITTER, JITTER))
            thing = Thing(shape, colour, size, row, column, shift)
            if index < len(wanted) or allowed(thing):
                things.append(thing)
                break
        else:
            return None
    return Scene(grid, tuple(things))


def split_of(scene: Scene, seed: int, held_out: Collection[Pair]) -> str:
    """The one split in which the scene may stand: 70 % train, 10 % validation and 20 % test, by a hash of its layout.

    Scenes that differ only by shifts are in the same split. A scene with a held-out pair is in test.
    """
    if any(thing.pair in held_out for thing in scene.things):
        return "test"
    share = hashlib.sha256(f"{seed} {scene.layout()}".encode()).digest()[0] / 256
    return "train" if share < 0.7 else "validation" if share < 0.8 else "test"


def _outline(shape: str, x: float, y: float, radius: float) -> list[tuple[float, float]]:
    if shape == "square":
        half = radius * 0.88
        return [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]
    corners, inner = (3, 1.0) if shape == "triangle" else (5, 0.42)
    steps = corners if shape == "triangle" else 2 * corners
    # The first corner points up.
    return [
        (
            x + radius * (inner if k % 2 and shape == "star" else 1.0) * math.sin(2 * math.pi * k / steps),
            y - radius * (inner if k % 2 and shape == "star" else 1.0) * math.cos(2 * math.pi * k / steps),
        )
        for k in range(steps)
    ]
