"""Captions: tokens as the Java program gives them, scores worked by hand, and both against pycocoevalcap."""

import csv
import random
import shutil

import numpy as np
import pytest

from common.evaluation.captions import caption_scores, human_agreement, ptb_tokenize
from common.evaluation.captions.bleu import bleu
from common.evaluation.captions.cider import cider_d
from common.evaluation.captions.rouge import rouge_l
from tests.real_data import DATA

NAMES = {"bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider_d"}
REFERENCES = {
    "1.jpg": ["A brown dog runs over the grass .", "The dog is running fast on green grass .", "A dog outside"],
    "2.jpg": ["Two children play soccer on a field .", "Kids are playing with a ball .", "Two kids play ."],
    "3.jpg": ["A man climbs a steep rock .", "The climber is on the rock face .", "Someone climbing up a cliff"],
}


def split(*texts):
    return [text.split() for text in texts]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [  # what the Java program prints, without punctuation
        ("I can't, they'll; it's DON'T", "i ca n't they 'll it 's do n't"),
        ("a dog’s toy, he isn’t", "a dog 's toy he is n't"),
        ("she should've, mustn't've", "she should 've must n't 've"),
        ("we cannot, gonna gotta wanna gimme", "we can not gon na got ta wan na gim me"),
        ("'tis rock 'n' roll o'clock O'Brien 'em c'mon", "'t is rock 'n' roll o'clock o'brien 'em c'mon"),
        ("the 80's, the '90s and 1980s", "the 80 's the '90s and 1980s"),
        ("dogs' toys, 'hello' \"hi\" ``so'' slip n 'slide", "dogs toys hello hi so slip n slide"),
        ("two (red) [big] {old}", "two -lrb- red -rrb- -lsb- big -rsb- -lcb- old -rcb-"),
        ("a t-shirt, black-and-white dog - -ependent", "a t-shirt black-and-white dog ependent"),
        ("red,white-striped", "red,white-striped"),
        ("dog,cat man.The 5.5-inch", "dog cat man.the 5.5-inch"),
        ("1,000 or 3.5 or 1/2, 24/7 and/or 12:30", "1,000 or 3.5 or 1/2 24/7 and/or 12:30"),
        ("5 1/2 feet", "5\xa01/2 feet"),
        ("Mr. Smith of the U.S. at 5 p.m.", "mr. smith of the u.s. at 5 p.m."),
        ("Dr. J. R. Jones etc. No. 5, he said no.", "dr. j. r. jones etc. no. 5 he said no"),
        ("a S.C.U.B.A. diver in statefarm.com hat .", "a s.c.u.b.a. diver in statefarm.com hat"),
        ("AT&T &amp; R&B, salt&pepper", "at&t & r&b salt & pepper"),
        ("#1, # 7 #dog @home a@b.com", "# 1 # 7 #dog @home a@b.com"),
        ("$5, £5, 50% a = b + c", "$ 5 # 5 50 % a = b + c"),
        ("what?! no!! wait... yes -- no - ;", "what ?! no !! wait yes no"),
        ("smile :) :-) <3", "smile :-rrb- :--rrb- < 3"),
        ("a 🐶 dog 😀 ♥ – café naïve", "a dog ♥ café naïve"),
        ("http://a.b/c. www.dog.com", "http://a.b/c www.dog.com"),
        ("a\nb \t c", "a b c"),
        ("", ""),
        (" . ", ""),
    ],
)
def test_tokens(text, tokens):
    assert ptb_tokenize(text) == (tokens.split(" ") if tokens else [])


def test_plain_captions_keep_their_words():
    words = ["a", "dog", "t-shirt", "runs", "cant", "gonna-be", "2", "1,000", "n't", "Mr.", "lrb", "café"]
    draw = random.Random(0)
    for _ in range(200):
        chosen = draw.choices(words, k=draw.randint(1, 9))
        for end in ("", " .", " !", ' " ', " , ;"):
            assert ptb_tokenize("  ".join(chosen) + end) == [word.lower() for word in chosen]


def test_bleu_clips_counts():
    # Papineni et al. 2002, section 2.1: "the" seven times, at most twice in one reference.
    references = split("the cat is on the mat", "there is a cat on the mat")
    corpus, each = bleu([["the"] * 7], [references])
    assert corpus[0] == pytest.approx(2 / 7) and corpus[1] < 1e-3
    assert corpus == pytest.approx(each[:, 0])


def test_bleu_punishes_short_captions_by_the_closest_reference():
    corpus, _ = bleu(split("the cat"), [split("the cat sat down")])
    assert corpus[:2] == pytest.approx([np.exp(-1)] * 2)
    corpus, _ = bleu(split("the cat sat down"), [split("the cat sat", "the cat sat down so")])
    assert corpus == pytest.approx(1)  # of two equally close lengths the shorter one


def test_bleu_of_a_corpus_sums_counts():
    corpus, each = bleu([["a"], ["a", "b", "c"]], [[["a"]], [["a", "x", "y"]]])
    assert each[0] == pytest.approx([1, 1 / 3]) and corpus[0] == pytest.approx(2 / 4)


def test_rouge_of_lin_2004():
    said = split("police kill the gunman", "the gunman kill police")
    _, each = rouge_l(said, [split("police killed the gunman")] * 2)
    assert each == pytest.approx([3 / 4, 2 / 4])


def test_rouge_takes_precision_and_recall_from_different_references():
    mean, _ = rouge_l(split("a b c d"), [split("a b", "a b c x y z")])
    assert mean == pytest.approx(2.44 * 0.75 * 1 / (1 + 1.44 * 0.75))


