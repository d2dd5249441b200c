"""Five differently worded captions of a scene, all true: counts, colours, shapes, places and relations."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from common.data.vision.scene_drawing import SHAPES, Scene, Thing

NUMBERS = ("zero", "one", "two", "three", "four")
_LINES = {2: ("top", "bottom"), 3: ("top", "middle", "bottom")}
_COLUMNS = {2: ("left", "right"), 3: ("left", "centre", "right")}


def captions_of(scene: Scene, rng: random.Random) -> tuple[str, ...]:
    """Five captions in a fixed order of kinds: inventory, places, relation, colours, shapes.

    The wording and the order of the things within a caption are drawn from `rng`.
    """
    things = list(scene.things)
    rng.shuffle(things)
    return (
        _inventory(things, rng),
        _places(scene.grid, things, rng),
        _relation(scene, things, rng),
        _colours(things, rng),
        _shapes(things, rng),
    )


def counted(number: int, noun: str) -> str:
    """ "one circle", "two circles"."""
    return f"{NUMBERS[number]} {noun}{'' if number == 1 else 's'}"


def place_of(thing: Thing, grid: int) -> str:
    """ "top left", "middle centre" and so on."""
    return f"{_LINES[grid][thing.row]} {_COLUMNS[grid][thing.column]}"


def relations_of(first: Thing, second: Thing) -> list[str]:
    """Where `first` is, seen from `second`: those of "left of", "right of", "above" and "below" that hold.

    Columns decide about left and right whatever the rows, and rows about above and below whatever the columns.
    """
    found = []
    if first.column != second.column:
        found.append("left of" if first.column < second.column else "right of")
    if first.row != second.row:
        found.append("above" if first.row < second.row else "below")
    return found


def joined(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


def _full(thing: Thing) -> str:
    return f"a {thing.size} {thing.colour} {thing.shape}"


def _inventory(things: list[Thing], rng: random.Random) -> str:
    listed = joined([_full(thing) for thing in things])
    start = rng.choice(("there is {}", "a picture of {}", "this image shows {}"))
    return start.format(listed)


def _places(grid: int, things: list[Thing], rng: random.Random) -> str:
    if rng.random() < 0.5:
        return joined([f"a {t.colour} {t.shape} at the {place_of(t, grid)}" for t in things])
    return joined([f"the {place_of(t, grid)} holds a {t.colour} {t.shape}" for t in things])


def _relation(scene: Scene, things: list[Thing], rng: random.Random) -> str:
    if len(things) == 1:
        return f"a single {things[0].size} {things[0].shape} in {things[0].colour}, alone at the " + place_of(
            things[0], scene.grid
        )
    first, second = things[:2]  # no two things share a place, so some relation holds
    relation = rng.choice(relations_of(first, second))
    form = rng.choice(("a {} {} is {} a {} {}", "you can see a {} {} {} a {} {}"))
    return form.format(first.colour, first.shape, relation, second.colour, second.shape)


def _colours(things: list[Thing], rng: random.Random) -> str:
    listed = joined([f"{NUMBERS[n]} {colour}" for colour, n in Counter(t.colour for t in things).items()])
    form = rng.choice(("{} in all: {}", "the picture has {}, {}"))
    return form.format(counted(len(things), "shape"), listed)


def _shapes(things: list[Thing], rng: random.Random) -> str:
    counts = Counter(thing.shape for thing in things)
    absent = [shape for shape in SHAPES if shape not in counts]
    text = joined([counted(number, shape) for shape, number in counts.items()])
    return f"{text}, but no {rng.choice(absent)}" if absent else f"{text}, one of every kind"
