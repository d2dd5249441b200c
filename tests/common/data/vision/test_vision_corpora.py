"""Loaders on small made folders: layouts, splits by picture, and errors that say what to do."""

import io
import json
import tarfile
import zipfile

import datasets as hub_library
import pytest
from PIL import Image

from common.data import DataError
from common.data.vision import ImageSource, Sample, VisionDataConfig, coco, flickr, load_vision, vision_datasets
from common.data.vision.daquar import question_kind as daquar_kind
from common.data.vision.easy_vqa import question_kind as easy_kind
from common.data.vision.opening import open_image
from common.data.vision.split import hold_out_images

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def picture(number):
    file = io.BytesIO()
    Image.new("RGB", (4 + number, 4), (number, 0, 0)).save(file, "PNG")
    return file.getvalue()


def write_pictures(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        (folder / name).write_bytes(picture(number))


def load(name, path, **options):
    return load_vision(VisionDataConfig(name=name, path=str(path), **options))


def shape_of(corpus):
    return {split: len(samples) for split, samples in corpus.splits.items()}


def keys(samples):
    return {image.key for sample in samples for image in sample.images}


NAMES = [f"{k}.png" for k in range(6)]
LISTS = {"train": NAMES[:3], "validation": NAMES[3:4], "test": NAMES[4:5]}


def write_flickr(folder, lists=None):
    write_pictures(folder / "images", NAMES)
    rows = [f'{name},"a ""big"" dog, number {k} ."' for name in NAMES for k in range(5)]
    (folder / "captions.csv").write_text("\n".join(["image,caption", *rows]))
    for split, listed in (lists or LISTS).items():
        (folder / f"{split}.txt").write_text("\n".join(listed) + "\n")


def test_all_loaders_are_registered_and_explain_themselves(tmp_path, monkeypatch):
    def offline(*_, **__):
        raise ConnectionError("offline mode")

    monkeypatch.setattr(hub_library, "load_dataset", offline)
    names = set(vision_datasets())
    assert names == {"scenes", "flickr8k", "flickr30k", "coco", "vqa_v2", "easy_vqa", "daquar", "instructions"}
    for name in names - {"scenes"}:
        with pytest.raises(DataError, match="`path`"):
            load_vision(VisionDataConfig(name=name))
        if name != "instructions":
            with pytest.raises(DataError, match="is not a folder"):
                load(name, tmp_path / "none")
        with pytest.raises(DataError, match=str(tmp_path)):
            load(name, tmp_path)
    with pytest.raises(DataError, match="unknown image-text dataset 'x'; known: coco,"):
        load_vision(VisionDataConfig(name="x"))


def test_flickr_from_lists(tmp_path):
    write_flickr(tmp_path)
    corpus = load("flickr8k", tmp_path)
    assert shape_of(corpus) == {"train": 3, "validation": 1, "test": 1} and corpus.task == "caption"
    assert corpus.splits["test"][0].captions == tuple(f'a "big" dog, number {k} .' for k in range(5))
    assert open_image(corpus.splits["test"][0].images[0]).size == (8, 4)
    assert any("1 of 6 pictures are in no split" in note for note in corpus.warnings)
    assert any("officially {'train': 6000" in note for note in corpus.warnings)


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_pictures_may_stay_in_their_archive(tmp_path, ending):
    write_flickr(tmp_path)
    plain = load("flickr8k", tmp_path)
    archive = tmp_path / f"images{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for name in NAMES:
                file.write(tmp_path / "images" / name, f"Images/{name}")
    else:
        with tarfile.open(archive, "w") as file:
            file.add(tmp_path / "images", "images")
    for name in NAMES:
        (tmp_path / "images" / name).unlink()
    (tmp_path / "images").rmdir()
    packed = load("flickr8k", tmp_path, check="pixels")
    for split, samples in packed.splits.items():
        for a, b in zip(samples, plain.splits[split], strict=True):
            assert a.id == b.id and open_image(a.images[0]).size == (4 + NAMES.index(a.id), 4)
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(DataError, match=f"images{ending}"):
        load("flickr8k", tmp_path, check="pixels")


def test_the_bars_of_flickr30k_and_its_one_broken_line(tmp_path):
    write_flickr(tmp_path)
    (tmp_path / "captions.csv").unlink()
    rows = [f"{name}| {k}| A man , {k} ." for name in NAMES for k in range(4)] + ["0.png| 4   A dog runs ."]
    (tmp_path / "results.csv").write_text("\n".join(["image_name| comment_number| comment", *rows]))
    corpus = load("flickr30k", tmp_path)
    assert corpus.splits["train"][0].captions[3:] == ("A man , 3 .", "A dog runs .")
    (tmp_path / "results.csv").write_text("image_name| comment_number| comment\nnonsense")
    with pytest.raises(DataError, match="results.csv, line 2"):
        load("flickr30k", tmp_path)


def test_karpathy_splits_with_restval(tmp_path):
    write_pictures(tmp_path / "val2014", NAMES)
    parts = ["train", "restval", "val", "test", "test", "restval"]
    entries = [
        {"filename": name, "filepath": "val2014", "split": part, "sentences": [{"raw": f" A {k}. "} for k in range(5)]}
        for name, part in zip(NAMES, parts, strict=True)
    ]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": entries, "dataset": "coco"}))
    corpus = load("coco", tmp_path, check="pixels")
    assert [s.id for s in corpus.splits["train"]] == ["0.png", "1.png", "5.png"]
    assert corpus.splits["test"][0].captions == ("A 0.", "A 1.", "A 2.", "A 3.", "A 4.")
    del entries[2]["split"]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": entries}))
    with pytest.raises(DataError, match=r"dataset_coco.json, images\[2\]: missing or unknown 'split'"):
        load("coco", tmp_path)


def write_coco(folder):
    for part, numbers in (("train", range(10)), ("val", range(10, 13))):
        write_pictures(folder / f"{part}2017", [f"{n:012d}.jpg" for n in numbers])
        images = [{"id": n, "file_name": f"{n:012d}.jpg"} for n in reversed(numbers)]
        said = [{"id": 5 * n + k, "image_id": n, "caption": f"{n} {k}\n"} for k in range(5) for n in numbers]
        (folder / "annotations").mkdir(exist_ok=True)
        path = folder / "annotations" / f"captions_{part}2017.json"
        path.write_text(json.dumps({"images": images, "annotations": said}))


def test_official_coco_holds_out_the_last_training_pictures(tmp_path, monkeypatch):
    write_coco(tmp_path)
    monkeypatch.setattr(coco, "HELD_OUT", 4)
    corpus = load("coco", tmp_path)
    assert [int(s.id) for s in corpus.splits["train"]] == list(range(6))
    assert [int(s.id) for s in corpus.splits["validation"]] == [6, 7, 8, 9]
    assert [int(s.id) for s in corpus.splits["test"]] == [10, 11, 12]
    assert corpus.splits["test"][1].captions == tuple(f"11 {k}" for k in range(5))
    monkeypatch.setattr(coco, "HELD_OUT", 10)
    with pytest.raises(DataError, match="10 of 10 training pictures cannot be held out"):
        load("coco", tmp_path)


def write_vqa(folder, annotated=None):
    for part, first in (("train", 0), ("val", 20)):
        numbers = range(first, first + 20)
        write_pictures(folder / f"{part}2014", [f"COCO_{part}2014_{n:012d}.jpg" for n in numbers])
        asked = [
            {"image_id": n, "question": f"How many {k}? ", "question_id": 3 * n + k} for n in numbers for k in (0, 1)
        ]
        given = [
            {
                "image_id": q["image_id"], "question_id": q["question_id"] + (annotated or 0), "answer_type": "number",
                "question_type": "how many", "answers": [{"answer": "2"}] * 7 + [{"answer": "3"}] * 3,
            }
            for q in reversed(asked)
        ]  # fmt: skip
        (folder / f"v2_OpenEnded_mscoco_{part}2014_questions.json").write_text(json.dumps({"questions": asked}))
        (folder / f"v2_mscoco_{part}2014_annotations.json").write_text(json.dumps({"annotations": given}))


def test_vqa_keeps_all_ten_answers(tmp_path):
    write_vqa(tmp_path)
    corpus = load("vqa_v2", tmp_path)
    assert shape_of(corpus) == {"train": 36, "validation": 4, "test": 40} and corpus.task == "question"
    sample = corpus.splits["test"][0]
    assert sample.answers == ("2",) * 7 + ("3",) * 3 and sample.question == "How many 0?"
    assert sample.kind == "number | how many" and not keys(corpus.splits["train"]) & keys(corpus.splits["validation"])
    write_vqa(tmp_path, annotated=1)
    with pytest.raises(DataError, match="different question ids"):
        load("vqa_v2", tmp_path)


def write_easy(folder):
    (folder / "answers.txt").parent.mkdir(exist_ok=True)
    (folder / "answers.txt").write_text("yes\nno\nred\n")
    for part in ("train", "test"):
        write_pictures(folder / part / "images", [f"{k}.png" for k in range(20)] if part == "train" else ["0.png"])
        rows = [["is there a star?", "no", k % (20 if part == "train" else 1)] for k in range(40)]
        (folder / part / "questions.json").write_text(json.dumps(rows))


def test_easy_vqa_holds_out_by_picture_and_knows_its_answers(tmp_path):
    write_easy(tmp_path)
    corpus = load("easy_vqa", tmp_path)
    assert shape_of(corpus) == {"train": 36, "validation": 4, "test": 40}
    assert not keys(corpus.splits["train"]) & keys(corpus.splits["validation"])
    # The first test picture is a byte-for-byte copy of a training one.
    assert any("1 pictures have a byte-identical copy in both train and test" in note for note in corpus.warnings)
    other = load("easy_vqa", tmp_path, seed=1)
    assert keys(other.splits["validation"]) != keys(corpus.splits["validation"])
    (tmp_path / "test" / "questions.json").write_text('[["is there a star?", "maybe", 0]]')
    with pytest.raises(DataError, match="entry 0: the answer 'maybe' is not in answers.txt"):
        load("easy_vqa", tmp_path)
    (tmp_path / "test" / "questions.json").write_text('[["is there a star?", "no"]]')
    with pytest.raises(DataError, match=r"entry 0: expected \[question, answer, image id\]"):
        load("easy_vqa", tmp_path)


def write_daquar(folder):
    write_pictures(folder / "images", [f"image{k}.png" for k in range(12)])
    rows = [f'what is on the desk in image {k},"book, lamp",image{k % 12}' for k in range(36)]
    (folder / "questions.csv").write_text("\n".join(["question,answer,image_id", *rows]))
    (folder / "train.txt").write_text("\n".join(f"image{k}" for k in range(10)))
    (folder / "test.txt").write_text("image10\n")


def test_daquar_answers_and_splits(tmp_path):
    write_daquar(tmp_path)
    corpus = load("daquar", tmp_path)
    assert shape_of(corpus) == {"train": 27, "validation": 3, "test": 3}
    assert corpus.splits["test"][0].answers == ("book", "lamp") and corpus.splits["test"][0].kind == "object"
    assert not keys(corpus.splits["train"]) & keys(corpus.splits["validation"])
    assert any("3 questions about 1 pictures in no split" in note for note in corpus.warnings)
    (tmp_path / "test.txt").write_text("image10\nimage3\n")
    with pytest.raises(DataError, match="image3 stands in both"):
        load("daquar", tmp_path)


@pytest.mark.parametrize(
    ("kind_of", "question", "kind"),
    [
        (easy_kind, "is there a red shape?", "yes/no"),
        (easy_kind, "does the image not contain a circle?", "yes/no"),
        (easy_kind, "what is the color of the shape?", "colour"),
        (easy_kind, "what is the blue shape?", "shape"),
        (easy_kind, "what shape is present?", "shape"),
        (daquar_kind, "how many chairs are there", "number"),
        (daquar_kind, "what is the colour of the wall", "colour"),
        (daquar_kind, "what color are the chairs", "colour"),
        (daquar_kind, "what is the red colour object on the bed", "object"),
        (daquar_kind, "which item is red in colour", "object"),
        (daquar_kind, "what is on the bed", "object"),
    ],
)
def test_kinds_of_questions(kind_of, question, kind):
    assert kind_of(question) == kind


def conversation(names, text="<image>\nWhat is it?", answer="A dog."):
    turns = [{"from": "human", "value": text}, {"from": "gpt", "value": answer}]
    return {"image": names, "conversations": turns}


def write_instructions(path, entries):
    write_pictures(path.parent / "images", NAMES)
    lines = path.suffix == ".jsonl"
    path.write_text("\n".join(map(json.dumps, entries)) if lines else json.dumps(entries))


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_instructions_with_one_many_and_no_pictures(tmp_path, ending):
    many = conversation(NAMES[:2], "Compare <image> with <image>.")
    none = {"conversations": conversation([], "Hello")["conversations"]}
    entries = [many, none, *(conversation(name) for name in NAMES)]
    write_instructions(tmp_path / f"all{ending}", entries)
    corpus = load("instructions", tmp_path / f"all{ending}", validation_fraction=0.2)
    samples = [s for split in corpus.splits.values() for s in split]
    assert len(samples) == 8 and all(corpus.splits.values()) and corpus.task == "conversation"
    first = next(s for s in samples if len(s.images) == 2)
    assert first.turns == (("human", "Compare <image> with <image>."), ("assistant", "A dog."))
    sides = [keys(split) for split in corpus.splits.values()]
    assert sum(map(len, sides)) == len(set().union(*sides)) == 6
    assert any(not s.images for s in samples)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (conversation(NAMES[:2]), "entry 2: 1 marks <image> but 2 pictures"),
        (conversation(NAMES[0], "What?"), "entry 2: 0 marks <image> but 1 pictures"),
        (conversation(NAMES[0], answer="<image>"), "entry 2, turn 2: <image> stands in an answer"),
        (conversation(3), "entry 2: `image` must be a path"),
        ({"image": NAMES[0]}, "entry 2: no list `conversations`"),
        ({"conversations": [{"from": "gpt", "value": "Hi"}]}, "entry 2, turn 1: turns must alternate"),
        ({"conversations": [{"from": "human", "value": "Hi"}]}, "entry 2: the last human turn has no answer"),
        ({"conversations": [{"from": "dog", "value": "Hi"}]}, "entry 2, turn 1: missing or unknown 'dog'"),
        ("text", "entry 2: not an object"),
    ],
)
def test_malformed_conversations_name_the_entry(tmp_path, entry, message):
    write_instructions(tmp_path / "all.jsonl", [conversation(NAMES[0]), entry])
    with pytest.raises(DataError, match=message):
        load("instructions", tmp_path / "all.jsonl")
    (tmp_path / "all.jsonl").write_text('{"image": 1}\n{,}')
    with pytest.raises(DataError, match="all.jsonl, line 2: not JSON"):
        load("instructions", tmp_path / "all.jsonl")


