"""Questions about scenes whose answer needs the picture, the words, or both.

Every question has a fixed set of possible answers, and answers are dealt out evenly before a scene is drawn to fit:
a reader of the question alone is right by chance only, except where the words hold the whole answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.data.vision.scene_captions import NUMBERS, counted, relations_of
from common.data.vision.scene_drawing import COLOURS, MAX_THINGS, SHAPES, SIZES, Pair, Scene, Thing, Wanted

CORNERS = {"circle": "zero", "triangle": "three", "square": "four"}
MEANINGS: tuple[str, ...] = ("stop", "go", "wait", "turn", "run", "sit")
PEOPLE = ("anna", "ben", "clara", "david", "emma", "felix")
OBJECTS = ("ball", "bag", "cup", "hat", "car", "book", "door", "shoe")
RELATIONS = ("left of", "right of", "above", "below")


@dataclass(frozen=True)
class Puzzle:
    """A question with its possible answers, and what a scene must show for each of them."""

    kind: str
    needs: str
    """"image", "text" or "both"."""
    question: str
    answers: tuple[str, ...]
    """Possible answers, all equally frequent, given the question."""
    wanted: Callable[[str, random.Random], Sequence[Wanted]] = lambda answer, rng: ()
    """(answer) -> things that the scene must have, drawn first."""
    allowed: Callable[[str, Thing], bool] = lambda answer, thing: True
    """(answer, thing) -> whether the scene may have this thing besides."""
    holds: Callable[[str, Scene], bool] = lambda answer, scene: True
    """(answer, scene) -> whether the answer is right, where the things alone do not decide it."""
    counts: tuple[int, ...] = (1, 2, 3, 4)
    """Numbers of things to choose from, the same for every answer, so that the number does not give it away."""
    count_of: Callable[[str], int] | None = None
    """(answer) -> number of things, where that is the question."""


def colour_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """The colour of the only thing of its shape."""
    shape = rng.choice(SHAPES)
    return Puzzle(
        "colour", "image", f"what colour is the {shape}?", _colours(shape, pairs),
        lambda answer, rng: (Wanted(shape, answer),), lambda answer, thing: thing.shape != shape,
    )  # fmt: skip


def shape_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """The shape of the only thing of its colour."""
    colour = rng.choice(tuple(COLOURS))
    shapes = tuple(shape for shape in SHAPES if (colour, shape) in pairs)
    return Puzzle(
        "shape", "image", f"what shape is {colour}?", shapes,
        lambda answer, rng: (Wanted(answer, colour),), lambda answer, thing: thing.colour != colour,
    )  # fmt: skip


def number_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """How many things there are, or how many of one shape among three or four things."""
    if rng.random() < 0.5:
        total = NUMBERS[1 : MAX_THINGS + 1]
        return Puzzle("number", "image", "how many shapes are there?", total, count_of=NUMBERS.index)
    shape = rng.choice(SHAPES)
    return Puzzle(
        "number", "image", f"how many {shape}s are there?", NUMBERS[:4],
        lambda answer, rng: (Wanted(shape),) * NUMBERS.index(answer), lambda answer, thing: thing.shape != shape,
        counts=(3, 4),
    )  # fmt: skip


def presence_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """Whether a pair is there. Where it is not, its colour and its shape often are, on different things."""
    colour, shape = rng.choice(pairs)

    def wanted(answer: str, rng: random.Random) -> Sequence[Wanted]:
        if answer == "yes":
            return (Wanted(shape, colour),)
        if rng.random() < 0.25:
            return ()
        others = [pair for pair in pairs if (pair[0] == colour) != (pair[1] == shape)]
        same_colour = [pair for pair in others if pair[0] == colour]
        same_shape = [pair for pair in others if pair[1] == shape]
        return tuple(Wanted(s, c) for c, s in (rng.choice(same_colour), rng.choice(same_shape)))

    return Puzzle(
        "presence", "image", f"is there a {colour} {shape}?", ("yes", "no"), wanted,
        lambda answer, thing: answer == "yes" or thing.pair != (colour, shape), counts=(2, 3, 4),
    )  # fmt: skip


def size_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """The size of the only thing of its shape."""
    shape = rng.choice(SHAPES)
    return Puzzle(
        "size", "image", f"is the {shape} small or large?", tuple(SIZES),
        lambda answer, rng: (Wanted(shape, size=answer),), lambda answer, thing: thing.shape != shape,
    )  # fmt: skip


def relation_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """The shape of the only thing on one side of another."""
    colour, shape = rng.choice(pairs)
    relation = rng.choice(RELATIONS)

    def holds(answer: str, scene: Scene) -> bool:
        target, mark = scene.things[:2]
        others = [thing for thing in scene.things if thing is not mark and relation in relations_of(thing, mark)]
        return target.pair != mark.pair and others == [target]

    return Puzzle(
        "relation", "image", f"what shape is {relation} the {colour} {shape}?", SHAPES,
        lambda answer, rng: (Wanted(answer), Wanted(shape, colour)),
        lambda answer, thing: thing.pair != (colour, shape), holds, counts=(2, 3, 4),
    )  # fmt: skip


def corner_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """Common knowledge about a shape that need not be in the picture."""
    shape = rng.choice(tuple(CORNERS))
    form = rng.choice(("how many corners does a {} have?", "a {} has how many corners?"))
    return Puzzle("corners", "text", form.format(shape), (CORNERS[shape],))


def fact_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """The colours of two things are told, one of them is asked for."""
    things, colours = rng.sample(OBJECTS, 2), rng.sample(tuple(COLOURS), 2)
    asked = rng.randrange(2)
    told = " and ".join(f"the {thing} is {colour}" for thing, colour in zip(things, colours, strict=True))
    return Puzzle("fact", "text", f"{told}. what colour is the {things[asked]}?", (colours[asked],))


def sum_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """Somebody has some and gets more: two, three or four."""
    total = rng.randint(2, 4)
    first = rng.randint(1, total - 1)
    thing, person = rng.choice(OBJECTS), rng.choice(PEOPLE)
    question = f"{person} has {counted(first, thing)} and gets {NUMBERS[total - first]} more. how many {thing}s now?"
    return Puzzle("sum", "text", question, (NUMBERS[total],))


def rule_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """What two colours mean is told; the picture says which colour it is."""
    shape = rng.choice(SHAPES)
    colours, meanings = rng.sample(_colours(shape, pairs), 2), rng.sample(MEANINGS, 2)
    told = " and ".join(f"{colour} means {meaning}" for colour, meaning in zip(colours, meanings, strict=True))
    colour_of = dict(zip(meanings, colours, strict=True))
    return Puzzle(
        "rule", "both", f"{told}. what does the {shape} mean?", tuple(meanings),
        lambda answer, rng: (Wanted(shape, colour_of[answer]),), lambda answer, thing: thing.shape != shape,
    )  # fmt: skip


def liking_puzzle(rng: random.Random, pairs: Sequence[Pair]) -> Puzzle:
    """Which colour somebody likes is told; the picture says whether the shape has it."""
    shape, person = rng.choice(SHAPES), rng.choice(PEOPLE)
    colours = _colours(shape, pairs)
    liked = rng.choice(colours)
    others = [colour for colour in colours if colour != liked]
    return Puzzle(
        "liking", "both", f"{person} only likes {liked} shapes. does {person} like the {shape}?", ("yes", "no"),
        lambda answer, rng: (Wanted(shape, liked if answer == "yes" else rng.choice(others)),),
        lambda answer, thing: thing.shape != shape,
    )  # fmt: skip


PUZZLES = (
    colour_puzzle, shape_puzzle, number_puzzle, presence_puzzle, size_puzzle, relation_puzzle,
    corner_puzzle, fact_puzzle, sum_puzzle, rule_puzzle, liking_puzzle,
)  # fmt: skip


def _colours(shape: str, pairs: Sequence[Pair]) -> tuple[str, ...]:
    return tuple(colour for colour in COLOURS if (colour, shape) in pairs)
