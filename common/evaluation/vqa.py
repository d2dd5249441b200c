"""Visual question answering: soft accuracy over several human answers, exact match and word overlap.

Soft accuracy and normalisation are those of the official program, ``vqaEval.py`` of VQA v2 (Antol et al. 2015, "VQA:
Visual Question Answering").
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_AGREEING = 3  # people whose answer counts as fully right
_ARTICLES = frozenset(["a", "an", "the"])
_COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {"none": "0"} | {word: str(n) for n, word in enumerate(_COUNTS)}
_CONTRACTIONS = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've
    he's how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've
    o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
    someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've
    there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's
    what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've
    wouldn't wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've
"""
_SPELT = {
    word[: at.start()] + word[at.end() :]: word for word in _CONTRACTIONS.split() for at in re.finditer("'", word)
}
_SPELT["somebody'd"] = "somebodyd"  # as in the official table, if for no reason
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'  # neither the colon of "10:30" nor the apostrophe
_DIGIT_COMMA = re.compile(r"\d,\d")
_FULL_STOP = re.compile(r"\.(?!\d)")
_FULL_STOPS = 32  # that go; the official program hands a flag of that value over as their number


@dataclass(frozen=True)
class VqaScores:
    """Scores in 0..1: ``accuracy`` (soft), ``exact_match`` and ``token_f1``."""

    overall: dict[str, float]
    """Means over the questions."""
    by_type: dict[str, dict[str, float]]
    """The same for each type of question; empty without types."""
    per_example: dict[str, NDArray[np.float64]]
    """``[N]`` each, in the order of the questions, for paired tests."""


def vqa_scores(
    predictions: Sequence[str], answers: Sequence[Sequence[str]], question_types: Sequence[str] | None = None
) -> VqaScores:
    """Scores of N predicted answers.

    Args:
        predictions: one for each question.
        answers: what people answered to each question: 10 in VQA, 1 in DAQUAR. See :func:`soft_accuracy`.
        question_types: of each question, for scores by type.

    Raises:
        ValueError: for no question, arguments of different lengths, or a question without answers.
    """
    lengths = {len(predictions), len(answers), len(predictions if question_types is None else question_types)}
    if len(lengths) > 1 or not predictions:
        raise ValueError(
            f"expected as many predictions, answers and types, more than 0, got {len(predictions)} predictions, "
            f"{len(answers)} answers and {'no' if question_types is None else len(question_types)} types"
        )
    rows = [
        (soft_accuracy(said, given), exact_match(said, given), token_f1(said, given))
        for said, given in zip(predictions, answers, strict=True)
    ]
    accuracy, exact, overlap = np.array(rows).T
    per_example = {"accuracy": accuracy, "exact_match": exact, "token_f1": overlap}
    return VqaScores(
        overall={name: float(values.mean()) for name, values in per_example.items()},
        by_type=means_by_type(per_example, question_types or ()),
        per_example=per_example,
    )


def means_by_type(
    per_example: Mapping[str, NDArray[np.float64]], question_types: Sequence[str]
) -> dict[str, dict[str, float]]:
    """The means over the questions of each type, types in order of their names.

    Args:
        per_example: scores ``[N]`` by name.
        question_types: of each of the N questions; empty for none.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for n, kind in enumerate(question_types):
        members[kind].append(n)
    return {
        kind: {name: float(values[numbers].mean()) for name, values in per_example.items()}
        for kind, numbers in sorted(members.items())
    }


def soft_accuracy(prediction: str, answers: Sequence[str]) -> float:
    """``min(people who said so / 3, 1)``, averaged over the sets of answers that leave one out (Antol et al. 2015).

    With ten answers: 0.3, 0.6, 0.9 and 1 for 1, 2, 3 and at least 4 equal ones. As in the official program,
    prediction and answers are normalised where people differ; where all wrote the same, letter by letter, the
    prediction must be just that: "Yes." does not equal ten times "yes".

    The rule needs at least 4 answers, as no set would reach 3 otherwise; with 1 to 3 answers this is
    :func:`exact_match`, which always normalises.

    Raises:
        ValueError: without answers.
    """
    if len(answers) <= _AGREEING:
        return exact_match(prediction, answers)
    said, given = _trimmed(prediction), [_trimmed(answer) for answer in answers]
    if len(set(given)) > 1:
        said, given = normalise_answer(said), [normalise_answer(answer) for answer in given]
    equal = [answer == said for answer in given]
    return float(np.mean([min((sum(equal) - left_out) / _AGREEING, 1.0) for left_out in equal]))


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """1 if any of `answers` is the same once normalised, else 0. Raises ValueError without answers."""
    return float(normalise_answer(prediction) in {normalise_answer(answer) for answer in _given(answers)})


def token_f1(prediction: str, answers: Sequence[str]) -> float:
    """F1 of the words of normalised answers, the best over `answers`, as in SQuAD (Rajpurkar et al. 2016).

    An answer without words, say "the", only matches another one without words. Raises ValueError without answers.
    """
    said = Counter(normalise_answer(prediction).split())
    return max(_f1(said, Counter(normalise_answer(answer).split())) for answer in _given(answers))


@lru_cache(maxsize=1 << 16)
def normalise_answer(text: str) -> str:
    """`text` in lower case without punctuation and articles, with digits for "none", "zero" to "ten".

    As in the official ``vqaEval.py``: a sign next to a blank is dropped and becomes a blank otherwise, "red/white" two
    words, but all signs are dropped if a comma stands between digits, "1,000" one number; the dot of "3.5" stays, and
    "dont" becomes "don't".
    """
    text = _trimmed(text)
    number = _DIGIT_COMMA.search(text) is not None
    plain = text
    for sign in _PUNCTUATION:
        alone = number or f"{sign} " in text or f" {sign}" in text
        plain = plain.replace(sign, "" if alone else " ")
    words = (_NUMBERS.get(word, word) for word in _FULL_STOP.sub("", plain, count=_FULL_STOPS).lower().split())
    return " ".join(_SPELT.get(word, word) for word in words if word not in _ARTICLES)


def _trimmed(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()


def _f1(said: Counter[str], answer: Counter[str]) -> float:
    if not said or not answer:
        return float(said == answer)
    return 2 * (said & answer).total() / (said.total() + answer.total())


def _given(answers: Sequence[str]) -> Sequence[str]:
    if isinstance(answers, str) or not answers:
        raise ValueError(f"expected a list of at least one answer for each question, got {answers!r}")
    return answers
