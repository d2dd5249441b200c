"""Shares of the training split: nested, by class, the same for every run, and all that a run learns from."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from common.data import DataConfig, load_text
from common.data.shares import share
from common.data.vision import VisionDataConfig, load_vision
from common.streams.config import StreamConfig
from common.streams.processor import StreamProcessor
from common.streams.words import count_words

FRACTIONS = (0.01, 0.03, 0.1, 0.3, 1.0)
RECORDS = Path(__file__).parents[3] / "results" / "records"
LABELS = [0] * 700 + [1] * 250 + [2] * 7


def planted(fraction, **options):
    return load_text(DataConfig(planted_sizes=(600, 50, 60), train_fraction=fraction, **options))


def test_shares_are_nested_by_class_and_fixed_by_the_seed():
    labels = np.random.default_rng(0).permutation(LABELS)
    kept = [share(labels.tolist(), fraction, seed=1) for fraction in FRACTIONS]
    for smaller, larger in zip(kept, kept[1:], strict=False):
        assert set(smaller) < set(larger) and smaller == sorted(smaller)
    assert kept[-1] == list(range(len(labels)))
    assert Counter(labels[kept[0]].tolist()) == {0: 7, 1: 2, 2: 1}  # the rare class is never without an example
    assert Counter(labels[kept[3]].tolist()) == {0: 210, 1: 75, 2: 2}
    assert share(labels.tolist(), 0.1, seed=1) == kept[2] != share(labels.tolist(), 0.1, seed=2)


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.01, float("nan")])
@pytest.mark.parametrize("config", [DataConfig, VisionDataConfig])
def test_fractions_outside_are_refused(config, fraction):
    with pytest.raises(ValueError, match=r"train_fraction must be in \(0, 1\]"):
        config(train_fraction=fraction)


def test_phrases_of_left_out_texts_cannot_come_in():
    with pytest.raises(ValueError, match="with phrases"):
        DataConfig(name="sst5", phrases=True, train_fraction=0.5)


def test_only_the_training_split_becomes_smaller():
    whole, part = planted(1.0), planted(0.1)
    for split in ("validation", "test"):
        assert part.splits[split] == whole.splits[split]
    assert len(part.splits["train"]) == 60 and set(part.splits["train"].texts) < set(whole.splits["train"].texts)
    assert (part.whole_train, part.repeats, whole.repeats) == (600, 10.0, 1.0)
    assert part.source.endswith("60 of 600 training examples kept, by class, seed 0") and part.fingerprint
    assert part.fingerprint != whole.fingerprint == load_text(DataConfig(planted_sizes=(600, 50, 60))).fingerprint


def test_a_number_of_training_texts_is_kept_and_said():
    whole, part = planted(1.0), planted(1.0, max_train=60)
    assert len(part.splits["train"]) == 60 and set(part.splits["train"].texts) < set(whole.splits["train"].texts)
    assert part.source.endswith("60 of 600 training examples kept, by class, seed 0")
    assert part.splits["test"] == whole.splits["test"] and part.repeats == 1.0  # fewer texts are fewer updates
    assert planted(1.0, max_train=600) == planted(1.0, max_train=700) == whole


def test_a_held_out_validation_split_does_not_depend_on_the_share(tmp_path):
    for split, count in (("train", 200), ("test", 20)):
        rows = [json.dumps({"text": f"{split} {k}", "label": k % 2}) for k in range(count)]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(rows))
    whole, part = (
        load_text(DataConfig(name="folder", path=str(tmp_path), train_fraction=fraction)) for fraction in (1.0, 0.1)
    )
    assert part.splits["validation"] == whole.splits["validation"] and len(part.splits["train"]) == 18


def test_what_is_fitted_sees_the_kept_texts_only(tmp_path):
    """A cache that the whole split has filled makes no difference either."""
    streams = (StreamConfig(kind="phonetic"), StreamConfig(kind="morphological"))
    tokenizer = pytest.importorskip("common.models.backbones").load_tokenizer("tiny-bert")

    def morphs(data, cache):
        train, others = data.splits["train"].texts, data.splits["validation"].texts + data.splits["test"].texts
        built = StreamProcessor.build(tokenizer, streams, train, others, cache_dir=cache, workers=1, progress=False)
        return built.lexicons["morphological"].analyser

    whole, part = planted(1.0), planted(0.03)
    seen = count_words(part.splits["train"].texts)
    alone, all_of_it, after = (
        morphs(part, tmp_path / "a"), morphs(whole, tmp_path / "b"), morphs(part, tmp_path / "b")
    )  # fmt: skip
    assert alone.symbols == after.symbols and alone.state() == after.state()
    assert set(alone.symbols) != set(all_of_it.symbols)
    text = " ".join(seen).lower()
    assert all(morph in text for morph in alone.symbols if morph.isalpha())


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_samples_with_pictures_are_kept_by_kind():
    parts = [
        load_vision(VisionDataConfig(scene_task="question", scene_sizes=(200, 20, 20), train_fraction=fraction))
        for fraction in (0.01, 0.1, 1.0)
    ]
    ids = [{sample.id for sample in part.splits["train"]} for part in parts]
    assert ids[0] < ids[1] < ids[2] and len(ids[2]) == 200
    kinds = [{sample.kind for sample in part.splits["train"]} for part in parts]
    assert kinds[0] == kinds[1] == kinds[2]
    assert parts[1].repeats == 200 / len(ids[1]) and parts[2].repeats == 1
    assert parts[0].splits["test"] == parts[2].splits["test"]
    assert "training samples kept, seed 0" in parts[0].source and "kept" not in parts[2].source


def test_no_record_on_all_data_names_the_share():
    """It was not there when these runs got their names."""
    configs = [json.loads(path.read_text())["config"] for path in RECORDS.glob("*/*/config.json")]
    assert configs and all(config["data"].get("train_fraction") != 1.0 for config in configs if "data" in config)
