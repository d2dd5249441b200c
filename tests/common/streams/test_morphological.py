"""Morphs: trained deterministically, found by the same search as Morfessor's, defined for every kind of word."""

import json
import random

import pytest

from common.streams import UNKNOWN_SYMBOL
from common.streams.morphological import NUMBER, MorphologicalAnalyser

STEMS = ["play", "work", "watch", "film", "walk", "talk", "jump", "laugh", "cook", "paint"]
WORDS = {stem + ending: 3 for stem in STEMS for ending in ("", "s", "ed", "ing", "er", "able")}
WORDS |= {"un" + stem + "able": 2 for stem in STEMS} | {"'s": 9, "n't": 5, "1999": 4, "zyx": 1}


@pytest.fixture(scope="module")
def fitted():
    return MorphologicalAnalyser.fit(WORDS)


def test_unseen_word_is_cut_into_known_morphs(fitted):
    assert fitted.analyse("unfilming")[0] == "un" and fitted.analyse("unfilming")[-1] == "ing"
    assert set(fitted.analyse("unfilming")) <= set(fitted.symbols)


def test_deterministic_and_leaves_the_global_generator_alone(fitted):
    random.seed(5)
    state = random.getstate()
    again = MorphologicalAnalyser.fit(dict(reversed(WORDS.items())))
    assert again.state() == fitted.state() and again.fingerprint() == fitted.fingerprint()
    assert random.getstate() == state


def test_state_is_json_and_segments_again(fitted):
    again = MorphologicalAnalyser.from_state(json.loads(json.dumps(fitted.state())))
    for word in ("unfilming", "zyx", "хорошо", "watchers", "1999s"):
        assert again.analyse(word) == fitted.analyse(word)


def test_search_equals_morfessor(fitted):
    import morfessor

    model = morfessor.BaselineModel()
    for morph, count in fitted.state()["morphs"].items():
        model._add_compound(morph, count)
    model._corpus_coding.boundaries = fitted._tokens - model._corpus_coding.tokens
    for word in ("unfilming", "q", "watchqers", "playplay", "неun", "s" * 40):
        assert fitted.segment(word) == model.viterbi_segment(word, addcount=0)[0]


@pytest.mark.parametrize("word", ["", ".", "'", "😀", "__", "\u200b", "\ud800"])
def test_nothing_to_cut(fitted, word):
    assert fitted.analyse(fitted.key(word)) == []


def test_numbers_unknown_letters_and_length(fitted):
    assert fitted.analyse("1999") == [NUMBER] and fitted.analyse("90s")[0] == NUMBER
    assert fitted.analyse("хорошо") == [UNKNOWN_SYMBOL]  # one, not six
    assert "zyx" not in fitted.symbols  # occurred once
    assert len(fitted.segment(fitted.key("play" * 2500))) <= 64


def test_no_words_at_all():
    empty = MorphologicalAnalyser.fit({})
    assert empty.symbols == (NUMBER,) and empty.analyse("film") == [UNKNOWN_SYMBOL]