def test_a_picture_in_two_splits_is_refused(tmp_path):
    write_flickr(tmp_path, {**LISTS, "test": [NAMES[0], NAMES[4]]})
    with pytest.raises(DataError, match="1 pictures stand in both train and test, such as .*0.png"):
        load("flickr8k", tmp_path)
    write_flickr(tmp_path, {**LISTS, "train": [NAMES[0], NAMES[0]]})
    with pytest.raises(DataError, match="train sample 0.png .*its id is used twice"):
        load("flickr8k", tmp_path)
    write_flickr(tmp_path, {**LISTS, "train": [NAMES[0], "9.png"]})
    with pytest.raises(DataError, match="1 pictures have no caption in captions.csv, such as 9.png"):
        load("flickr8k", tmp_path)


def test_copies_under_other_names_are_a_warning(tmp_path):
    write_flickr(tmp_path)
    (tmp_path / "images" / NAMES[4]).write_bytes(picture(0))
    notes = load("flickr8k", tmp_path).warnings
    assert any("1 pictures have a byte-identical copy in both train and test" in note for note in notes)


def test_bad_pictures_are_refused_or_counted(tmp_path):
    write_flickr(tmp_path)
    (tmp_path / "images" / NAMES[1]).write_bytes(b"")
    with pytest.raises(DataError, match="1 of 3 pictures cannot be used:\n.*1.png: the file is empty"):
        load("flickr8k", tmp_path)
    corpus = load("flickr8k", tmp_path, skip_bad=True)
    assert corpus.bad == {"train": 1} and [s.id for s in corpus.splits["train"]] == [NAMES[0], NAMES[2]]
    assert any("1 of 3 train samples left out for 1 bad pictures" in note for note in corpus.warnings)
    (tmp_path / "images" / NAMES[4]).write_bytes(b"")
    with pytest.raises(DataError, match="no test sample"):
        load("flickr8k", tmp_path, skip_bad=True)


