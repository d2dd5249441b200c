"""Perturbed texts: the same each time, clean at rate 0, and each kind keeps what it says it keeps."""

import pytest

from common.data.perturb import perturb, perturbations
from common.data.perturb.base import in_case_of
from common.data.perturb.derivation import derived
from common.data.perturb.sounds import dictionary, pronounced, unstressed
from common.data.perturb.spelling import READ, WRITE, aligned, misspellings
from common.data.perturb.typo import neighbours
from common.streams.words import find_words

TRAINING = """
    The write movie could have one two weeks ago , but no one knew wood from meat . Their there : a great grate wait ,
    weight . Two knew stories would be right for the whole hole in the plot , see the sea , buy by ; so sew ; son sun .
    Funny and dull happiness , a goodness like no other . To know him is to be too late . Piece of peace . For Mary .
"""
TEXTS = (
    "A good movie , funny and beautiful , though no one would know its characters .",
    "The whole plot is dull ; too late to be right , but the SON waits for the Sun !",
    "Not a bad film at all : enough comedy for people who don't like laughing , 42 times .",
    "Their piece of peace is great . See the new stories , write two more .",
    "happy 😀 日本語 café Mary's x-ray", "", "   ", "...", "\ud800 odd",
)  # fmt: skip
KINDS = sorted(perturbations())


@pytest.fixture(scope="module")
def made():
    return {kind: cls(find_words(TRAINING)) for kind, cls in perturbations().items()}