def test_cider_worked_by_hand():
    # "the" is on both images and weighs nothing; captions of two words have no cosine for n = 3, 4.
    references = [split("the dog"), split("the cat")]
    expected = {
        "the dog": 10 * 2 / 4,
        "the": 0,
        "dog": 10 / 4 * np.exp(-1 / 72),  # one bigram shorter
        "dog dog": 10 * (1 / 2) / 4,  # clipped
        "the bird": 0,
    }
    for text, score in expected.items():
        mean, each = cider_d(split(text, "the cat"), references)
        assert each == pytest.approx([score, 5.0]) and mean == pytest.approx((score + 5) / 2)


def test_a_repeated_reference_is_perfect_but_for_cider_which_averages_references():
    scores = caption_scores({name: texts[1] for name, texts in REFERENCES.items()}, REFERENCES)
    assert set(scores.corpus) == set(scores.per_example) == NAMES
    for name in NAMES - {"cider_d"}:
        assert scores.corpus[name] == pytest.approx(1) and scores.per_example[name] == pytest.approx(1)
    alone = caption_scores(
        {name: texts[1] for name, texts in REFERENCES.items()},
        {name: texts[1:2] for name, texts in REFERENCES.items()},
    )
    assert alone.per_example["cider_d"] == pytest.approx(10)
    assert 0 < scores.corpus["cider_d"] < 10


def test_order_of_images_and_references_does_not_matter():
    said = {"1.jpg": "a dog runs", "2.jpg": "a dog plays soccer", "3.jpg": "the rock"}
    scores = caption_scores(said, REFERENCES)
    again = caption_scores(said, {name: REFERENCES[name][::-1] for name in reversed(REFERENCES)})
    assert scores.ids == tuple(REFERENCES) == again.ids[::-1]
    assert scores.corpus == pytest.approx(again.corpus)
    for name in NAMES:
        assert scores.per_example[name] == pytest.approx(again.per_example[name][::-1])
        assert scores.per_example[name].min() >= 0 and scores.corpus[name] > 0
    for name in ("rouge_l", "cider_d"):
        assert scores.corpus[name] == pytest.approx(scores.per_example[name].mean())


@pytest.mark.parametrize("empty", ["", " . "])
def test_an_empty_caption_scores_nothing_and_changes_no_other(empty):
    said = {name: texts[0] for name, texts in REFERENCES.items()}
    full, scores = caption_scores(said, REFERENCES), caption_scores({**said, "2.jpg": empty}, REFERENCES)
    for name in NAMES:
        assert scores.per_example[name][1] == 0
        assert scores.per_example[name][[0, 2]] == pytest.approx(full.per_example[name][[0, 2]])
    assert caption_scores(dict.fromkeys(REFERENCES, ""), REFERENCES).corpus == dict.fromkeys(NAMES, 0)


def test_human_agreement_is_the_first_caption_against_the_others():
    first = {name: texts[0] for name, texts in REFERENCES.items()}
    expected = caption_scores(first, {name: texts[1:] for name, texts in REFERENCES.items()})
    assert human_agreement(REFERENCES).corpus == expected.corpus
    with pytest.raises(ValueError, match="1 images have fewer than two captions: x"):
        human_agreement({**REFERENCES, "x": ["a dog"]})


@pytest.mark.parametrize(
    ("said", "references", "message"),
    [
        ({}, {"a": ["a dog"]}, "no caption: a"),
        ({"a": "dog", "b": "cat"}, {"a": ["a dog"]}, "no references: b"),
        ({"a": "dog"}, {"a": []}, "no reference with words: a"),
        ({"a": "dog"}, {"a": ["...", ""]}, "no reference with words: a"),
        ({}, {}, "no references given"),
    ],
)
def test_arguments_that_do_not_fit(said, references, message):
    with pytest.raises(ValueError, match=message):
        caption_scores(said, references)


@pytest.fixture(scope="module")
def flickr8k():
    """Captions of Flickr8k by image, and the tokens that pycocoevalcap gives them."""
    tokenizer = pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer")
    if not shutil.which("java"):
        pytest.skip("no java")
    if not (DATA / "flickr8k" / "captions.csv").is_file():
        pytest.skip(f"no {DATA / 'flickr8k'}; set MULTISTREAM_DATA")
    captions: dict[str, list[str]] = {}
    with open(DATA / "flickr8k" / "captions.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            captions.setdefault(row["image"], []).append(row["caption"])
    given = {image: [{"caption": text} for text in texts] for image, texts in captions.items()}
    return captions, tokenizer.PTBTokenizer().tokenize(given)


def test_tokens_of_flickr8k_equal_those_of_the_java_program(flickr8k):
    captions, expected = flickr8k
    assert sum(map(len, captions.values())) == 40455
    ours = {image: [" ".join(ptb_tokenize(text)) for text in texts] for image, texts in captions.items()}
    assert ours == expected


def test_scores_of_flickr8k_equal_those_of_pycocoevalcap(flickr8k):
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    captions, tokens = flickr8k
    images = (DATA / "flickr8k" / "test.txt").read_text().split()
    assert len(images) == 1000
    scores = human_agreement({image: captions[image] for image in images})
    references, said = {image: tokens[image][1:] for image in images}, {image: tokens[image][:1] for image in images}
    bleu_all, bleu_each = Bleu(4).compute_score(references, said, verbose=0)
    rouge_all, rouge_each = Rouge().compute_score(references, said)
    cider_all, cider_each = Cider().compute_score(references, said)
    expected = dict(zip(sorted(NAMES), [*bleu_all, cider_all, rouge_all], strict=True))
    each = dict(zip(sorted(NAMES), [*bleu_each, cider_each, rouge_each], strict=True))
    assert scores.ids == tuple(images) and scores.corpus == pytest.approx(expected, abs=1e-9)
    for name in NAMES:
        assert scores.per_example[name] == pytest.approx(np.array(each[name]), abs=1e-9)
