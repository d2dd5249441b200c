"""VQA v2 (Goyal et al. 2017): questions about COCO photographs, each answered by ten people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.data.files import folder_of, read_text
from common.data.vision.pictures import Pictures
from common.data.vision.sample import DataError, RawVision, Sample, VisionDataConfig, register_vision
from common.data.vision.split import hold_out_images

_ADVICE = (
    "download questions, annotations and pictures from https://visualqa.org/download.html and give `path` a folder "
    "with v2_OpenEnded_mscoco_{train,val}2014_questions.json, v2_mscoco_{train,val}2014_annotations.json, and "
    "train2014/ and val2014/ (or train2014.zip and val2014.zip)"
)
_BAR = " | "
TYPES = ("answer_type", "question_type")
"""By which the official evaluation reports accuracy, beside the whole."""


def types_of(kind: str) -> dict[str, str]:
    """``number | how many`` -> the types :data:`TYPES` of that question; nothing for a kind of other data."""
    parts = kind.split(_BAR, maxsplit=1)
    return dict(zip(TYPES, parts, strict=True)) if len(parts) == len(TYPES) else {}


@register_vision("vqa_v2")
def load_vqa(config: VisionDataConfig) -> RawVision:
    """The official val is test, since the answers of the official test are not public; `validation_fraction` of the
    training pictures are held out."""
    if not config.path:
        raise DataError(f"vqa_v2 has no default place: {_ADVICE}")
    folder = folder_of(config.path)
    parts = {}
    for part in ("train", "val"):
        pictures = Pictures(folder, (f"{part}2014", f"images/{part}2014"))
        parts[part] = read_official(folder, part, pictures)
    rest, held = hold_out_images(parts["train"], config.validation_fraction, config.seed)
    source = (
        f"folder {folder} (VQA v2; test = official val; {len(held)} training questions held out by picture for "
        f"validation, seed {config.seed})"
    )
    return RawVision(source, "question", {"train": rest, "validation": held, "test": parts["val"]})


def read_official(folder: Path, part: str, pictures: Pictures) -> list[Sample]:
    """Samples of the official split `part` (train or val), one a question, with the answers of all ten people.

    `kind` is the official answer type (yes/no, number, other), by which results are reported, and the question type
    after a bar: "number | how many"; :func:`types_of` takes them apart.

    Raises:
        DataError: a missing file or one of another layout; questions and annotations that do not belong together.
    """
    questions = _listed(folder / f"v2_OpenEnded_mscoco_{part}2014_questions.json", "questions")
    annotations = _listed(folder / f"v2_mscoco_{part}2014_annotations.json", "annotations")
    samples = []
    try:
        given = {entry["question_id"]: entry for entry in annotations}
        if {entry["question_id"] for entry in questions} != set(given):
            raise DataError(f"{folder}: the {part} questions and annotations have different question ids")
        for entry in questions:
            found = given[entry["question_id"]]
            if found["image_id"] != entry["image_id"]:
                raise DataError(f"{folder}: question {entry['question_id']} is about two different pictures")
            samples.append(
                Sample(
                    str(entry["question_id"]),
                    (pictures.find(f"COCO_{part}2014_{entry['image_id']:012d}.jpg"),),
                    question=entry["question"].strip(),
                    answers=tuple(answer["answer"].strip() for answer in found["answers"]),
                    kind=_BAR.join(found[name] for name in TYPES),
                )
            )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder}: {part} entry {len(samples)} lacks {error}: {_ADVICE}") from error
    return samples


def _listed(path: Path, key: str) -> list[Any]:
    if not path.is_file():
        raise DataError(f"{path} is missing: {_ADVICE}")
    try:
        return json.loads(read_text(path))[key]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no VQA file with a list {key!r} ({error})") from error
