"""Phonemes of every kind of word; the batched network equals g2p-en; homographs by whichever tagger is there."""

import json
import pickle
import zipfile
from pathlib import Path

import pytest

from benchmarks.lexicon import load_g2p_en
from common.streams import UNKNOWN_SYMBOL, homographs, network
from common.streams.numbers import spoken
from common.streams.phonetic import PhoneticAnalyser

UNKNOWN = [UNKNOWN_SYMBOL]


@pytest.fixture(autouse=True)
def no_nltk_data(monkeypatch, tmp_path):
    monkeypatch.setattr(homographs, "_folders", lambda: [tmp_path / "nltk_data"])


@pytest.fixture
def phonetic():
    return PhoneticAnalyser()


def analyse(analyser, word):
    return analyser.analyse(analyser.key(word))


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("film", "F IH1 L M"),
        ("FILM", "F IH1 L M"),
        ("n't", "AH0 N T"),
        ("n’t", "AH0 N T"),
        ("'film'", "F IH1 L M"),
        ("café", "K AH0 F EY1"),
        ("21st", "T W EH1 N T IY0 F ER1 S T"),
        ("٧", "S EH1 V AH0 N"),
        ("", ""), (".", ""), ("'", ""), ("#", ""), ("😀", ""), ("👩‍🚀", ""), ("__", ""), ("\u200b", ""), ("\ud800", ""),
    ],
)  # fmt: skip
def test_word(phonetic, word, phonemes):
    assert " ".join(analyse(phonetic, word)) == phonemes


@pytest.mark.parametrize("word", ["хорошо", "電影", "हिन्दी", "ταινία", "فيلم"])
def test_word_of_another_script_is_one_unknown(phonetic, word):
    assert analyse(phonetic, word) == UNKNOWN


def test_mixed_word_reads_its_latin_letters(phonetic):
    assert analyse(phonetic, "film電影") == analyse(phonetic, "film")
    assert analyse(phonetic, "spielbergian's")[-1] == "Z"


def test_any_word_is_bounded_and_known(phonetic):
    for word in ("a" * 10_000, "9" * 10_000, "é" * 10_000, "xq" * 5000, "1a" * 5000):
        symbols = analyse(phonetic, word)
        assert 0 < len(symbols) <= 64 * 5 and set(symbols) <= set(phonetic.symbols)


@pytest.mark.parametrize(
    ("digits", "suffix", "words"),
    [
        ("0", "", "zero"), ("007", "", "seven"), ("20", "th", "twentieth"), ("8", "th", "eighth"),
        ("90", "s", "nineties"),
        ("1999", "", "nineteen ninety nine"), ("1905", "", "nineteen oh five"), ("1900", "s", "nineteen hundreds"),
        ("2000", "", "two thousand"), ("2005", "", "two thousand five"), ("12", "th", "twelfth"), ("6", "s", "sixes"),
        ("1000000", "", "one million"), ("1" * 13, "", " ".join(["one"] * 13)), ("100", "th", "one hundredth"),
    ],
)  # fmt: skip
def test_numbers(digits, suffix, words):
    assert " ".join(spoken(digits, suffix)) == words


def test_numbers_as_inflect():
    inflect = pytest.importorskip("inflect").engine()
    for number in [*range(60), 99, 100, 110, 342, 3000, 10_001, 987_654, 10**9, 999_999_999_999]:
        plain = inflect.number_to_words(number, andword="").replace("-", " ").replace(",", "").split()
        assert spoken(str(number)) == plain
        ordinal = inflect.number_to_words(inflect.ordinal(number), andword="").replace("-", " ").replace(",", "")
        assert spoken(str(number), "th") == ordinal.split()


