"""easy-VQA (Zhou 2019): drawn shapes of 64 x 64 pixels with questions about shape and colour, 13 answers.

Source: https://github.com/vzhou842/easy-VQA
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from common.data.files import folder_of, read_text
from common.data.vision.pictures import Pictures
from common.data.vision.sample import DataError, RawVision, Sample, VisionDataConfig, register_vision
from common.data.vision.split import hold_out_images

SIZES = {"train": 38575, "test": 9673}


@register_vision("easy_vqa")
def load_easy_vqa(config: VisionDataConfig) -> RawVision:
    """From a folder with answers.txt, train/ and test/ (each: images/, questions.json).

    There is no official validation split; `validation_fraction` of the training pictures are held out.
    """
    if not config.path:
        raise DataError(
            "easy_vqa is not on the Hugging Face hub: clone https://github.com/vzhou842/easy-VQA and give `path` its "
            "folder data/, which holds answers.txt, train/ and test/"
        )
    folder = folder_of(config.path)
    answers = folder / "answers.txt"
    if not answers.is_file():
        raise DataError(
            f"{folder} has no answers.txt, which lists the possible answers; it is part of easy-VQA's data/"
        )
    known = set(read_text(answers).split())
    train, test = _read(folder / "train", known), _read(folder / "test", known)
    found = {"train": len(train), "test": len(test)}
    notes = () if found == SIZES else (f"easy_vqa: {found} questions in {folder}, officially {SIZES}",)
    rest, held = hold_out_images(train, config.validation_fraction, config.seed)
    source = f"folder {folder}; {len(held)} training questions held out by picture for validation, seed {config.seed}"
    return RawVision(source, "question", {"train": rest, "validation": held, "test": test}, notes)


def question_kind(question: str) -> str:
    """ "yes/no", "colour" or "shape", by the wording of an easy-VQA question."""
    if re.match(r"(is|does|are|do)\b", question):
        return "yes/no"
    return "colour" if re.search(r"\bcolou?r\b", question) else "shape"


def _read(folder: Path, known: set[str]) -> list[Sample]:
    path = folder / "questions.json"
    if not path.is_file():
        raise DataError(f"{path} is missing; easy_vqa needs train/ and test/, each with images/ and questions.json")
    pictures = Pictures(folder, ("images",))
    samples = []
    try:
        for index, (question, answer, image) in enumerate(json.loads(read_text(path))):
            if answer not in known:
                raise DataError(f"{path}, entry {index}: the answer {answer!r} is not in answers.txt")
            samples.append(
                Sample(
                    f"{folder.name}-{index}",
                    (pictures.find(f"{image}.png"),),
                    question=question,
                    answers=(answer,),
                    kind=question_kind(question),
                )  # fmt: skip
            )
    except (json.JSONDecodeError, TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}, entry {len(samples)}: expected [question, answer, image id] ({error})") from error
    return samples
