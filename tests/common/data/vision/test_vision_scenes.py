"""Scenes: captions are true, answers are right and balanced, splits are apart, and all is the same every time."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from common.data import DataError
from common.data.vision import VisionDataConfig, load_vision
from common.data.vision.opening import open_image
from common.data.vision.scene_captions import NUMBERS
from common.data.vision.scene_drawing import COLOURS, SHAPES, Scene, SceneImage, Thing
from common.data.vision.scenes import held_out_pairs

SIZES = (1500, 200, 300)
ALL = [(task, grid, held) for task in ("caption", "question") for grid, held in ((2, 0), (3, 0), (3, 6))]
_LOADED = {}


def corpus(task, grid=3, held=0, **options):
    key = (task, grid, held, *options.items())
    if key not in _LOADED:
        options = {"scene_sizes": SIZES, **options}
        config = VisionDataConfig(scene_task=task, scene_grid=grid, scene_held_out=held, **options)
        _LOADED[key] = load_vision(config)
    return _LOADED[key]


def scene_of(sample):
    return sample.images[0].scene


ROWS = {2: ("top", "bottom"), 3: ("top", "middle", "bottom")}
COLUMNS = {2: ("left", "right"), 3: ("left", "centre", "right")}
HOLDS = {
    "left of": lambda a, b: a.column < b.column,
    "right of": lambda a, b: a.column > b.column,
    "above": lambda a, b: a.row < b.row,
    "below": lambda a, b: a.row > b.row,
}


def claims(caption, scene):
    """Every claim of a caption as (text, true or not), read from the words alone."""
    things, found = scene.things, []
    words = [(t.size, t.colour, t.shape) for t in things]
    full = re.findall(r"a (small|large) (\w+) (circle|square|triangle|star)", caption)
    if full and "single" not in caption:
        found.append(("inventory", Counter(full) == Counter(words)))
    places = [(t.colour, t.shape, f"{ROWS[scene.grid][t.row]} {COLUMNS[scene.grid][t.column]}") for t in things]
    at = re.findall(r"a (\w+) (\w+) at the (\w+ \w+)", caption)
    at += [(c, s, p) for p, c, s in re.findall(r"the (\w+ \w+) holds a (\w+) (\w+)", caption)]
    if at:
        found.append(("places", Counter(at) == Counter(places)))
    for size, shape, colour, place in re.findall(r"a single (\w+) (\w+) in (\w+), alone at the (\w+ \w+)", caption):
        found.append(("single", [(size, colour, shape)] == words and (colour, shape, place) == places[0]))
    for c1, s1, relation, c2, s2 in re.findall(
        r"a (\w+) (\w+) (?:is )?(left of|right of|above|below) a (\w+) (\w+)", caption
    ):
        first = [t for t in things if (t.colour, t.shape) == (c1, s1)]
        second = [t for t in things if (t.colour, t.shape) == (c2, s2)]
        found.append(("relation", any(HOLDS[relation](a, b) for a in first for b in second)))
    counts = {"shape": len(things), **Counter(t.shape for t in things), **Counter(t.colour for t in things)}
    number = re.findall(rf"({'|'.join(NUMBERS)}) ({'|'.join([*SHAPES, *COLOURS, 'shape'])})(s?)\b", caption)
    for count, noun, plural in number:
        right = counts.get(noun, 0) == NUMBERS.index(count) and (bool(plural) == (count != "one") or noun in COLOURS)
        found.append((f"{count} {noun}", right))
    listed = {noun for _, noun, _ in number}
    if listed & set(COLOURS):
        found.append(("all colours", listed & set(COLOURS) == {t.colour for t in things}))
    if listed & set(SHAPES):
        found.append(("all shapes", listed & set(SHAPES) == {t.shape for t in things}))
    for shape in re.findall(r"but no (\w+)", caption):
        found.append((f"no {shape}", shape in SHAPES and shape not in counts))
    if "one of every kind" in caption:
        found.append(("every kind", {t.shape for t in things} == set(SHAPES) and len(things) == len(SHAPES)))
    return found


@pytest.mark.parametrize("grid", [2, 3])
def test_all_five_captions_are_true_and_different(grid):
    seen = Counter()
    for sample in corpus("caption", grid).splits["train"]:
        assert len(set(sample.captions)) == 5
        for caption in sample.captions:
            found = claims(caption, scene_of(sample))
            assert found and all(right for _, right in found), (caption, scene_of(sample).layout(), found)
            seen.update(name.split()[0] for name, _ in found)
    assert {"inventory", "places", "single", "relation", "every", "no", "all", "two"} <= set(seen)


def test_a_false_caption_is_noticed():
    scene = Scene(2, (Thing("circle", "red", "small", 0, 0), Thing("star", "blue", "large", 1, 1)))
    for caption in ("a red circle is right of a blue star", "two circles, but no star", "there is a small red circle"):
        assert not all(right for _, right in claims(caption, scene))


def test_a_drawing_shows_what_the_description_says():
    for sample in corpus("caption").splits["test"][:60]:
        pixels, scene = np.asarray(open_image(sample.images[0])).astype(int), scene_of(sample)
        assert pixels.shape == (64, 64, 3)
        cell, area = 64 / scene.grid, {}
        for row in range(scene.grid):
            for column in range(scene.grid):
                y, x = int((row + 0.5) * cell), int((column + 0.5) * cell)
                thing = [t for t in scene.things if (t.row, t.column) == (row, column)]
                expected = COLOURS[thing[0].colour] if thing else (236, 236, 232)
                assert np.abs(pixels[y, x] - expected).max() <= 2, scene.layout()
                block = pixels[int(row * cell) : int((row + 1) * cell), int(column * cell) : int((column + 1) * cell)]
                if thing:
                    area[thing[0].shape, thing[0].size] = (np.abs(block - expected).max(-1) <= 2).sum()
        for shape, size in area:
            if (shape, "small") in area and size == "large":
                assert area[shape, "large"] > 1.5 * area[shape, "small"]


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_look_different(shape):
    masks = {}
    for other in SHAPES:
        picture = np.asarray(Scene(2, (Thing(other, "red", "large", 0, 0),)).draw(64))
        masks[other] = picture[..., 1] < 100
    for other in set(SHAPES) - {shape}:
        assert (masks[shape] ^ masks[other]).sum() > 0.1 * masks[shape].sum()


def test_the_same_every_time_and_in_every_process():
    config = VisionDataConfig(scene_task="question", scene_sizes=(50, 20, 20))
    first, second = load_vision(config), load_vision(config)
    assert first.splits == second.splits and first.fingerprint == second.fingerprint
    assert first.splits["test"][3].images[0].read() == second.splits["test"][3].images[0].read()
    # A changed generator makes other corpora, so results under the old fingerprint no longer compare.
    assert first.fingerprint[:12] == "405faf573488"
    assert load_vision(VisionDataConfig(scene_task="question", scene_sizes=(50, 20, 20), seed=1)).fingerprint != (
        first.fingerprint
    )


def test_the_fingerprint_sees_a_shift_of_the_drawing():
    images = [SceneImage(scene=Scene(2, (Thing("star", "red", "large", 0, 0, shift),))) for shift in ((0, 0), (1, 0))]
    assert images[0].identity() != images[1].identity() and images[0].key == images[1].key


@pytest.mark.parametrize(("task", "grid", "held"), ALL)
def test_splits_share_no_scene_and_have_their_sizes(task, grid, held):
    splits = corpus(task, grid, held).splits
    assert tuple(map(len, splits.values())) == SIZES
    layouts = {name: {scene_of(s).layout() for s in samples} for name, samples in splits.items()}
    assert (
        not layouts["train"] & layouts["validation"]
        and not (layouts["train"] | layouts["validation"]) & layouts["test"]
    )
    if task == "caption":
        assert tuple(map(len, layouts.values())) == SIZES


def answers_from(question, scene):
    """The right answer, worked out from the question's words and the scene; None where the scene is not needed."""
    things = scene.things
    words = question.rstrip("?").split()
    if question == "how many shapes are there?":
        return NUMBERS[len(things)]
    if match := re.fullmatch(r"how many (\w+)s are there\?", question):
        return NUMBERS[sum(t.shape == match[1] for t in things)]
    if match := re.fullmatch(r"is there a (\w+) (\w+)\?", question):
        return "yes" if any(t.pair == (match[1], match[2]) for t in things) else "no"
    if match := re.fullmatch(r"what shape is (left of|right of|above|below) the (\w+) (\w+)\?", question):
        (mark,) = [t for t in things if t.pair == (match[2], match[3])]
        (target,) = [t for t in things if t is not mark and HOLDS[match[1]](t, mark)]
        return target.shape
    if match := re.fullmatch(r"what shape is (\w+)\?", question):
        return [t.shape for t in things if t.colour == match[1]][0]
    if "corners" in question:
        (shape,) = set(words) & set(SHAPES)
        return {"circle": "zero", "triangle": "three", "square": "four"}[shape]
    if match := re.fullmatch(r"(\w+) has (\w+) \w+ and gets (\w+) more\. how many \w+ now\?", question):
        return NUMBERS[NUMBERS.index(match[2]) + NUMBERS.index(match[3])]
    if " is " in question and question.startswith("the "):
        told = dict(re.findall(r"the (\w+) is (\w+)", question))
        return told[words[-1]]
    (shape,) = set(words) & set(SHAPES)
    (thing,) = [t for t in things if t.shape == shape]
    if question.startswith("what colour"):
        return thing.colour
    if question.endswith("small or large?"):
        return thing.size
    if match := re.search(r"only likes (\w+) shapes", question):
        return "yes" if thing.colour == match[1] else "no"
    return dict(re.findall(r"(\w+) means (\w+)", question))[thing.colour]