def test_limit_and_fingerprint(tmp_path):
    write_flickr(tmp_path / "one")
    write_flickr(tmp_path / "two")
    whole = load("flickr8k", tmp_path / "one")
    assert whole.fingerprint == load("flickr8k", tmp_path / "two").fingerprint
    less = load("flickr8k", tmp_path / "one", limit=2)
    assert shape_of(less) == {"train": 2, "validation": 1, "test": 1} and less.fingerprint != whole.fingerprint
    assert less.splits == load("flickr8k", tmp_path / "one", limit=2).splits
    text = (tmp_path / "two" / "captions.csv").read_text()
    (tmp_path / "two" / "captions.csv").write_text(text.replace("number 3", "number 7"))
    assert whole.fingerprint != load("flickr8k", tmp_path / "two").fingerprint


def test_held_out_samples_that_share_a_picture_by_way_of_a_third_stay_together():
    a, b, c, d = (ImageSource(name) for name in "abcd")
    samples = [Sample("1", (a, b)), Sample("2", (b, c)), Sample("3", (c,)), Sample("4", (d,)), Sample("5", ())]
    for seed in range(10):
        rest, held = hold_out_images(samples, 0.4, seed)
        assert rest and held and len(rest) + len(held) == 5
        assert len({s.id in "123" for s in held}) <= 2
        together = {s.id for s in held} & {"1", "2", "3"}
        assert together in (set(), {"1", "2", "3"})
    with pytest.raises(DataError, match="share one picture"):
        hold_out_images(samples[:3], 0.4, 0)


