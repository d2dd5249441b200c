"""Small made folders in the layouts of image-text datasets."""

import io
import json

import datasets as hub_library
from PIL import Image

from common.data.vision import VisionDataConfig, load_vision


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


def write_coco(folder):
    for part, numbers in (("train", range(10)), ("val", range(10, 13))):
        write_pictures(folder / f"{part}2017", [f"{n:012d}.jpg" for n in numbers])
        images = [{"id": n, "file_name": f"{n:012d}.jpg"} for n in reversed(numbers)]
        said = [{"id": 5 * n + k, "image_id": n, "caption": f"{n} {k}\n"} for k in range(5) for n in numbers]
        (folder / "annotations").mkdir(exist_ok=True)
        path = folder / "annotations" / f"captions_{part}2017.json"
        path.write_text(json.dumps({"images": images, "annotations": said}))


def write_vqa(folder, annotated=None):
    for part, first in (("train", 0), ("val", 20)):
        numbers = range(first, first + 20)
        write_pictures(folder / f"{part}2014", [f"COCO_{part}2014_{n:012d}.jpg" for n in numbers])
        asked = [
            {"image_id": n, "question": f"How many {k}? ", "question_id": 3 * n + k} for n in numbers for k in (0, 1)
        ]
        given = [
            {
                "image_id": q["image_id"], "question_id": q["question_id"] + (annotated or 0),
                "answer_type": ("number", "other")[q["question_id"] % 3], "question_type": "how many",
                "answers": [{"answer": "2"}] * 7 + [{"answer": "3"}] * 3,
            }
            for q in reversed(asked)
        ]  # fmt: skip
        (folder / f"v2_OpenEnded_mscoco_{part}2014_questions.json").write_text(json.dumps({"questions": asked}))
        (folder / f"v2_mscoco_{part}2014_annotations.json").write_text(json.dumps({"annotations": given}))


def write_easy(folder):
    (folder / "answers.txt").parent.mkdir(exist_ok=True)
    (folder / "answers.txt").write_text("yes\nno\nred\n")
    for part in ("train", "test"):
        write_pictures(folder / part / "images", [f"{k}.png" for k in range(20)] if part == "train" else ["0.png"])
        rows = [["is there a star?", "no", k % (20 if part == "train" else 1)] for k in range(40)]
        (folder / part / "questions.json").write_text(json.dumps(rows))


def write_daquar(folder):
    write_pictures(folder / "images", [f"image{k}.png" for k in range(12)])
    rows = [f'what is on the desk in image {k},"book, lamp",image{k % 12}' for k in range(36)]
    (folder / "questions.csv").write_text("\n".join(["question,answer,image_id", *rows]))
    (folder / "train.txt").write_text("\n".join(f"image{k}" for k in range(10)))
    (folder / "test.txt").write_text("image10\n")


def conversation(names, text="<image>\nWhat is it?", answer="A dog."):
    turns = [{"from": "human", "value": text}, {"from": "gpt", "value": answer}]
    return {"image": names, "conversations": turns}


def write_instructions(path, entries):
    write_pictures(path.parent / "images", NAMES)
    lines = path.suffix == ".jsonl"
    path.write_text("\n".join(map(json.dumps, entries)) if lines else json.dumps(entries))


def hub_table(rows):
    features = {name: [row[name] for row in rows] for name in rows[0]}
    return hub_library.Dataset.from_dict(features).cast_column("image", hub_library.Image())