@pytest.mark.parametrize(("grid", "held"), [(2, 0), (3, 0), (3, 6)])
def test_every_answer_is_right_and_unique(grid, held):
    for samples in corpus("question", grid, held).splits.values():
        kinds = Counter((s.kind, s.needs) for s in samples)
        assert len(kinds) == 11 and max(kinds.values()) - min(kinds.values()) <= 1
        for sample in samples:
            assert sample.answers == (answers_from(sample.question, scene_of(sample)),), sample


def best_per_question(samples):
    """Share of answers that a table question -> its most frequent answer gets right, on the samples it was made from,
    and what it would get if all answers of a question were equally frequent."""
    table = defaultdict(Counter)
    for sample in samples:
        table[sample.question][sample.answers[0]] += 1
    return {question: counts.most_common(1)[0][0] for question, counts in table.items()}


CHANCE = {"colour": 1 / 6, "shape": 1 / 4, "number": 1 / 4, "presence": 1 / 2, "size": 1 / 2, "relation": 1 / 4,
          "rule": 1 / 2, "liking": 1 / 2}  # fmt: skip


@pytest.mark.parametrize("grid", [2, 3])
def test_the_best_reader_of_questions_alone_is_at_chance(grid):
    splits = corpus("question", grid, scene_sizes=(6000, 100, 2000)).splits
    guess = best_per_question(splits["train"])
    for needs in ("image", "both"):
        samples = [s for s in splits["test"] if s.needs == needs and s.question in guess]
        right = np.mean([guess[s.question] == s.answers[0] for s in samples])
        chance = np.mean([CHANCE[s.kind] for s in samples])
        noise = 3 * np.sqrt(chance * (1 - chance) / len(samples))
        assert len(samples) > 200 and right < chance + noise, needs
    text = [s for s in splits["test"] if s.needs == "text" and s.question in guess]
    assert all(guess[s.question] == s.answers[0] for s in text)


