"""Generated scenes of coloured shapes with captions or questions: the default, at hand without any download.

The answers are balanced (see :mod:`common.data.vision.scene_questions`), the captions are true, and no scene stands in
two splits, not even shifted by a pixel (:func:`common.data.vision.scene_drawing.split_of`).
"""

from __future__ import annotations

import random
from collections import defaultdict

from common.data.vision.sample import SPLITS, DataError, RawVision, Sample, VisionDataConfig, register_vision
from common.data.vision.scene_captions import captions_of
from common.data.vision.scene_drawing import COLOURS, MAX_THINGS, SHAPES, Pair, Scene, SceneImage, draw_scene, split_of
from common.data.vision.scene_questions import PUZZLES, Puzzle

ATTEMPTS = 5000


@register_vision("scenes")
def load_scenes(config: VisionDataConfig) -> RawVision:
    """Draw the corpus up; the same config gives the same scenes and texts on every machine."""
    if config.path:
        raise DataError("scenes are generated; leave `path` empty, or name the dataset that lies there")
    held_out = held_out_pairs(config.seed, config.scene_held_out)
    make = _captioned if config.scene_task == "caption" else _asked
    splits = {
        split: make(split, size, config, held_out) for split, size in zip(SPLITS, config.scene_sizes, strict=True)
    }
    listed = ", ".join(" ".join(pair) for pair in held_out) or "none"
    source = f"generated (scenes: {config.scene_task}, seed {config.seed}, only in test: {listed})"
    return RawVision(source, config.scene_task, splits)


def held_out_pairs(seed: int, number: int) -> tuple[Pair, ...]:
    """The (colour, shape) pairs that only test shows, each of another colour, at most two of a shape."""
    rng = random.Random(f"{seed} held out")
    shapes = rng.sample(SHAPES * 2, 2 * len(SHAPES))
    return tuple(zip(rng.sample(tuple(COLOURS), number), shapes, strict=False))


def _captioned(split: str, size: int, config: VisionDataConfig, held_out: tuple[Pair, ...]) -> list[Sample]:
    rng = random.Random(f"{config.seed} {split} caption")
    samples: list[Sample] = []
    layouts: set[str] = set()
    for _ in range(ATTEMPTS * size):
        if len(samples) == size:
            return samples
        scene = draw_scene(rng, config.scene_grid, _pairs(split, held_out, rng), rng.randint(1, MAX_THINGS))
        # Two pictures of one layout would have the same captions, and retrieval could not tell them apart.
        if scene and split_of(scene, config.seed, held_out) == split and scene.layout() not in layouts:
            layouts.add(scene.layout())
            image = SceneImage(scene=scene, pixels=config.scene_pixels)
            samples.append(Sample(_id(split, len(samples), scene, held_out), (image,), captions_of(scene, rng)))
    raise DataError(f"scenes: there are fewer than {size} different scenes for {split}; take a smaller size")


def _asked(split: str, size: int, config: VisionDataConfig, held_out: tuple[Pair, ...]) -> list[Sample]:
    rng = random.Random(f"{config.seed} {split} question")
    decks: dict[tuple[str, ...], list[str]] = defaultdict(list)
    samples = []
    for index in range(size):
        pairs = _pairs(split, held_out, rng)
        puzzle = PUZZLES[index % len(PUZZLES)](rng, pairs)
        deck = decks[(puzzle.question, *puzzle.answers)]
        if not deck:
            deck.extend(rng.sample(puzzle.answers, len(puzzle.answers)))
        answer = deck.pop()
        scene = _scene_for(puzzle, answer, split, rng, pairs, config, held_out)
        image = SceneImage(scene=scene, pixels=config.scene_pixels)
        samples.append(
            Sample(
                _id(split, index, scene, held_out),
                (image,),
                question=puzzle.question,
                answers=(answer,),
                kind=puzzle.kind,
                needs=puzzle.needs,
            )  # fmt: skip
        )
    rng.shuffle(samples)
    return samples


def _scene_for(
    puzzle: Puzzle, answer: str, split: str, rng: random.Random, pairs: list[Pair], config: VisionDataConfig,
    held_out: tuple[Pair, ...],
) -> Scene:  # fmt: skip
    for _ in range(ATTEMPTS):
        wanted = puzzle.wanted(answer, rng)
        count = puzzle.count_of(answer) if puzzle.count_of else rng.choice(puzzle.counts)
        scene = draw_scene(rng, config.scene_grid, pairs, count, wanted, lambda thing: puzzle.allowed(answer, thing))
        if scene and puzzle.holds(answer, scene) and split_of(scene, config.seed, held_out) == split:
            # The wanted things were drawn first; their order must say nothing.
            return Scene(scene.grid, tuple(rng.sample(scene.things, len(scene.things))))
    raise DataError(f"scenes: found no {split} scene for {puzzle.question!r} with the answer {answer!r}")


def _pairs(split: str, held_out: tuple[Pair, ...], rng: random.Random) -> list[Pair]:
    """The pairs that a scene may show: in half of the test samples those of training, else all."""
    every = split == "test" and rng.random() < 0.5
    return [(c, s) for c in COLOURS for s in SHAPES if every or (c, s) not in held_out]


def _id(split: str, index: int, scene: Scene, held_out: tuple[Pair, ...]) -> str:
    new = any(thing.pair in held_out for thing in scene.things)
    return f"{split}-{index}{'-new' if new else ''}"
