"""Texts whose label stands in several streams, or in several together: readers of each set of streams are as good as
planted.
"""

from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from alpha_validity.texts import text_settings
from common.data import DataConfig, DataError, load_text
from common.data.planted import STREAMS, planted_examples, planted_parts, planted_truth
from common.evaluation.importance import subsets
from common.evaluation.planted_parts import parts_of, readable, shapley_shares
from tests.common.data.test_data_planted import AFFIXED, HEARD, _labels_seen

PAIRS = text_settings(("phonetic", "morphological"))
JOINT = {name: shares for name, shares in text_settings().items() if "redundant" in name or "synergistic" in name}
MIXED = {
    "redundant and alone": (("meaning=phonetic", 0.6), ("morphological", 0.4)),
    "synergistic and alone": (("phonetic+morphological", 0.5), ("meaning", 0.3), ("phonetic", 0.2)),
    "both": (("meaning=phonetic", 0.25), ("phonetic+morphological", 0.5), ("meaning", 0.25)),
    "two depths": (("meaning+phonetic+morphological", 0.5), ("meaning=phonetic", 0.5)),
}


def config(shares, classes=2, train=4000):
    return DataConfig(planted_shares=shares, planted_classes=classes, planted_sizes=(train, 50, 4000))


def table_accuracy(examples, present):
    """Test accuracy of a table from what the streams `present` show to the label that is most frequent with it."""

    def seen(example):
        return tuple(dict(example.cues)[stream] for stream in sorted(present))

    counts = Counter((seen(example), example.label) for example in examples["train"])
    answer = {key: label for (key, label), _ in sorted(counts.items(), key=lambda item: item[1])}
    return np.mean([answer.get(seen(example)) == example.label for example in examples["test"]])


@pytest.mark.parametrize("shares", (PAIRS | JOINT | MIXED).values(), ids=(PAIRS | JOINT | MIXED).keys())
@pytest.mark.parametrize("classes", [2, 4])
def test_a_reader_of_some_streams_is_right_as_often_as_planted(shares, classes):
    chosen = config(shares, classes)
    examples, parts = planted_examples(chosen), planted_parts(chosen)
    for present in subsets(STREAMS):
        expected = 1 / classes + (1 - 1 / classes) * readable(parts, present)
        assert table_accuracy(examples, present) == pytest.approx(expected, abs=0.04), present


def test_redundant_streams_suffice_alone_and_synergistic_ones_only_together():
    for pair in (("meaning", "phonetic"), ("meaning", "morphological"), ("phonetic", "morphological")):
        same, split = (planted_examples(config(((sign.join(pair), 1.0),), classes=3)) for sign in "=+")
        for stream in pair:
            assert table_accuracy(same, {stream}) == 1.0
            assert table_accuracy(split, {stream}) == pytest.approx(1 / 3, abs=0.04)
        assert table_accuracy(split, set(pair)) == 1.0
        assert table_accuracy(same, set(STREAMS) - set(pair)) == pytest.approx(1 / 3, abs=0.04)


def test_a_linear_reader_of_the_words_fails_at_synergy_alone():
    def accuracy(shares):
        splits = load_text(config(shares, train=3000)).splits
        words = CountVectorizer().fit(splits["train"].texts)
        reader = LogisticRegression(max_iter=1000).fit(words.transform(splits["train"].texts), splits["train"].labels)
        return reader.score(words.transform(splits["test"].texts), splits["test"].labels)

    assert accuracy((("meaning=phonetic", 1.0),)) > 0.97  # the words of `meaning` are those of training
    assert accuracy((("meaning+phonetic", 1.0),)) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_words_show_what_was_planted(split):
    for name in ("phonetic=morphological", "phonetic+morphological"):
        for example in planted_examples(config(((name, 1.0),), train=400))[split][:400]:
            cues = dict(example.cues)
            assert example.carrier == name and cues["meaning"] is None
            assert _labels_seen(example.words, HEARD) == {cues["phonetic"]}
            assert cues["morphological"] in _labels_seen([word for word in example.words if len(word) > 4], AFFIXED)
            both = (cues["phonetic"] + cues["morphological"]) % 2
            assert example.label == (both if "+" in name else cues["phonetic"])


def test_labels_and_shares_are_exact_in_every_part():
    examples = planted_examples(config(MIXED["both"]))["train"]
    assert Counter(example.carrier for example in examples) == {
        "meaning": 1000, "meaning=phonetic": 1000, "phonetic+morphological": 2000,
    }  # fmt: skip
    for carrier in ("meaning=phonetic", "phonetic+morphological"):
        assert np.mean([example.label for example in examples if example.carrier == carrier]) == 0.5


def test_truth_is_the_shapley_share():
    for shares in text_settings().values():
        if all(name in STREAMS for name, _ in shares):
            assert planted_truth(config(shares)) == dict.fromkeys(STREAMS, 0.0) | dict(shares)  # to the last digit
    truth = planted_truth(config(MIXED["both"]))
    assert truth == {"meaning": 0.375, "phonetic": 0.375, "morphological": 0.25}
    # A model without a stream: what is redundant in it stands in the other, what needs it is lost.
    parts = parts_of(MIXED["both"])
    assert shapley_shares(parts, ("phonetic",)) == {"phonetic": 0.25}
    assert shapley_shares(parts, ("meaning", "morphological")) == {"meaning": 0.5, "morphological": 0.0}
    assert [part.name for part in parts_of(MIXED["both"])] == [name for name, _ in MIXED["both"]]


def test_texts_of_single_streams_stay_what_they_were():
    # Records of runs hold these fingerprints.
    wanted = {
        "11920811e27c2812": DataConfig(),
        "3ec2e2f8d2aae9a8": DataConfig(planted_sizes=(1120, 240, 240)),
        "24d6babb5ff0639c": DataConfig(planted_shares=(("phonetic", 1.0),)),
    }
    assert [load_text(one).fingerprint[:16] for one in wanted.values()] == list(wanted)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((("meaning=smell", 1.0),), "names each of meaning, phonetic, morphological at most once"),
        ((("meaning=meaning", 1.0),), "unique part has one stream"),
        ((("meaning=phonetic+morphological", 1.0),), "either redundant"),
        ((("meaning+phonetic", 0.5), ("phonetic+meaning", 0.5)), "joined by"),
        ((("meaning+phonetic", 0.5), ("meaning=phonetic=morphological", 0.5)), "nobody can tell them"),
    ],
)
def test_parts_that_cannot_be_planted_are_refused(shares, message):
    with pytest.raises(DataError, match=message):
        load_text(DataConfig(planted_shares=shares))
