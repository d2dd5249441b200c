"""Tar shards: every sample once over all readers, in bounded memory; damage is said."""

import io
import json
import tarfile
import tracemalloc
from collections import Counter

import pytest
from PIL import Image
from torch.utils.data import DataLoader

from common.data import DataError
from common.data.vision.opening import open_image
from common.data.vision.shards import Shards


def png(number):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, 0, 0)).save(file, "PNG")
    return file.getvalue()


def write_shard(path, members):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
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


def captions(samples):
    return [sample.captions[0] for sample in samples]


EVERY = [f"picture {n}" for n in range(40)]


def test_order_pictures_and_patterns(folder):
    samples = list(Shards(folder, buffer=0))
    assert captions(samples) == EVERY
    assert open_image(samples[7].images[0]).getpixel((0, 0)) == (7, 0, 0)
    assert samples[7].id == "part-000.tar:00007" and "part-000.tar:00007.png" in samples[7].images[0].name
    assert captions(Shards(folder / "part-*.tar", buffer=0)) == EVERY
    assert captions(Shards(str(folder / "part-{001..002}.tar"), buffer=0)) == EVERY[10:30]
    assert captions(Shards([folder / "part-003.tar"], buffer=0)) == EVERY[30:]


@pytest.mark.parametrize("world", [1, 2, 3, 7])
def test_every_sample_goes_to_one_rank(folder, world):
    found = [caption for rank in range(world) for caption in captions(Shards(folder, rank, world, buffer=5))]
    assert sorted(found) == sorted(EVERY)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [2, 5])
def test_every_sample_goes_to_one_worker(folder, workers):
    loader = DataLoader(Shards(folder, buffer=3), batch_size=None, num_workers=workers)
    assert sorted(captions(loader)) == sorted(EVERY)


def test_shuffle_depends_on_seed_and_epoch_alone(folder):
    shards = Shards(folder, buffer=8, seed=1)
    first = captions(shards)
    assert first == captions(shards) == captions(Shards(folder, buffer=8, seed=1)) and first != EVERY
    assert first != captions(Shards(folder, buffer=8, seed=2))
    shards.set_epoch(1)
    assert first != captions(shards) and Counter(captions(shards)) == Counter(EVERY)


def test_memory_does_not_grow_with_the_shard(tmp_path):
    content = [(f"{n}.{kind}", bytes(2000)) for n in range(3000) for kind in ("jpg", "txt")]
    content = [(name, b"a caption" if name.endswith("txt") else data) for name, data in content]
    write_shard(tmp_path / "big.tar", content)
    shards = Shards(tmp_path, buffer=5)
    next(iter(shards))
    tracemalloc.start()
    count = sum(1 for _ in shards)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 3000 and peak < 1_000_000  # of 6 MB; the records of the members alone are 3 MB


def test_json_questions_and_compressed_shards(tmp_path):
    said = {"question": "what is it?", "answers": ["dog", "dog", "cat"]}
    write_shard(tmp_path / "a.tar.gz", [("x/1.webp", b"w"), ("x/1.json", json.dumps(said).encode()), ("x/1.npy", b"0")])
    (sample,) = Shards(tmp_path)
    assert (sample.question, sample.answers) == ("what is it?", ("dog", "dog", "cat"))
    write_shard(tmp_path / "a.tar.gz", [("1.JPG", b"w"), ("1.json", b'{"caption": "a dog", "url": "1"}')])
    assert captions(Shards(tmp_path)) == ["a dog"]


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
    write_shard(tmp_path / "a.tar", [*members, *members_of([7])])
    with pytest.raises(DataError, match=f"a.tar, 1: {message}.*skip_bad"):
        list(Shards(tmp_path))
    shards = Shards(tmp_path, skip_bad=True)
    assert captions(shards) == ["picture 7"] and shards.skipped == 1


def test_damaged_and_missing_shards(folder):
    path = folder / "part-002.tar"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match="part-002.tar is damaged or cut short after '0002"):
        list(Shards(folder, buffer=0))
    with pytest.raises(DataError, match="no shard .*part-004.tar"):
        Shards(str(folder / "part-{000..009}.tar"))
    with pytest.raises(DataError, match="no shard"):
        Shards(folder / "*.tgz")
    with pytest.raises(ValueError, match="rank"):
        Shards(folder, rank=2, world=2)
