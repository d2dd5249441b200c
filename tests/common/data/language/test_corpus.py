"""A corpus is built once, the same in any number of processes and after any kill, and notices damage."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest

from common.data import DataError
from common.data.files import read_bytes, read_lines
from common.data.language import CorpusConfig, build, corpus
from common.data.language.corpus import load_corpus
from common.data.language.detokenise import detokenise
from common.data.language.shards import lines_of
from common.streams.words import find_words
from tests.common.data.language.texts import config, document, write_folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "texts")


def everything(found):
    """Splits as token ids with their words and prefixes in letters."""
    strings = list(found.strings())
    content = {}
    for name, split in found.splits.items():
        window = split.window(0, len(split))
        content[name] = (
            window.tokens.tolist(), [strings[n] for n in window.words], [strings[n] for n in window.prefixes],
            window.starts.tolist(), split.documents().tolist(), vars(split.counts),
        )  # fmt: skip
    return content


def test_tokens_give_the_text_back_and_words_are_counted(folder, tmp_path):
    found = load_corpus(config(folder), tmp_path / "cache", workers=1, progress=False)
    text = "".join(document(seed) for seed in range(40))
    split = found.splits["train"]
    window = split.window(0, len(split))
    documents = [document(seed) for seed in range(40)]
    assert found.tokenizer.decode(window.tokens.tolist()) == "".join("<|endoftext|>" + one for one in documents)
    assert (window.tokens[split.documents()] == found.separator).all() and len(split.documents()) == 40
    assert split.counts.words == len(text.split()) and split.counts.bytes == len(text.encode())
    assert split.counts.lines == text.count("\n") and split.counts.tokens == len(split)
    strings = list(found.strings())
    assert strings == sorted(set(strings)) and strings[0] == ""
    uses = {strings[n]: int(count) for n, count in enumerate(found.train_uses()) if count}
    assert uses == Counter(find_words(text))
    # Every word starts once, and its last token has spelled it out.
    assert [strings[n] for n in window.words[window.starts]] == find_words(text)
    last = np.append(window.starts[1:] | (window.words[1:] == 0), True) & (window.words > 0)
    assert (window.words == window.prefixes)[last].all()


def test_any_number_of_shards_and_processes_gives_the_same(folder, tmp_path, monkeypatch):
    one = load_corpus(config(folder), tmp_path / "one", workers=1, progress=False)
    monkeypatch.setattr(corpus, "build", lambda *a: build.build(*a, tokens_per_shard=500))
    many = load_corpus(config(folder), tmp_path / "many", workers=2, progress=False)
    assert len(many.splits["train"].shards) > 4 > len(one.splits["train"].shards)
    assert everything(one) == everything(many)
    length = len(many.splits["train"])
    whole = many.splits["train"].window(0, length)
    for start, stop in [(0, 7), (490, 1510), (length - 5, length), (600, 600)]:
        for part, all_ in zip(many.splits["train"].window(start, stop), whole, strict=True):
            np.testing.assert_array_equal(part, all_[start:stop])


KILLED = """
import sys
from common.data.language import build, corpus
from tests.common.data.language.texts import config
from pathlib import Path
corpus.build = lambda *a: build.build(*a, tokens_per_shard=300)
print("begun", flush=True)
corpus.load_corpus(config(Path(sys.argv[1])), sys.argv[2], workers=1, progress=False)
"""


@pytest.mark.parametrize("moment", range(3))
def test_killed_build_goes_on(folder, tmp_path, monkeypatch, moment):
    cache = tmp_path / "cache"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder), str(cache)], stdout=subprocess.PIPE)
    wanted = (1, 6, 14)[moment]
    while len(list(cache.glob("*/pending/*.safetensors"))) < wanted and process.poll() is None:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    monkeypatch.setattr(corpus, "build", lambda *a: build.build(*a, tokens_per_shard=300))
    resumed = load_corpus(config(folder), cache, workers=1, progress=False)
    whole = load_corpus(config(folder), tmp_path / "other", workers=1, progress=False)
    assert everything(resumed) == everything(whole)
    assert resumed.fingerprint == whole.fingerprint
    assert not list(cache.glob("*/pending"))


@pytest.mark.parametrize("victim", ["safetensors", "strings.txt", "train_uses.u64"])
def test_damage_is_noticed_and_mended(folder, tmp_path, victim):
    before = load_corpus(config(folder), tmp_path, workers=1, progress=False)
    content = everything(before)
    path = next(path for path in sorted(before.folder.iterdir()) if path.name.endswith(victim))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.warns(UserWarning, match=f"{re.escape(path.name)} is damaged; the corpus is built anew"):
        after = load_corpus(config(folder), tmp_path, workers=1, progress=False)
    assert everything(after) == content


def test_an_unchanged_corpus_is_not_built_again(folder, tmp_path, monkeypatch):
    first = load_corpus(config(folder), tmp_path, workers=1, progress=False)
    monkeypatch.setattr(corpus, "build", lambda *a: pytest.fail("built again"))
    assert load_corpus(config(folder), tmp_path, workers=1, progress=False).fingerprint == first.fingerprint
    monkeypatch.undo()
    (folder / "validation.txt").write_text(document(99))
    changed = load_corpus(config(folder), tmp_path, workers=1, progress=False)
    assert changed.folder != first.folder and changed.hashes["train"] == first.hashes["train"]


def test_documents_in_two_splits_are_refused(folder, tmp_path):
    (folder / "test.txt").write_text(document(3) + document(60))
    with pytest.raises(DataError, match="1 of 2 documents of test begin like one of an earlier split"):
        load_corpus(config(folder), tmp_path, workers=1, progress=False)
    with pytest.warns(UserWarning, match="1 of 2 documents"):
        found = load_corpus(config(folder, allow_overlap=True), tmp_path, workers=1, progress=False)
    assert found.warnings
    # Now that it is in the cache it is refused as before, and told as before.
    with pytest.raises(DataError, match="1 of 2 documents .* accept it with --data.allow-overlap"):
        load_corpus(config(folder), tmp_path, workers=1, progress=False)
    with pytest.warns(UserWarning, match="1 of 2 documents"):
        again = load_corpus(config(folder, allow_overlap=True), tmp_path, workers=1, progress=False)
    assert again.warnings == found.warnings and again.fingerprint == found.fingerprint


def test_few_documents_in_two_splits_are_told_whether_cached_or_not(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "LARGEST_OVERLAP", 0.5)
    (folder / "test.txt").write_text(document(3) + document(60))
    for _ in range(2):
        with pytest.warns(UserWarning, match="1 of 2 documents"):
            assert load_corpus(config(folder), tmp_path, workers=1, progress=False).warnings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "nowhere"}, "unknown corpus 'nowhere'; known: .*stdlib-docs"),
        ({"path": ""}, "needs --data.path"),
        ({"path": "/does/not/exist"}, "is not a folder"),
        ({"document_start": "("}, "no regular expression"),
    ],
)
def test_clear_errors(folder, tmp_path, options, message):
    with pytest.raises(DataError, match=message):
        load_corpus(config(folder, **options), tmp_path, workers=1, progress=False)


@pytest.mark.parametrize(
    ("one", "other"),
    [("test.txt", "test.txt.gz"), ("train.txt", "train/train.txt"), ("dev/a.txt", "val/a.txt")],
)
def test_two_files_of_one_name_are_refused(tmp_path, one, other):
    for name in ("train-00.txt", one, other):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(b"a text\n") if name.endswith(".gz") else b"a text\n")
    message = f"({one}.*{other}|{other}.*{one}).*rename one"
    with pytest.raises(DataError, match=message):
        load_corpus(config(tmp_path), tmp_path / "cache", workers=1, progress=False)


def test_text_that_cannot_be_read_is_named(folder, tmp_path):
    (folder / "train-00.txt").write_bytes(b"good line\nbad \xff line\n")
    with pytest.raises(DataError, match=r"train-00.txt, after line \d+: byte 0xff is not UTF-8"):
        load_corpus(config(folder), tmp_path, workers=1, progress=False)
    (folder / "train-00.txt").unlink()
    whole = (folder / "train-01.txt.xz").read_bytes()
    (folder / "train-01.txt.xz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="train-01.txt.xz cannot be read to its end"):
        load_corpus(config(folder), tmp_path, workers=2, progress=False)


def test_a_damaged_gzip_file_is_named(folder, tmp_path):
    content = bytearray(gzip.compress(document(7).encode()))
    content[20] ^= 0xFF
    (folder / "train-02.txt.gz").write_bytes(content)
    for read in (read_bytes, lambda path: list(read_lines(path))):
        with pytest.raises(DataError, match="train-02.txt.gz cannot be .*damaged"):
            read(folder / "train-02.txt.gz")


def test_without_a_training_split_the_tokenizer_must_be_named(folder, tmp_path):
    whole = load_corpus(config(folder), tmp_path, workers=1, progress=False)
    whole.tokenizer.save_pretrained(tmp_path / "tokenizer")
    for path in folder.glob("train*"):
        path.unlink()
    with pytest.raises(DataError, match="no training split here"):
        load_corpus(config(folder), tmp_path, workers=1, progress=False)
    found = load_corpus(config(folder, tokenizer=str(tmp_path / "tokenizer")), tmp_path, workers=1, progress=False)
    assert set(found.splits) == {"validation", "test"}
    assert everything(found)["test"] == everything(whole)["test"]
    with pytest.raises(DataError, match="has no train split here"):
        found.split("train")


def test_wikitext_of_another_size_is_refused(tmp_path):
    (tmp_path / "valid.txt").write_text(" = One = \n \n some words <unk> \n")
    options = {"name": "wikitext-2", "path": str(tmp_path), "tokenizer": "tiny-bert"}
    with pytest.raises(DataError, match="validation has 9 words and line ends, officially 217,646"):
        load_corpus(CorpusConfig(**options), tmp_path / "cache", workers=1, progress=False)
    with pytest.warns(UserWarning, match="officially"):
        found = load_corpus(CorpusConfig(**options, allow_size_mismatch=True), tmp_path / "cache", progress=False)
    assert found.splits["validation"].counts.words == 6
    with pytest.raises(DataError, match="officially 217,646; .* accept it with --data.allow-size-mismatch"):
        load_corpus(CorpusConfig(**options), tmp_path / "cache", workers=1, progress=False)


def test_standard_library_is_split_by_package(tmp_path):
    found = load_corpus(CorpusConfig(vocab_size=1000), tmp_path, workers=1, progress=False)
    assert found.splits["train"].counts.words > 100_000
    assert min(found.splits[name].counts.documents for name in ("validation", "test")) > 10


def test_detokenised_text_reads_as_written():
    text = (
        " The 1 @,@ 000 \" lobster \" ( H. americanus ) didn 't weigh 0 @.@ 7 – 2 @.@ 2 kg , it 's long @-@ lived . \n"
    )
    assert detokenise(text).strip() == (
        "The 1,000 \"lobster\" (H. americanus) didn't weigh 0.7–2.2 kg, it's long-lived."
    )


def test_lines_survive_any_block_size(tmp_path):
    path = tmp_path / "strings.txt"
    lines = ["", "a", "é日", "x" * 300]
    path.write_text("\n".join(lines) + "\n")
    for block in (1, 7, 1000):
        assert list(lines_of(path, block)) == lines
