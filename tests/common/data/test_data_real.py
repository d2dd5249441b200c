"""The real corpora, where they are at hand."""

import pytest

from common.data import DataConfig, DataError, load_text
from common.data.language import CorpusConfig
from common.data.language.corpus import load_corpus
from tests.real_data import DATA


def config_for(name, folder, **options):
    if not (DATA / folder).is_dir():
        pytest.skip(f"no {DATA / folder}; set MULTISTREAM_DATA")
    return DataConfig(name=name, path=str(DATA / folder), **options)


def sizes(data):
    return tuple(len(data.splits[name]) for name in ("train", "validation", "test"))


def test_sst5_counts_and_its_three_repeated_texts():
    with pytest.warns(UserWarning):
        data = load_text(config_for("sst5", "sst5"))
    assert sizes(data) == (8544, 1101, 2210)
    assert data.warnings == (
        "sst5: 1 texts (2 of 1101 validation examples, 0.18%) stand in both train and validation",
        "sst5: 2 texts (2 of 2210 test examples, 0.09%) stand in both train and test",
    )
    assert not any("-RRB-" in text or "n't" in text.split() for text in data.splits["train"].texts)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_sst2_counts():
    assert sizes(load_text(config_for("sst2", "sst5"))) == (6920, 872, 1821)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_trec_is_refused_for_its_overlap_until_allowed():
    with pytest.raises(DataError, match=r"11 texts \(11 of 500 test examples, 2.20%\).*--data.allow-overlap"):
        load_text(config_for("trec", "trec"))
    data = load_text(config_for("trec", "trec", allow_overlap=True))
    assert sizes(data)[0] + sizes(data)[1] == 5452 and sizes(data)[2] == 500
    fine = load_text(config_for("trec_fine", "trec", allow_overlap=True))
    assert len(fine.label_names) == 50


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_imdb_counts():
    data = load_text(config_for("imdb", "imdb"))
    assert sizes(data) == (22496, 2500, 24996)
    assert any("123 of 24996 test examples" in note for note in data.warnings)


def corpus_for(name, folder, tmp_path, **options):
    if not (DATA / folder).is_dir():
        pytest.skip(f"no {DATA / folder}; set MULTISTREAM_DATA")
    config = CorpusConfig(name=name, path=str(DATA / folder), **options)
    return load_corpus(config, tmp_path, workers=1, progress=False)


def test_wikitext_has_its_official_sizes_and_articles(tmp_path):
    found = corpus_for("wikitext-103", "wikitext", tmp_path, tokenizer="minilm")
    counts = {name: split.counts for name, split in found.splits.items()}
    assert {name: (c.words, c.words + c.lines) for name, c in counts.items()} == {
        "validation": (213_886, 217_646), "test": (241_211, 245_569),
    }  # fmt: skip
    assert counts["validation"].documents == 60 and counts["test"].documents == 60
    assert not found.warnings and counts["test"].tokens > counts["test"].words
