"""Flickr and COCO: lists, archives, Karpathy's splits, official annotations, and hub rows."""

import json
import tarfile
import zipfile

import datasets as hub_library
import pytest

from common.data import DataError
from common.data.vision import VisionDataConfig, coco, flickr, load_vision
from common.data.vision.opening import open_image
from tests.common.data.vision.made import (
    NAMES,
    hub_table,
    load,
    picture,
    shape_of,
    write_coco,
    write_flickr,
    write_pictures,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_flickr_from_lists(tmp_path):
    write_flickr(tmp_path)
    corpus = load("flickr8k", tmp_path)
    assert shape_of(corpus) == {"train": 3, "validation": 1, "test": 1} and corpus.task == "caption"
    assert corpus.splits["test"][0].captions == tuple(f'a "big" dog, number {k} .' for k in range(5))
    assert open_image(corpus.splits["test"][0].images[0]).size == (8, 4)
    assert any("1 of 6 pictures are in no split" in note for note in corpus.warnings)
    assert any("officially {'train': 6000" in note for note in corpus.warnings)


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_pictures_may_stay_in_their_archive(tmp_path, ending):
    write_flickr(tmp_path)
    plain = load("flickr8k", tmp_path)
    archive = tmp_path / f"images{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for name in NAMES:
                file.write(tmp_path / "images" / name, f"Images/{name}")
    else:
        with tarfile.open(archive, "w") as file:
            file.add(tmp_path / "images", "images")
    for name in NAMES:
        (tmp_path / "images" / name).unlink()
    (tmp_path / "images").rmdir()
    packed = load("flickr8k", tmp_path, check="pixels")
    for split, samples in packed.splits.items():
        for a, b in zip(samples, plain.splits[split], strict=True):
            assert a.id == b.id and open_image(a.images[0]).size == (4 + NAMES.index(a.id), 4)
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(DataError, match=f"images{ending}"):
        load("flickr8k", tmp_path, check="pixels")


def test_the_bars_of_flickr30k_and_its_one_broken_line(tmp_path):
    write_flickr(tmp_path)
    (tmp_path / "captions.csv").unlink()
    rows = [f"{name}| {k}| A man , {k} ." for name in NAMES for k in range(4)] + ["0.png| 4   A dog runs ."]
    (tmp_path / "results.csv").write_text("\n".join(["image_name| comment_number| comment", *rows]))
    corpus = load("flickr30k", tmp_path)
    assert corpus.splits["train"][0].captions[3:] == ("A man , 3 .", "A dog runs .")
    (tmp_path / "results.csv").write_text("image_name| comment_number| comment\nnonsense")
    with pytest.raises(DataError, match="results.csv, line 2"):
        load("flickr30k", tmp_path)


def test_karpathy_splits_with_restval(tmp_path):
    write_pictures(tmp_path / "val2014", NAMES)
    parts = ["train", "restval", "val", "test", "test", "restval"]
    entries = [
        {"filename": name, "filepath": "val2014", "split": part, "sentences": [{"raw": f" A {k}. "} for k in range(5)]}
        for name, part in zip(NAMES, parts, strict=True)
    ]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": entries, "dataset": "coco"}))
    corpus = load("coco", tmp_path, check="pixels")
    assert [s.id for s in corpus.splits["train"]] == ["0.png", "1.png", "5.png"]
    assert corpus.splits["test"][0].captions == ("A 0.", "A 1.", "A 2.", "A 3.", "A 4.")
    del entries[2]["split"]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": entries}))
    with pytest.raises(DataError, match=r"dataset_coco.json, images\[2\]: missing or unknown 'split'"):
        load("coco", tmp_path)


def test_official_coco_holds_out_the_last_training_pictures(tmp_path, monkeypatch):
    write_coco(tmp_path)
    monkeypatch.setattr(coco, "HELD_OUT", 4)
    corpus = load("coco", tmp_path)
    assert [int(s.id) for s in corpus.splits["train"]] == list(range(6))
    assert [int(s.id) for s in corpus.splits["validation"]] == [6, 7, 8, 9]
    assert [int(s.id) for s in corpus.splits["test"]] == [10, 11, 12]
    assert corpus.splits["test"][1].captions == tuple(f"11 {k}" for k in range(5))
    monkeypatch.setattr(coco, "HELD_OUT", 10)
    with pytest.raises(DataError, match="10 of 10 training pictures cannot be held out"):
        load("coco", tmp_path)


def test_hub_rows(monkeypatch):
    cell = [{"bytes": picture(k), "path": None} for k in range(3)]
    in_column = hub_table(
        [
            {"image": cell[k], "caption": [f"{k} {j} " for j in range(5)], "split": part, "filename": f"{k}.jpg"}
            for k, part in enumerate(("train", "val", "test"))
        ]
    )
    numbered = {
        part: hub_table([{"image": cell[k], **{f"caption_{j}": f"{k} {j}" for j in range(5)}}])
        for k, part in enumerate(("train", "validation", "test"))
    }
    tables = {"nlphuji/flickr30k": {"test": in_column}, "jxie/flickr8k": numbered}
    monkeypatch.setattr(hub_library, "load_dataset", lambda repository, revision=None: tables[repository])
    for name, (repository, _) in flickr.HUB.items():
        corpus = load_vision(VisionDataConfig(name=name, check="pixels"))
        assert shape_of(corpus) == {"train": 1, "validation": 1, "test": 1} and repository in corpus.source
        for k, samples in enumerate(corpus.splits.values()):
            assert samples[0].captions == tuple(f"{k} {j}" for j in range(5))
            assert open_image(samples[0].images[0]).size == (4 + k, 4)
    tables["jxie/flickr8k"] = {"test": numbered["test"].remove_columns("image")}
    with pytest.raises(DataError, match="has no column 'image'"):
        load_vision(VisionDataConfig(name="flickr8k"))
