"""Tar shards: every sample once, in its split, its picture read out of the shard; damage is said."""

import io
import json
import tarfile
import tracemalloc

import pytest
from PIL import Image

from common.data import DataError
from common.data.vision import Sample, VisionDataConfig, load_vision
from common.data.vision.opening import open_image
from common.data.vision.webdataset import samples_of, shard_paths, split_of

pytestmark = pytest.mark.filterwarnings("ignore:webdataset. no shard is called")


def png(number):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, 0, 0)).save(file, "PNG")
    return file.getvalue()


def write_shard(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def members_of(numbers):
    for n in numbers:
        yield f"{n:05d}.png", png(n)
        yield f"{n:05d}.txt", f"picture {n}".encode()


@pytest.fixture
def folder(tmp_path):
    for shard in range(4):
        write_shard(tmp_path / f"part-{shard:03d}.tar", members_of(range(10 * shard, 10 * shard + 10)))
    return tmp_path


def load(path, **fields):
    return load_vision(VisionDataConfig(name="webdataset", path=str(path), **fields))


def captions(samples):
    return [sample.captions[0] for sample in samples]


def red(sample):
    return open_image(sample.images[0]).getpixel((0, 0))[0]


def test_every_sample_once_with_its_own_picture(folder):
    corpus = load(folder)
    assert {name: len(samples) for name, samples in corpus.splits.items()} == {"train": 32, "validation": 4, "test": 4}
    samples = [sample for split in corpus.splits.values() for sample in split]
    assert sorted(captions(samples)) == sorted(f"picture {n}" for n in range(40))
    assert all(red(sample) == int(sample.captions[0].split()[1]) for sample in reversed(samples))
    assert "part-000.tar:00007" in {sample.id for sample in samples} and corpus.task == "caption"
    assert load(folder).splits == corpus.splits and load(folder, seed=1).splits != corpus.splits
    assert len(load(folder / "part-00[12].tar").splits["train"]) == 16
    assert len(load(folder / "part-{001..003}.tar").splits["train"]) == 24


def test_the_fingerprint_follows_the_content_and_not_the_place(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("elsewhere") / "moved"
    before = load(folder).fingerprint
    folder.rename(place)
    assert load(place).fingerprint == before
    write_shard(place / "part-003.tar", [("00030.png", png(0)), ("00030.txt", b"another")])
    assert load(place).fingerprint != before


def test_shards_say_their_split(tmp_path):
    for number, name in enumerate(("a-train-0.tar", "a-train-1.tar", "a-validation-0.tar", "test/00.tar")):
        write_shard(tmp_path / name, members_of([number]))
    splits = load(tmp_path).splits
    assert {name: captions(split) for name, split in splits.items()} == {
        "train": ["picture 0", "picture 1"], "validation": ["picture 2"], "test": ["picture 3"]
    }  # fmt: skip
    assert [split_of(name) for name in ("val/train/3.tar", "00012.tar", "contest.tar")] == ["train", "train", "train"]


def test_held_out_splits_are_said(folder):
    write_shard(folder / "test.tar", members_of([99]))
    with pytest.warns(UserWarning, match="no shard is called validation; 4 samples were held out"):
        corpus = load(folder)
    assert captions(corpus.splits["test"]) == ["picture 99"] and len(corpus.splits["train"]) == 36


def test_memory_holds_no_picture(tmp_path):
    content = [(f"{n}.{kind}", bytes(20000)) for n in range(300) for kind in ("jpg", "txt")]
    write_shard(tmp_path / "big.tar", [(name, b"text" if name.endswith("txt") else data) for name, data in content])
    tracemalloc.start()
    samples = list(samples_of(tmp_path / "big.tar", "big.tar"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(samples) == 300 and peak < 1_000_000  # of 6 MB


SAID = [
    ({"question": "what is it?", "answers": ["dog", "dog", "cat"]}, ("what is it?", ("dog", "dog", "cat"), ())),
    ({"question": "how many?", "answer": 2}, ("how many?", ("2",), ())),
    ({"caption": "a dog", "url": "1"}, ("", (), ("a dog",))),
    ({"captions": ["a dog", " ", "a cat"]}, ("", (), ("a dog", "a cat"))),
]


@pytest.mark.parametrize(("said", "expected"), SAID)
def test_json_texts(tmp_path, said, expected):
    members = [("x/1.WEBP", b"w"), ("x/1.json", json.dumps(said).encode()), ("x/1.npy", b"0"), ("x", b"")]
    write_shard(tmp_path / "a.tar", members)
    (sample,) = samples_of(tmp_path / "a.tar", "a.tar")
    assert isinstance(sample, Sample) and sample.id == "a.tar:x/1"
    assert (sample.question, sample.answers, sample.captions) == expected


BAD = [
    ([("1.txt", b"a dog")], "no picture"),
    ([("1.jpg", b""), ("1.txt", b"a dog")], "no picture"),
    ([("1.jpg", b"x")], "no caption"),
    ([("1.jpg", b"x"), ("1.json", b"{")], "a text that cannot be read"),
    ([("1.jpg", b"x"), ("1.txt", b"\xff")], "a text that cannot be read"),
    ([("1.jpg", b"x"), ("1.json", b"[]")], "its json is no object"),
]


@pytest.mark.parametrize(("members", "message"), BAD)
def test_incomplete_samples_are_errors_or_counted(tmp_path, members, message):
    write_shard(tmp_path / "a.tar", [*members, *members_of([7, 8, 9])])
    with pytest.raises(DataError, match=f"a.tar, 1: {message}.*skip_bad"):
        load(tmp_path)
    with pytest.warns(UserWarning, match="1 samples left out, such as .*a.tar, 1"):
        corpus = load(tmp_path, skip_bad=True)
    assert sum(map(len, corpus.splits.values())) == 3


def test_damaged_compressed_mixed_and_missing_shards(folder):
    for where in ("", folder / "part-{000..009}.tar", folder / "*.zip", folder / "nowhere"):
        with pytest.raises(DataError, match="shard.*give `path`"):
            shard_paths(str(where))
    path = folder / "part-002.tar"
    whole = path.read_bytes()
    path.write_bytes(whole[:3000])
    with pytest.raises(DataError, match="part-002.tar is damaged or cut short after '0002"):
        load(folder)
    path.write_bytes(b"no tar")
    with pytest.raises(DataError, match="part-002.tar is damaged or cut short"):
        load(folder)
    path.write_bytes(whole)
    said = json.dumps({"question": "what?", "answers": ["it"]}).encode()
    write_shard(folder / "questions.tar", [("1.png", png(1)), ("1.json", said)])
    with pytest.raises(DataError, match="captions and questions"):
        load(folder)
    (folder / "more.tar.gz").write_bytes(b"")
    with pytest.raises(DataError, match="gunzip"):
        load(folder)
    for path in folder.glob("*.tar*"):
        path.unlink()
    write_shard(folder / "test.tar", members_of([1]))
    with pytest.raises(DataError, match="no training sample"):
        load(folder)