@pytest.mark.parametrize("batch", [512, 7])
def test_batched_network_equals_g2p_en(phonetic, monkeypatch, batch):
    monkeypatch.setattr(network, "_BATCH", batch)
    pytest.importorskip("g2p_en")
    g2p, _ = load_g2p_en()
    assert tuple(g2p.phonemes[4:]) == network.PHONEMES
    assert set(p for entry in homographs.homographs().values() for p in " ".join(entry[:2]).split()) <= set(
        network.PHONEMES
    )
    words = ["zorblax", "spielbergian", "q", "unfilmable", "mcfoo", "schadenfreudelike", "kubrickesque", "a" * 24]
    words += ["zorblax", "zorblaxian", "zorb", "zörb", "zorblaxed"]
    words += ["".join(chr(97 + (i * i * k + 3 * k) % 26) for i in range(2 + k % 9)) for k in range(80)]
    expected = [[p for p in g2p.predict(word) if not p.startswith("<")] for word in words]
    assert network.predict(words) == expected
    assert network.predict([]) == []
    # A word of the dictionary is the dictionary's, one outside the network's.
    assert analyse(phonetic, "movie") == g2p.cmu["movie"][0]
    assert analyse(phonetic, "zorblax") == expected[0]


def test_homographs_without_a_tagger_take_the_dictionary(phonetic):
    assert phonetic.tagger == "" and phonetic.keys(["I", "refuse"]) == ["i", "refuse"]
    assert phonetic.candidates("Refuse") == ["refuse"]


def write_json_tagger(folder: Path) -> None:
    """A tagger that calls everything after "to" a verb, the rest a noun."""
    name = homographs.JSON_MODEL
    place = folder / "nltk_data" / "taggers" / name
    place.mkdir(parents=True)
    weights = {"i-1 word to": {"VB": 2.0}, "bias": {"NN": 1.0}}
    for part, content in (("weights", weights), ("tagdict", {}), ("classes", ["NN", "VB"])):
        (place / f"{name}.{part}.json").write_text(json.dumps(content))


def test_homographs_by_the_json_tagger(tmp_path):
    write_json_tagger(tmp_path)
    phonetic = PhoneticAnalyser()
    assert phonetic.tagger == homographs.JSON_MODEL
    keys = phonetic.keys(["I", "want", "to", "refuse", "the", "refuse", ",", "he", "said"])
    assert keys == ["i", "want", "to", "refuse#1", "the", "refuse#2", ",", "he", "said"]
    verb, noun = phonetic.analyse_many(["refuse#1", "refuse#2"])
    assert " ".join(verb) == "R IH0 F Y UW1 Z" and " ".join(noun) == "R EH1 F Y UW2 Z"
    assert phonetic.candidates("Refuse") == ["refuse#1", "refuse#2"] and phonetic.candidates("film") == ["film"]
    # A later machine with the tagger reads alike; one without says so; one told to use none does not look.
    again = PhoneticAnalyser.from_state(phonetic.state())
    assert again.keys(["to", "refuse"]) == ["to", "refuse#1"] and again.fingerprint() == phonetic.fingerprint()
    assert PhoneticAnalyser.from_state({"tagger": ""}).keys(["to", "refuse"]) == ["to", "refuse"]


def test_missing_tagger_is_reported():
    with pytest.warns(UserWarning, match="NLTK_DATA"):
        PhoneticAnalyser.from_state({"tagger": homographs.PICKLE_MODEL})


class _Harmful:
    def __reduce__(self):
        return (print, ("never",))


@pytest.mark.parametrize("harmful", [False, True])
def test_pickled_tagger_makes_containers_only(tmp_path, harmful):
    name = homographs.PICKLE_MODEL
    path = tmp_path / "nltk_data" / "taggers" / f"{name}.zip"
    path.parent.mkdir(parents=True)
    model = ({"bias": {"NN": 1.0}, "i-1 word to": {"VB": 2.0}}, {}, {"NN", "VB"})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/{name}.pickle", pickle.dumps(_Harmful() if harmful else model, protocol=2))
    phonetic = PhoneticAnalyser()
    if harmful:
        with pytest.raises(pickle.UnpicklingError, match="only plain containers"):
            phonetic.keys(["to", "refuse"])
    else:
        assert phonetic.tagger == name and phonetic.keys(["to", "refuse"]) == ["to", "refuse#1"]
