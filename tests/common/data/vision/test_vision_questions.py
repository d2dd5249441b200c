"""VQAv2, easy-VQA and DAQUAR: answers, kinds of questions, splits by picture."""

import pytest

from common.data import DataError
from common.data.vision.daquar import question_kind as daquar_kind
from common.data.vision.easy_vqa import question_kind as easy_kind
from common.data.vision.vqa import types_of
from tests.common.data.vision.made import keys, load, shape_of, write_daquar, write_easy, write_vqa

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_vqa_keeps_all_ten_answers(tmp_path):
    write_vqa(tmp_path)
    corpus = load("vqa_v2", tmp_path)
    assert shape_of(corpus) == {"train": 36, "validation": 4, "test": 40} and corpus.task == "question"
    sample = corpus.splits["test"][0]
    assert sample.answers == ("2",) * 7 + ("3",) * 3 and sample.question == "How many 0?"
    assert sample.kind == "number | how many"
    assert types_of(sample.kind) == {"answer_type": "number", "question_type": "how many"}
    assert types_of(daquar_kind("what is left of the lamp")) == types_of("") == {}
    assert not keys(corpus.splits["train"]) & keys(corpus.splits["validation"])
    write_vqa(tmp_path, annotated=1)
    with pytest.raises(DataError, match="different question ids"):
        load("vqa_v2", tmp_path)


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