def test_answers_of_a_question_are_equally_frequent():
    counts = defaultdict(Counter)
    for sample in corpus("question", scene_sizes=(6000, 100, 2000)).splits["train"]:
        if sample.needs == "image":
            counts[sample.question][sample.answers[0]] += 1
    for question, found in counts.items():
        if found.total() >= 30:
            assert max(found.values()) - min(found.values()) <= 1, question


def test_neither_the_order_of_words_nor_the_number_of_things_gives_the_answer_away():
    samples = corpus("question", scene_sizes=(6000, 100, 2000)).splits["train"]
    rules = [s for s in samples if s.kind == "rule"]
    first = np.mean([re.search(r"means (\w+)", s.question)[1] == s.answers[0] for s in rules])  # type: ignore[index]
    assert abs(first - 0.5) < 3 * 0.5 / np.sqrt(len(rules))
    for kind in ("presence", "size", "liking"):
        sizes = defaultdict(list)
        for s in samples:
            if s.kind == kind:
                sizes[s.answers[0]].append(len(scene_of(s).things))
        low, high = (np.mean(values) for values in sizes.values())
        assert abs(low - high) < 0.2, kind


def test_the_picture_is_irrelevant_where_the_text_holds_the_answer():
    counts = defaultdict(Counter)
    for s in corpus("question", scene_sizes=(6000, 100, 2000)).splits["train"]:
        if s.kind == "fact":
            counts[s.answers[0]][any(t.colour == s.answers[0] for t in scene_of(s).things)] += 1
    shown = [found[True] / found.total() for found in counts.values()]
    assert min(shown) > 0.2 and max(shown) < 0.5  # near 1 - (5/6)^n for every colour


@pytest.mark.parametrize("task", ["caption", "question"])
def test_held_out_pairs_stand_only_in_test(task):
    pairs = set(held_out_pairs(0, 6))
    assert len(pairs) == 6 and len({colour for colour, _ in pairs}) == 6
    splits = corpus(task, 3, 6).splits
    shown = {name: {t.pair for s in samples for t in scene_of(s).things} for name, samples in splits.items()}
    assert not pairs & (shown["train"] | shown["validation"]) and pairs <= shown["test"]
    assert len(shown["train"]) == 24 - 6
    new = [s for s in splits["test"] if s.id.endswith("-new")]
    assert 0.3 * SIZES[2] < len(new) < 0.8 * SIZES[2]
    assert all((s in new) == bool(pairs & {t.pair for t in scene_of(s).things}) for s in splits["test"])


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(DataError, match="scenes are generated"):
        load_vision(VisionDataConfig(path="somewhere"))
    for wrong in ({"scene_grid": 4}, {"scene_task": "x"}, {"scene_sizes": (1, 0, 1)}, {"scene_held_out": 9}):
        with pytest.raises(ValueError):
            VisionDataConfig(**wrong)
