"""Evidence about pictures from synthetic records: means by group, what is lost, and rank correlation."""

import numpy as np
import pandas as pd
import pytest

from results.collect import collect
from results.figure_vision_language.evidence import agreement, evidence_by_group, evidence_figure
from results.figure_vision_language.make import make
from results.reader import RecordError, load_runs
from results.vision_language import sections
from tests.results.test_vision_language import IDS, SAMPLES, record, written

NEEDS = np.array(["image", "text", "both"])[np.arange(SAMPLES) % 3]
NEEDED = {"image": 2.0, "text": 0.0, "both": 1.0}
"""Nats and share of accuracy that a picture is made to be worth."""


def asked(root, name="dm", seed=0, streams=True):
    """A run whose answers need the picture as planted; samples are stored in shuffled order."""
    random = np.random.default_rng(seed)
    order = random.permutation(SAMPLES)
    worth = np.array([NEEDED[need] for need in NEEDS])[order]
    tested = written("accuracy", np.ones(SAMPLES), [IDS[k] for k in order], needs=NEEDS[order])
    tested |= {"accuracy_left_out": 1 - worth / 2, "accuracy_swapped": 1 - worth / 2}
    folder = record(root, name, seed, tested, task="question")
    answered = np.repeat(np.arange(SAMPLES), 2)  # two words in each answer
    rows = {"sample": answered, "word": "red", "word_class": "colour", "logp": np.full(2 * SAMPLES, -0.5)}
    rows |= {"contribution_vision": 0.1 + 0.2 * worth[answered]} if streams else {}
    rows |= {"logp_swapped": -0.5 - worth[answered] + random.normal(0, 0.1, 2 * SAMPLES)}
    rows |= {"logp_left_out": -0.5 - worth[answered], "logp_blank": -0.5 - worth[answered]} if streams else {}
    pd.DataFrame(rows).to_parquet(folder / "evidence.parquet", index=False)
    return folder


def test_questions_by_what_they_need(tmp_path):
    for seed in (0, 1):
        asked(tmp_path, seed=seed)
    asked(tmp_path, "projector", streams=False)
    (part,) = sections(load_runs(tmp_path))
    values = evidence_by_group(part, ["dm", "projector"]).set_index(["variant", "measure", "group"])["mean"]
    for need, worth in NEEDED.items():
        assert values["dm", "contribution_vision", need] == pytest.approx(0.1 + 0.2 * worth)
        assert values["dm", "gain_left_out", need] == pytest.approx(worth)
        assert values["projector", "gain_swapped", need] == pytest.approx(worth, abs=0.05)
        assert values["dm", "accuracy_lost_swapped", need] == pytest.approx(50 * worth)
    assert ("projector", "contribution_vision", "image") not in values
    found = agreement(part, ["dm", "projector"])
    assert set(found["variant"]) == {"dm"} and set(found["seed"]) == {0, 1}
    assert found.set_index(["seed", "change"]).loc[(0, "left_out"), "spearman"] == pytest.approx(1.0)


def test_captions_by_class_of_word(tmp_path):
    for seed in (0, 1):
        folder = record(tmp_path, "dm", seed, written("cider_d", np.ones(SAMPLES)))
        classes = np.array(["colour", "function", "other", "function"])
        sample = np.arange(400) // 4
        word_class = np.tile(classes, 100)
        gain = np.where(word_class == "function", 0.0, 1.0 + seed)
        word = np.tile(["red", "the", "dog", "a"], 100)
        frame = {"sample": sample, "word": word, "word_class": word_class, "logp": -1.0, "logp_blank": -1.0 - gain}
        frame |= {"contribution_vision": 0.4 + 0.0005 * gain, "logp_swapped": -1.0, "logp_left_out": -1.0}
        pd.DataFrame(frame).to_parquet(folder / "evidence.parquet", index=False)
    (part,) = sections(load_runs(tmp_path))
    values = evidence_by_group(part, ["dm"]).set_index(["measure", "group"])
    assert values.loc[("gain_blank", "colour"), "mean"] == pytest.approx(1.5)
    assert (
        values.loc[("gain_blank", "function"), "mean"] == 0.0 and values.loc[("gain_blank", "other"), "samples"] == 100
    )
    assert agreement(part, ["dm"]).empty  # a contribution that differs by its rounding alone ranks nothing
    assert evidence_figure(evidence_by_group(part, ["dm"]), ["gain_blank"]) is not None


def test_files_are_written_and_collected(tmp_path):
    asked(tmp_path / "runs")
    (copied,) = collect(tmp_path / "runs", tmp_path / "records")
    assert (copied / "evidence.parquet").is_file()
    names = {path.name for path in make(load_runs(tmp_path / "records"), tmp_path / "out")}
    stem = "scenes_questions_timm_tiny_scratch"
    assert {f"{stem}-evidence.{kind}" for kind in ("pdf", "png", "csv")} | {f"{stem}-agreement.csv"} <= names
    (copied / "digests.json").unlink()
    (copied / "evidence.parquet").write_bytes(b"broken")
    with pytest.raises(RecordError, match=r"evidence.parquet: no valid parquet file"):
        make(load_runs(tmp_path / "records"), tmp_path / "out")


def test_questions_of_unknown_needs_are_shown_by_kind(tmp_path):
    kinds = np.array(["object", "number | how many", "colour", "other"])[
        np.array([0, 0, 1, 1, 2, 3])[np.arange(SAMPLES) % 6]
    ]
    tested = written("accuracy", np.ones(SAMPLES), kind=kinds) | {"accuracy_swapped": (kinds != "object").astype(float)}
    folder = record(tmp_path, "dm", 0, tested, task="question")
    rows = {"sample": np.arange(SAMPLES), "word": "red", "word_class": "colour", "logp": -0.5, "logp_swapped": -1.0}
    pd.DataFrame(rows).to_parquet(folder / "evidence.parquet", index=False)
    (part,) = sections(load_runs(tmp_path))
    values = evidence_by_group(part, ["dm"])
    assert list(dict.fromkeys(values["group"])) == ["colour", "number", "object"]  # the three most frequent
    lost = values.set_index(["measure", "group"])["mean"]
    assert lost["accuracy_lost_swapped", "object"] == 100 and lost["accuracy_lost_swapped", "number"] == 0