def hub_table(rows):
    features = {name: [row[name] for row in rows] for name in rows[0]}
    return hub_library.Dataset.from_dict(features).cast_column("image", hub_library.Image())


def test_hub_rows(monkeypatch):
    cell = [{"bytes": picture(k), "path": None} for k in range(3)]
    in_column = hub_table(
        [
            {"image": cell[k], "caption": [f"{k} {j} " for j in range(5)], "split": part, "filename": f"{k}.jpg"}
            for k, part in enumerate(("train", "val", "test"))
        ]
    )
    numbered = {
        part: hub_table([{"image": cell[k], **{f"caption_{j}": f"{k} {j}" for j in range(5)}}])
        for k, part in enumerate(("train", "validation", "test"))
    }
    tables = {"nlphuji/flickr30k": {"test": in_column}, "jxie/flickr8k": numbered}
    monkeypatch.setattr(hub_library, "load_dataset", lambda repository, revision=None: tables[repository])
    for name, (repository, _) in flickr.HUB.items():
        corpus = load_vision(VisionDataConfig(name=name, check="pixels"))
        assert shape_of(corpus) == {"train": 1, "validation": 1, "test": 1} and repository in corpus.source
        for k, samples in enumerate(corpus.splits.values()):
            assert samples[0].captions == tuple(f"{k} {j}" for j in range(5))
            assert open_image(samples[0].images[0]).size == (4 + k, 4)
    tables["jxie/flickr8k"] = {"test": numbered["test"].remove_columns("image")}
    with pytest.raises(DataError, match="has no column 'image'"):
        load_vision(VisionDataConfig(name="flickr8k"))
