"""Checks on load, held-out splits, registry, and the example of the documentation."""

import importlib.util
from pathlib import Path
from unittest.mock import patch

import pytest

from common.data import Corpus, DataConfig, DataError, TextSplit, datasets, load_text, register_dataset
from common.data import text as text_module
from common.data.splits import hold_out, subset

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def corpus_of():
    """Register a corpus under a name for one test."""

    def register(**options):
        options = {"source": "made", "label_names": ("a", "b"), **options}
        register_dataset("made")(lambda config: Corpus(**options))
        return DataConfig(name="made")

    with patch.dict(text_module._DATASETS):
        yield register


def split_of(count, prefix, labels=(0, 1)):
    return TextSplit(tuple(f"{prefix} {i}" for i in range(count)), tuple(labels[i % len(labels)] for i in range(count)))


def test_every_dataset_is_registered():
    wanted = {"sst5", "sst2", "imdb", "ag_news", "trec", "trec_fine", "folder", "planted"}
    assert wanted <= set(datasets())
    with pytest.raises(DataError, match="unknown dataset 'sst6'; known: ag_news"):
        load_text(DataConfig(name="sst6"))


def test_two_loaders_of_one_name_are_refused(corpus_of):
    corpus_of(splits={})
    with pytest.raises(ValueError, match="dataset 'made' is already registered"):
        register_dataset("made")(test_every_dataset_is_registered)


def test_config_refuses_nonsense():
    for options in ({"validation_fraction": 0.0}, {"max_train": -1}, {"name": "imdb", "phrases": True}):
        with pytest.raises(ValueError):
            DataConfig(**options)
    with pytest.raises(ValueError, match="2 texts but 1 labels"):
        TextSplit(("a", "b"), (0,))


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (TextSplit(("x", "y"), (0, 2)), "example 1 of train has label 2, not one of 0–1"),
        (TextSplit(("x", "y"), (0, -1)), "label -1"),
        (TextSplit(("x", " \n"), (0, 1)), "example 1 of train has an empty text"),
        (TextSplit(("x", "y"), (0, 0)), "no training example has the label 'b'"),
        (TextSplit((), ()), "train split of made is empty"),
    ],
)
def test_bad_examples_are_named(corpus_of, train, message):
    with pytest.raises(DataError, match=message):
        load_text(corpus_of(splits={"train": train, "test": split_of(4, "test")}))


def test_missing_split_is_named(corpus_of):
    with pytest.raises(DataError, match="needs the splits train and test"):
        load_text(corpus_of(splits={"train": split_of(4, "train")}))


def test_size_mismatch_is_an_error_unless_allowed(corpus_of):
    splits = {"train": split_of(20, "train"), "test": split_of(9, "test")}
    config = corpus_of(splits=splits, official={"train": (21,), "test": (10, 9)})
    with pytest.raises(DataError, match="train has 20 examples, the official split 21.*allow_size_mismatch") as error:
        load_text(config)
    assert "test has 9" not in str(error.value)
    with pytest.warns(UserWarning):
        data = load_text(DataConfig(name="made", allow_size_mismatch=True))
    assert [note.split(", ")[0] for note in data.warnings] == [
        "made: train has 20 examples", "made: test has 9 examples",
    ]  # fmt: skip


@pytest.mark.parametrize(("shared", "fails"), [(1, False), (2, True)])
def test_overlap_is_counted_and_limited(corpus_of, shared, fails):
    train, test = split_of(300, "train"), split_of(300, "test")
    mixed = TextSplit(tuple(t.upper() + " " for t in train.texts[:shared]) + test.texts[shared:], test.labels)
    config = corpus_of(splits={"train": train, "test": mixed})
    note = rf"{shared} texts \({shared} of 300 test examples"
    if fails:
        with pytest.raises(DataError, match=note + r".*allow_overlap=True"):
            load_text(config)
        config = DataConfig(name="made", allow_overlap=True)
    with pytest.warns(UserWarning, match=note):
        data = load_text(config)
    assert len(data.warnings) == 1


def test_hold_out_is_stratified_deterministic_and_leak_free():
    texts = tuple(f"text {i // 2}" for i in range(400))  # every text twice
    train = TextSplit(texts, tuple(int(i // 2 >= 150) for i in range(400)))
    kept = ("text 3", "TEXT  4")
    rest, held = hold_out(train, 0.1, seed=1, keep=kept)
    assert (rest, held) == hold_out(train, 0.1, seed=1, keep=kept)
    assert held != hold_out(train, 0.1, seed=2, keep=kept)[1]
    assert held.labels.count(0) == 30 and held.labels.count(1) == 10
    assert len(rest) + len(held) == 400 and not set(rest.texts) & set(held.texts)
    assert not {"text 3", "text 4"} & set(held.texts)


def test_hold_out_needs_two_examples_of_a_class():
    with pytest.raises(DataError, match="single training example"):
        hold_out(TextSplit(("a", "b", "c"), (0, 0, 1)), 0.3, seed=0)


def test_subset_keeps_order_and_proportions():
    split = split_of(100, "t", labels=(0, 0, 0, 1))
    small = subset(split, 20, seed=0)
    assert small == subset(split, 20, seed=0) != subset(split, 20, seed=1)
    assert small.labels.count(1) == 5 and list(small.texts) == sorted(small.texts, key=split.texts.index)
    assert subset(split, 1000, seed=0) == split


def test_extra_training_texts_never_stand_in_a_scored_split(corpus_of):
    splits = {"train": split_of(4, "train"), "test": split_of(4, "test")}
    extra = TextSplit(("new", "Test  1"), (0, 1))
    config = corpus_of(splits={**splits, "validation": split_of(4, "validation")}, extra_train=extra)
    data = load_text(config)
    assert data.splits["train"].texts[4:] == ("new",)
    assert list(data.splits) == ["train", "validation", "test"]


def test_fingerprint_follows_the_content(corpus_of):
    splits = {name: split_of(4, name) for name in ("train", "validation", "test")}
    first = load_text(corpus_of(splits=splits)).fingerprint
    assert len(first) == 64 and first == load_text(DataConfig(name="made")).fingerprint
    other = {**splits, "test": TextSplit(splits["test"].texts, (1, 0, 1, 0))}
    assert load_text(_again(corpus_of, other)).fingerprint != first


def _again(corpus_of, splits):
    text_module._DATASETS.pop("made")
    return corpus_of(splits=splits)


@patch.dict(text_module._DATASETS)
def test_documented_example_of_a_new_dataset():
    path = REPOSITORY / "docs" / "examples" / "my_dataset.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 25
    spec = importlib.util.spec_from_file_location("my_dataset", path)
    assert spec and spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    data = load_text(DataConfig(name="exclaimed"))
    assert [len(data.splits[name]) for name in ("train", "validation", "test")] == [32, 4, 12]
    assert data.label_names == ("said", "exclaimed") and "4 training examples held out" in data.source
