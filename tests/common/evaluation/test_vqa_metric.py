"""Scores of answers: the rules of the official evaluation of VQA, worked by hand."""

import random

import pytest

from common.evaluation.vqa import exact_match, normalise_answer, soft_accuracy, token_f1, vqa_scores


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("The Dog.", "dog"),
        ("a an the", ""),
        ("none", "0"),
        ("Two dogs", "2 dogs"),
        ("tenth", "tenth"),
        ("red/white", "red white"),  # a sign between words becomes a blank,
        ("red / white", "red white"),
        ("red, white", "red white"),  # one beside a blank goes,
        ("t-shirt", "t shirt"),
        ("x-ray - y", "xray y"),  # and so do all of its kind
        ("garbage_bin", "garbage bin"),
        ("1,000", "1000"),  # a comma between digits removes every sign
        ("1,000/day", "1000day"),
        ("3.5", "3.5"),
        ("u.s.", "us"),
        ("." * 33 + "x", ".x"),  # the official program drops 32
        ("10:30", "10:30"),
        ("dont", "don't"),
        ("Don't", "don't"),
        ("couldnt've couldn'tve", "couldn't've couldn't've"),
        ("twas 5 oclock", "'twas 5 o'clock"),
        ("well wed shed", "well wed shed"),  # words of their own
        (" on\tthe\nleft ", "on left"),
        ("yes!", "yes"),
        ("", ""),
    ],
)
def test_normalised_answers(text, normalised):
    assert normalise_answer(text) == normalised


@pytest.mark.parametrize(("agreeing", "score"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (9, 1)])
def test_soft_accuracy_of_ten_answers(agreeing, score):
    answers = ["Two."] * agreeing + [f"x{n}" for n in range(10 - agreeing)]
    random.Random(agreeing).shuffle(answers)
    assert soft_accuracy("2", answers) == pytest.approx(score)


@pytest.mark.parametrize(
    ("said", "answer", "score"),
    [
        ("two dogs", "two dogs", 1),
        ("Two dogs", "Two dogs", 1),
        ("two dogs", " two\tdogs\n", 1),  # blanks are made alike in any case
        ("Two dogs", "two dogs", 0),
        ("2 dogs", "two dogs", 0),
        ("two dogs.", "two dogs", 0),
        ("the two dogs", "two dogs", 0),
    ],
)
def test_where_all_wrote_the_same_letters_count(said, answer, score):
    """As the official program: nothing is normalised then, and all is as soon as one person differs."""
    assert soft_accuracy(said, [answer] * 10) == soft_accuracy(said, [answer] * 4) == score
    assert soft_accuracy(said, [answer] * 9 + ["cat"]) == 1
    assert soft_accuracy(said, [answer] * 9 + ["Two Dogs"]) == 1
    assert soft_accuracy(said, [answer]) == soft_accuracy(said, [answer] * 3) == exact_match(said, [answer] * 10) == 1


def test_soft_accuracy_of_fewer_answers():
    # Four answers, two equal: the sets of three hold 1, 1, 2, 2 of them.
    assert soft_accuracy("red", ["red", "red", "blue", "green"]) == pytest.approx((1 + 1 + 2 + 2) / 3 / 4)
    assert soft_accuracy("red", ["red"] * 4) == 1
    assert soft_accuracy("red", ["Red"]) == 1 and soft_accuracy("red", ["blue"]) == 0
    assert soft_accuracy("red", ["red", "blue", "green"]) == exact_match("red", ["red", "blue", "green"]) == 1


def test_exact_match_and_overlap():
    assert exact_match("the chair", ["a chair"]) == 1 and exact_match("chairs", ["chair"]) == 0
    assert token_f1("red dog", ["a red car"]) == pytest.approx(1 / 2)
    assert token_f1("red red dog", ["red dog"]) == pytest.approx(2 * (2 / 3) * 1 / (2 / 3 + 1))  # counted words
    assert token_f1("red dog", ["cat", "big red dog"]) == pytest.approx(4 / 5)  # the best answer
    assert token_f1("the", ["a"]) == 1 and token_f1("the", ["dog"]) == 0


def test_scores_by_type_and_per_question():
    scores = vqa_scores(
        ["2", "red", "red dog", ""],
        [["two"], ["blue"], ["red cat"], ["one"]],
        ["count", "colour", "colour", "count"],
    )
    assert scores.per_example["accuracy"].tolist() == [1, 0, 0, 0]
    assert scores.per_example["token_f1"].tolist() == [1, 0, 0.5, 0]
    assert scores.overall == {"accuracy": 0.25, "exact_match": 0.25, "token_f1": 0.375}
    assert scores.by_type["count"] == {"accuracy": 0.5, "exact_match": 0.5, "token_f1": 0.5}
    assert scores.by_type["colour"] == {"accuracy": 0, "exact_match": 0, "token_f1": 0.25}
    assert vqa_scores(["2"], [["two"]]).by_type == {}


def test_more_agreement_never_scores_less():
    draw = random.Random(0)
    for _ in range(200):
        answers = [draw.choice(["red", "blue", "dark red"]) for _ in range(10)]
        said = draw.choice(["red", "blue", "Dark-Red"])
        score = soft_accuracy(said, answers)
        assert 0 <= score <= exact_match(said, answers) <= token_f1(said, answers) <= 1
        assert soft_accuracy(said, [*answers[1:], said]) >= score - 1e-12
        assert soft_accuracy(said, draw.sample(answers, 10)) == pytest.approx(score)


@pytest.mark.parametrize(
    ("said", "answers", "types", "message"),
    [
        ([], [], None, "more than 0"),
        (["a"], [], None, "1 predictions, 0 answers and no types"),
        (["a"], [["a"]], [], "and 0 types"),
        (["a"], [[]], None, "at least one answer"),
        (["a"], ["yes"], None, "list of at least one answer"),
    ],
)
def test_arguments_that_do_not_fit(said, answers, types, message):
    with pytest.raises(ValueError, match=message):
        vqa_scores(said, answers, types)
