"""DAQUAR (Malinowski & Fritz 2014): indoor photographs (NYU Depth) with questions that people asked and answered."""

from __future__ import annotations

import re
from collections import Counter

from common.data.files import folder_of, read_table, read_text
from common.data.vision.pictures import Pictures
from common.data.vision.sample import DataError, RawVision, Sample, VisionDataConfig, register_vision
from common.data.vision.split import hold_out_images

SIZES = {"train": 6795, "test": 5673}
_COLOURS = "red|green|blue|white|black|brown|gr[ae]y|yellow|pink|purple|orange|silver|golden"
_ADVICE = (
    "daquar needs a folder `path` with images/, questions.csv (question,answer,image_id) and the lists train.txt and "
    "test.txt of image ids; see https://www.mpi-inf.mpg.de/visual-turing-challenge"
)


@register_vision("daquar")
def load_daquar(config: VisionDataConfig) -> RawVision:
    """The official train and test pictures; `validation_fraction` of the training pictures are held out.

    A question may ask for several things at once; its answers are then all of them, in the order of the file.
    """
    if not config.path:
        raise DataError(f"there is no default place for it: {_ADVICE}")
    folder = folder_of(config.path)
    for name in ("questions.csv", "train.txt", "test.txt"):
        if not (folder / name).is_file():
            raise DataError(f"{folder} has no {name}: {_ADVICE}")
    splits: dict[str, list[Sample]] = {"train": [], "test": []}
    split_of: dict[str, str] = {}
    for split in splits:
        for image in read_text(folder / f"{split}.txt").split():
            if split_of.setdefault(image, split) != split:
                raise DataError(f"{image} stands in both train.txt and test.txt of {folder}; splits are by picture")
    unlisted: Counter[str] = Counter()
    pictures = Pictures(folder, ("images",))
    sources = {image: pictures.find_stem(image, (".png", ".jpg")) for image in split_of}
    for number, row in enumerate(read_table(folder / "questions.csv"), 1):
        if set(row) != {"question", "answer", "image_id"}:
            raise DataError(f"{folder / 'questions.csv'} has the columns {', '.join(row)}: {_ADVICE}")
        image = row["image_id"].strip()
        if image not in split_of:
            unlisted[image] += 1
            continue
        answers = tuple(answer.strip() for answer in row["answer"].split(",") if answer.strip())
        question = row["question"].strip()
        sample = Sample(
            f"question-{number}", (sources[image],), question=question, answers=answers, kind=question_kind(question)
        )
        splits[split_of[image]].append(sample)
    found = {split: len(samples) for split, samples in splits.items()}
    notes = [] if found == SIZES else [f"daquar: {found} questions in {folder}, officially {SIZES}"]
    if unlisted:
        notes.append(f"daquar: {unlisted.total()} questions about {len(unlisted)} pictures in no split are left out")
    rest, held = hold_out_images(splits["train"], config.validation_fraction, config.seed)
    source = f"folder {folder}; {len(held)} training questions held out by picture for validation, seed {config.seed}"
    return RawVision(source, "question", {"train": rest, "validation": held, "test": splits["test"]}, tuple(notes))


def question_kind(question: str) -> str:
    """ "number", "colour" or "object", by the wording: "what is the red colour object" asks for an object."""
    if re.search(r"\bhow (many|manu|any|much)\b", question):  # two spellings as they stand in the file
        return "number"
    named = rf"\b(?:{_COLOURS}) colou?r|\bcolou?r(?:ed|ful)\b|\b(?:in|with) (?:(?:\w+ )*colou?r$|(?:{_COLOURS})\b)"
    asked = re.search(r"\bcolou?rs?\b", question) and not re.search(named, question)
    return "colour" if asked else "object"
