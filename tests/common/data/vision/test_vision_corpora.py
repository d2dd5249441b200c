"""What holds for every image-text dataset: pictures in one split only, bad ones refused or counted, limits."""

import datasets as hub_library
import pytest

from common.data import DataError
from common.data.vision import ImageSource, Sample, VisionDataConfig, load_vision, vision_datasets
from common.data.vision.split import hold_out_images
from tests.common.data.vision.made import LISTS, NAMES, load, picture, shape_of, write_flickr

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_all_loaders_are_registered_and_explain_themselves(tmp_path, monkeypatch):
    def offline(*_, **__):
        raise ConnectionError("offline mode")

    monkeypatch.setattr(hub_library, "load_dataset", offline)
    names = set(vision_datasets())
    named = "scenes flickr8k flickr30k coco vqa_v2 easy_vqa daquar instructions webdataset"
    assert names == set(named.split())
    for name in names - {"scenes"}:
        with pytest.raises(DataError, match="`path`"):
            load_vision(VisionDataConfig(name=name))
        if name not in ("instructions", "webdataset"):  # a file or a pattern will do as well
            with pytest.raises(DataError, match="is not a folder"):
                load(name, tmp_path / "none")
        with pytest.raises(DataError, match=str(tmp_path)):
            load(name, tmp_path)
    with pytest.raises(DataError, match="unknown image-text dataset 'x'; known: coco,"):
        load_vision(VisionDataConfig(name="x"))


def test_a_picture_in_two_splits_is_refused(tmp_path):
    write_flickr(tmp_path, {**LISTS, "test": [NAMES[0], NAMES[4]]})
    with pytest.raises(DataError, match="1 pictures stand in both train and test, such as .*0.png"):
        load("flickr8k", tmp_path)
    write_flickr(tmp_path, {**LISTS, "train": [NAMES[0], NAMES[0]]})
    with pytest.raises(DataError, match="train sample 0.png .*its id is used twice"):
        load("flickr8k", tmp_path)
    write_flickr(tmp_path, {**LISTS, "train": [NAMES[0], "9.png"]})
    with pytest.raises(DataError, match="1 pictures have no caption in captions.csv, such as 9.png"):
        load("flickr8k", tmp_path)


def test_copies_under_other_names_are_a_warning(tmp_path):
    write_flickr(tmp_path)
    (tmp_path / "images" / NAMES[4]).write_bytes(picture(0))
    notes = load("flickr8k", tmp_path).warnings
    assert any("1 pictures have a byte-identical copy in both train and test" in note for note in notes)


def test_bad_pictures_are_refused_or_counted(tmp_path):
    write_flickr(tmp_path)
    (tmp_path / "images" / NAMES[1]).write_bytes(b"")
    with pytest.raises(DataError, match="1 of 3 pictures cannot be used:\n.*1.png: the file is empty"):
        load("flickr8k", tmp_path)
    corpus = load("flickr8k", tmp_path, skip_bad=True)
    assert corpus.bad == {"train": 1} and [s.id for s in corpus.splits["train"]] == [NAMES[0], NAMES[2]]
    assert any("1 of 3 train samples left out for 1 bad pictures" in note for note in corpus.warnings)
    (tmp_path / "images" / NAMES[4]).write_bytes(b"")
    with pytest.raises(DataError, match="no test sample"):
        load("flickr8k", tmp_path, skip_bad=True)


def test_limit_and_fingerprint(tmp_path):
    write_flickr(tmp_path / "one")
    write_flickr(tmp_path / "two")
    whole = load("flickr8k", tmp_path / "one")
    assert whole.fingerprint == load("flickr8k", tmp_path / "two").fingerprint
    less = load("flickr8k", tmp_path / "one", limit=2)
    assert shape_of(less) == {"train": 2, "validation": 1, "test": 1} and less.fingerprint != whole.fingerprint
    assert less.splits == load("flickr8k", tmp_path / "one", limit=2).splits
    text = (tmp_path / "two" / "captions.csv").read_text()
    (tmp_path / "two" / "captions.csv").write_text(text.replace("number 3", "number 7"))
    assert whole.fingerprint != load("flickr8k", tmp_path / "two").fingerprint


def test_held_out_samples_that_share_a_picture_by_way_of_a_third_stay_together():
    a, b, c, d = (ImageSource(name) for name in "abcd")
    samples = [Sample("1", (a, b)), Sample("2", (b, c)), Sample("3", (c,)), Sample("4", (d,)), Sample("5", ())]
    for seed in range(10):
        rest, held = hold_out_images(samples, 0.4, seed)
        assert rest and held and len(rest) + len(held) == 5
        assert len({s.id in "123" for s in held}) <= 2
        together = {s.id for s in held} & {"1", "2", "3"}
        assert together in (set(), {"1", "2", "3"})
    with pytest.raises(DataError, match="share one picture"):
        hold_out_images(samples[:3], 0.4, 0)
