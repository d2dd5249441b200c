"""The real corpora, where they are at hand."""

from collections import Counter

import pytest

from common.data.vision import VisionDataConfig, load_vision
from common.data.vision.opening import open_image
from tests.real_data import DATA

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def corpus_for(name, **options):
    if not (DATA / name).is_dir():
        pytest.skip(f"no {DATA / name}; set MULTISTREAM_DATA")
    return load_vision(VisionDataConfig(name=name, path=str(DATA / name), check="exists", **options))


def sizes(corpus):
    return tuple(map(len, corpus.splits.values()))


def test_flickr8k():
    corpus = corpus_for("flickr8k")
    assert sizes(corpus) == (5997, 1000, 1000)
    assert all(len(s.captions) == 5 for samples in corpus.splits.values() for s in samples)
    # 94 photographs are in no list; the train list lacks three. No copy crosses the splits.
    assert len(corpus.warnings) == 2 and "94 of 8091 pictures" in corpus.warnings[0]
    assert open_image(corpus.splits["test"][0].images[0]).size == (160, 160)


def test_easy_vqa():
    corpus = corpus_for("easy_vqa")
    assert sizes(corpus)[0] + sizes(corpus)[1] == 38575 and sizes(corpus)[2] == 9673 and not corpus.warnings
    assert Counter(s.kind for s in corpus.splits["test"]) == {"yes/no": 7136, "colour": 1280, "shape": 1257}
    colours = {s.answers[0] for s in corpus.splits["train"] if s.kind == "colour"}
    shapes = {s.answers[0] for s in corpus.splits["train"] if s.kind == "shape"}
    assert len(colours) == 8 and shapes == {"circle", "rectangle", "triangle"}
    train, validation = ({s.images[0].key for s in corpus.splits[name]} for name in ("train", "validation"))
    assert not train & validation and len(train | validation) == 4000 and len(validation) == 400


def test_daquar():
    corpus = corpus_for("daquar")
    assert sizes(corpus)[0] + sizes(corpus)[1] == 6795 and sizes(corpus)[2] == 5673 and not corpus.warnings
    numbers = [s.answers for s in corpus.splits["train"] if s.kind == "number"]
    assert sum(all(a.isdigit() for a in answers) for answers in numbers) / len(numbers) > 0.99
    pictures = {name: {s.images[0].key for s in samples} for name, samples in corpus.splits.items()}
    # One of the 795 listed training photographs and one of the 654 for test have no question.
    assert len(pictures["train"] | pictures["validation"]) == 794 and len(pictures["test"]) == 653