def pairs(perturbation, texts=TEXTS, rate=1.0):
    """Replaced words and what they became, both in lower case."""
    found = []
    for text in texts:
        changed = perturb(text, perturbation, rate)
        both = list(zip(find_words(text), find_words(changed.text), strict=True))
        found += [(old.lower(), new.lower()) for old, new in both if old != new]
        assert sum(old != new for old, new in both) == changed.changed <= changed.eligible <= len(both)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_text_whatever_else_is_perturbed(made, kind):
    together = [perturb(text, made[kind], 0.5, seed=3) for text in TEXTS]
    made[kind].prepare({"entirely", "other", "words"})
    for text, before in reversed(list(zip(TEXTS, together, strict=True))):
        alone = perturbations()[kind](find_words(TRAINING))
        assert perturb(text, alone, 0.5, seed=3) == before == perturb(text, made[kind], 0.5, seed=3)
    assert len({tuple(perturb(text, made[kind], 0.5, seed).text for text in TEXTS) for seed in range(5)}) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_rate_0_changes_nothing_and_rate_1_every_eligible_word(made, kind):
    for text in TEXTS:
        clean, whole = (perturb(text, made[kind], rate) for rate in (0.0, 1.0))
        assert clean.text == text and clean.changed == 0
        assert whole.changed == whole.eligible == clean.eligible
    assert pairs(made[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_higher_rate_changes_what_a_lower_one_did_and_more(made, kind):
    texts = [text.replace(" ", f" {k} ", 1) for k in range(30) for text in TEXTS]
    words = eligible = changed = 0
    for text in texts:
        low, high = (perturb(text, made[kind], rate) for rate in (0.2, 0.6))
        for old, little, much in zip(*(find_words(one) for one in (text, low.text, high.text)), strict=True):
            assert little in (old, much)
        words, eligible, changed = words + high.words, eligible + high.eligible, changed + high.changed
    assert words > eligible > 100 and abs(changed / eligible - 0.6) < 0.1


def test_a_rate_is_a_share(made):
    with pytest.raises(ValueError, match="from 0 to 1"):
        perturb("text", made["typo"], 1.5)


def test_homophones_share_a_pronunciation_and_are_words_of_the_training_texts(made):
    found = pairs(made["homophone"])
    olds, news = zip(*found, strict=True)
    assert pronounced(olds) == pronounced(news)
    assert set(news) <= set(find_words(TRAINING)) and set(news) <= set(dictionary())
    assert {("write", "right"), ("too", "two")} & set(found) and "mary" not in news


def test_phonetic_misspellings_are_no_words_and_sound_the_same(made):
    olds, news = zip(*pairs(made["phonetic"]), strict=True)
    assert not set(news) & set(dictionary())
    before, after = pronounced(olds), pronounced(news)
    assert list(map(unstressed, before)) == list(map(unstressed, after))
    # The stream has stress too: on SST-5's test words 92 % of these misspellings keep it, 94 % by occurrence.
    assert sum(old == new for old, new in zip(before, after, strict=True)) >= 0.8 * len(olds)


def test_unchecked_misspellings_hold_the_checked_ones(made):
    words = {word.lower() for text in TEXTS for word in find_words(text)}
    lost = 0
    for word in words:
        checked, unchecked = (
            {one for group in made[kind].choices(word) for one in group} for kind in ("phonetic", "phonetic_unchecked")
        )
        assert checked <= unchecked
        lost += len(unchecked - checked)
    assert lost  # the network does not hear all of them as the rules of spelling do


def test_known_misspellings():
    assert "gud" in misspellings("good", ["G", "UH1", "D"])
    assert {"moovie", "movee"} <= set(misspellings("movie", ["M", "UW1", "V", "IY0"]))
    assert misspellings("xq", ["AA1"]) == [] and misspellings("hhh", []) == []


def test_a_reading_covers_all_letters_and_phonemes():
    words = [word for word in sorted(dictionary())[::997] if word.isascii() and word.isalpha()]
    read = 0
    for word, phonemes in zip(words, pronounced(words), strict=True):
        parts = aligned(word, phonemes)
        read += bool(parts)
        assert not parts or "".join(letters for letters, _ in parts) == word
        assert not parts or sum((sounds for _, sounds in parts), ()) == phonemes
    assert read > 0.85 * len(words)


def test_what_is_written_can_be_read():
    for sounds, patterns in WRITE.items():
        readable = READ.get(" ".join(unstressed(sounds.split())), "").split()
        assert len(set(patterns.split())) == len(patterns.split())
        assert sounds in ("K S", "G Z", "K W", "ZH", "AH0 L", "Y UW1", "Y UW0") or {
            pattern.strip("^$-") for pattern in patterns.split()
        } <= set(readable), sounds


def test_derivations_stand_in_no_training_text_and_keep_the_sentiment(made):
    training = {word.lower() for word in find_words(TRAINING)}
    for old, new in pairs(made["derivation"]):
        assert new not in training and not new.endswith("less") and not new.startswith(("un", "non"))
        assert new[:2] == old[:2] and new.endswith(("ness", "ly", "ish", "like"))
    assert ("goodness",) not in made["derivation"].choices("good")
    assert ("goodish",) in made["derivation"].choices("good")
    assert made["derivation"].choices("hard") and ("hardly",) not in made["derivation"].choices("hard")
    assert not made["derivation"].choices("without") and not made["derivation"].choices("don't")


@pytest.mark.parametrize(
    ("word", "suffix", "form"),
    [
        ("happy", "ness", "happiness"), ("subtle", "ly", "subtly"), ("comic", "ly", "comically"),
        ("dull", "ly", "dully"),
        ("blue", "ish", "bluish"), ("big", "est", "biggest"), ("film", "like", "filmlike"),
        ("boy", "ish", "boyish"),
    ],
)  # fmt: skip
def test_derived_forms_are_spelt_as_they_are(word, suffix, form):
    assert derived(word, suffix) == form


def test_typos_are_one_error_of_the_fingers(made):
    for old, new in pairs(made["typo"]):
        assert abs(len(old) - len(new)) <= 1 and old != new
        if len(old) == len(new):
            places = [k for k, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
            swapped = len(places) == 2 and old[places[0]] == new[places[1]]
            assert swapped or (len(places) == 1 and new[places[0]] in neighbours()[old[places[0]]])
    assert all(one in neighbours()[other] for one, around in neighbours().items() for other in around)
    assert set("wdsa") >= set(neighbours()["q"]) and not made["typo"].choices("so")


def test_capitals_are_kept():
    assert [in_case_of(old, "new") for old in ("old", "Old", "OLD", "I")] == ["new", "New", "NEW", "New"]
