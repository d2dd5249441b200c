"""Loaders on small made folders and a made hub: formats, encodings, errors that name file and line."""

import bz2
import gzip
import json
import lzma

import datasets as hub_library
import pyarrow
import pyarrow.parquet
import pytest

from common.data import DataConfig, DataError, load_text
from common.data.sst import detokenise, parse_tree

ROWS = {"train": [('good, "very"\ngood', 1), ("bad 😀", 0)] * 10, "dev": [("fine", 1)], "test": [("poor", 0)]}


def zstd(content):
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


COMPRESS = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".zst": zstd}


def encode(rows, kind):
    if kind == ".parquet":
        sink = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(pyarrow.table({"text": [r[0] for r in rows], "label": [r[1] for r in rows]}), sink)
        return sink.getvalue().to_pybytes()
    if kind == ".jsonl":
        return "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows).encode()
    mark = "\t" if kind == ".tsv" else ","
    quoted = ['"' + text.replace('"', '""') + f'"{mark}{label}' for text, label in rows]
    return ("\ufeff" + "\r\n".join([f"text{mark}label", *quoted])).encode()  # with byte order mark and DOS line ends


def write_folder(folder, kind=".csv", ending="", rows=None):
    for split, examples in (rows or ROWS).items():
        (folder / f"{split}{kind}{ending}").write_bytes(COMPRESS[ending](encode(examples, kind)))
    return DataConfig(name="folder", path=str(folder))


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_folder_reads_every_format(tmp_path, kind, ending):
    data = load_text(write_folder(tmp_path, kind, ending))
    assert data.splits["train"].texts[0].split() == ["good,", '"very"', "good"]
    assert data.splits["train"].texts[1] == "bad 😀" and data.splits["train"].labels == (1, 0) * 10
    assert data.splits["validation"].texts == ("fine",) and data.label_names == ("0", "1")
    assert data.source == f"folder {tmp_path}"


def test_folder_numbers_string_labels_by_name(tmp_path):
    named = {split: [(text, ("no", "yes")[label]) for text, label in rows] for split, rows in ROWS.items()}
    data = load_text(write_folder(tmp_path, rows=named))
    assert data.label_names == ("no", "yes") and data.splits["train"].labels == (1, 0) * 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": [("x", "maybe")]}, "some labels are whole numbers and some are not"),
        ({"test": [("x", 7)]}, "example 0 of test has label 7"),
        ({"test": [("x", "")]}, r"test.csv, example 1: no label"),
        ({"test": [("", 0)]}, "example 0 of test has an empty text"),
    ],
)
def test_folder_names_bad_rows(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        load_text(write_folder(tmp_path, rows={**ROWS, **change}))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("test.csv", b"text,label\ngood,1\ncaf\xe9,0\n", "test.csv, line 3: byte 0xe9 is not UTF-8.*iconv"),
        ("test.csv", "text,label\ngood,1\n".encode("utf-16"), "test.csv is UTF-16; save it as UTF-8"),
        ("test.csv", b"text,label\ngood,1\nbad\n", "test.csv, line 3: 1 columns, expected 2"),
        ("test.csv", b'text,label\n"good,1\n', "test.csv, line 2: "),
        ("test.csv", b"review,label\ngood,1\n", "test.csv, example 1: no text; columns are review, label"),
        ("test.csv.gz", b"no gzip", "test.csv.gz cannot be decompressed"),
        ("test.csv.xz", lzma.compress(b"text,label\ngood,1\n")[:-9], "test.csv.xz cannot be decompressed"),
        ("test.csv.zst", b"no zstd", "test.csv.zst cannot be decompressed"),
        ("test.jsonl", b'{"text": "a", "label": 0}\n{"text"', "test.jsonl, line 2: not JSON"),
        ("test.jsonl", b"[1]", "test.jsonl, line 1: needs an object"),
        ("test.jsonl", b'{"text": 5, "label": 0}', "example 1: the text is not a string but 5"),
        ("test.parquet", b"no parquet", "test.parquet is not a readable parquet file"),
    ],
)
def test_damaged_files_are_named(tmp_path, file, content, message):
    config = write_folder(tmp_path, rows={name: ROWS[name] for name in ("train", "dev")})
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_text(config)


def test_folder_errors_say_what_is_missing(tmp_path):
    with pytest.raises(DataError, match="needs `path`"):
        load_text(DataConfig(name="folder"))
    with pytest.raises(DataError, match="is not a folder"):
        load_text(DataConfig(name="folder", path=str(tmp_path / "none")))
    with pytest.raises(DataError, match="has no train file; expected train \\+ one of .csv"):
        load_text(DataConfig(name="folder", path=str(tmp_path)))
    config = write_folder(tmp_path)
    (tmp_path / "train.jsonl").write_text("{}")
    with pytest.raises(DataError, match="several files for one split: train.csv, train.jsonl"):
        load_text(config)


TREE = "(4 (2 (2 It) (2 (2 does) (2 n't))) (3 (2 -LRB-) (3 (3 good) (2 and\\/or)) (2 -RRB-)))"


def write_sst(folder, train=TREE):
    (folder / "train.txt").write_text(f"{train}\n(1 (2 so) (0 bad))\n(2 plain)\n", encoding="utf-8")
    (folder / "dev.txt").write_text("(3 (2 rather) (3 fine))\n", encoding="utf-8")
    (folder / "test.txt").write_text("(0 awful)\n", encoding="utf-8")
    return str(folder)


def test_treebank_text_and_labels():
    nodes = parse_tree(TREE)
    assert nodes[-1] == ("It doesn't ( good and/or )", 4) and ("good", 3) in nodes and len(nodes) == 12
    assert detokenise(["``", "'s", "''", "ca", "n't", "***\\*"]) == "\" 's \" can't ****"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_sst_roots_and_phrases(tmp_path):
    path = write_sst(tmp_path)
    with pytest.raises(DataError, match="train has 2 examples, the official split 6,920"):
        load_text(DataConfig(name="sst2", path=path))
    five = load_text(DataConfig(name="sst2", path=path, allow_size_mismatch=True))
    assert five.splits["train"].texts == ("It doesn't ( good and/or )", "so bad")  # the neutral root is gone
    assert five.splits["train"].labels == (1, 0) and five.splits["validation"].labels == (1,)
    more = load_text(DataConfig(name="sst2", path=path, allow_size_mismatch=True, phrases=True))
    added = dict(zip(more.splits["train"].texts[2:], more.splits["train"].labels[2:], strict=True))
    assert added == {"good": 1, "good and/or": 1, "( good and/or )": 1, "bad": 0}
    assert more.splits["test"] == five.splits["test"]


@pytest.mark.parametrize("tree", ["(5 x)", "(2 x", "(2 x))", "x", "(2 x) (2 y)", "()", "(2"])
def test_broken_trees_are_named(tmp_path, tree):
    with pytest.raises(DataError, match="train.txt, line 1: "):
        load_text(DataConfig(name="sst5", path=write_sst(tmp_path, tree)))


def test_sst_folder_without_a_file(tmp_path):
    with pytest.raises(DataError, match="train.txt is missing; the treebank's folder holds"):
        load_text(DataConfig(name="sst5", path=str(tmp_path)))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_trec_reads_latin_1_with_coarse_and_fine_labels(tmp_path):
    labels = ("ABBR:exp", "DESC:def", "ENTY:animal", "HUM:ind", "LOC:city", "NUM:dist")
    lines = [f"{label} Caf\xe9 {i} {label[:3]} ?" for i in range(4) for label in labels]
    (tmp_path / "train.txt").write_bytes("\n".join(lines).encode("latin-1"))
    (tmp_path / "test.txt").write_text("NUM:dist How far ?\n")
    options = {"path": str(tmp_path), "allow_size_mismatch": True}
    coarse = load_text(DataConfig(name="trec", **options))
    fine = load_text(DataConfig(name="trec_fine", **options))
    assert coarse.splits["train"].texts[0].startswith("Café") and coarse.splits["test"].labels == (5,)
    assert len(coarse.splits["validation"]) == 6 and fine.label_names == labels
    (tmp_path / "test.txt").write_text("NUM:dist How far ?\nHow far ?\n")
    with pytest.raises(DataError, match="test.txt, line 2: expected 'COARSE:fine question'"):
        load_text(DataConfig(name="trec", **options))
    (tmp_path / "test.txt").write_text("NUM:odd How far ?\n")
    with pytest.raises(DataError, match="labels that training lacks: NUM:odd"):
        load_text(DataConfig(name="trec_fine", **options))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_imdb_and_ag_news_folders(tmp_path):
    reviews = {"train": [(f"good<br /><br />film {i}", i % 2) for i in range(20)], "test": [("so so", 0)]}
    write_folder(tmp_path, ".csv", ".xz", rows=reviews)
    imdb = load_text(DataConfig(name="imdb", path=str(tmp_path), allow_size_mismatch=True))
    assert "good film 0" in imdb.splits["train"].texts + imdb.splits["validation"].texts
    assert imdb.splits["validation"].labels.count(0) == imdb.splits["validation"].labels.count(1) == 1
    news = tmp_path / "news"
    news.mkdir()
    lines = "".join(f'"{i % 4 + 1}","Title {i}","About, well, {i}"\n' for i in range(40))
    (news / "train.csv").write_text(lines)
    (news / "test.csv").write_text('"4","Chips","Small"\n')
    data = load_text(DataConfig(name="ag_news", path=str(news), allow_size_mismatch=True))
    assert data.splits["test"].texts == ("Chips Small",) and data.splits["test"].labels == (3,)
    assert len(data.splits["validation"]) == 4 and data.label_names[3] == "Sci/Tech"
    write_folder(news, ".jsonl", rows={"train": [("a", 0)], "test": [("b", 1)]})
    with pytest.raises(DataError, match="several files"):
        load_text(DataConfig(name="ag_news", path=str(news)))


@pytest.mark.parametrize("name", ["sst5", "sst2", "imdb", "ag_news", "trec"])
def test_what_cannot_be_had_is_said_once_and_clearly(name, monkeypatch):
    def offline(*_, **__):
        raise ConnectionError("offline mode\nwith details")

    monkeypatch.setattr(hub_library, "load_dataset", offline)
    with pytest.raises(DataError, match=r"neither in the local cache nor .*offline mode\). Connect once, or .*`path`"):
        load_text(DataConfig(name=name))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_hub_layouts(monkeypatch):
    asked = []
    fine = hub_library.ClassLabel(names=["ABBR:exp", "DESC:def", "ENTY:animal", "HUM:ind", "LOC:city", "NUM:dist"])

    def hub(repository, split, revision=None):
        asked.append((repository, split, revision))
        column, classes = {"CogComp/trec": ("fine_label", 6), "fancyzhx/ag_news": ("label", 4)}[repository]
        rows = {"text": [f"{split} {i}" for i in range(24)], column: [i % classes for i in range(24)]}
        made = hub_library.Dataset.from_dict(rows)
        return made.cast_column(column, fine) if column == "fine_label" else made

    monkeypatch.setattr(hub_library, "load_dataset", hub)
    trec = load_text(DataConfig(name="trec", allow_size_mismatch=True))
    assert trec.label_names == ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
    assert trec.splits["test"].labels[:3] == (0, 1, 2)
    assert trec.source.startswith("Hugging Face hub or its local cache: CogComp/trec")
    assert asked == [("CogComp/trec", part, "refs/convert/parquet") for part in ("train", "test")]
    news = load_text(DataConfig(name="ag_news", allow_size_mismatch=True))
    assert len(news.splits["validation"]) == 4
    with pytest.raises(DataError, match="phrases=True needs the trees"):
        load_text(DataConfig(name="sst5", phrases=True))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_only_the_five_degrees_of_sst_are_ordered(tmp_path):
    for name in ("train", "dev", "test"):
        trees = [f"({label} {name}{label})" for label in range(5)]
        (tmp_path / f"{name}.txt").write_text("\n".join(trees))
    five, two = (
        load_text(DataConfig(name=name, path=str(tmp_path), allow_size_mismatch=True)) for name in ("sst5", "sst2")
    )
    assert five.ordinal and not two.ordinal


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 10**12], "number the classes from 0 without gaps"),
        ([1, 2], "number the classes from 0 without gaps"),
        ([0, 0], "a classifier needs at least two"),
        (["same", "same"], "a classifier needs at least two"),
        ([0, float("inf")], "example 2: the label inf is no class"),
    ],
)
def test_labels_that_no_classifier_can_learn(tmp_path, labels, message):
    rows = [(f"text {k}", label) for k, label in enumerate(labels * 5)]
    with pytest.raises(DataError, match=message):
        load_text(write_folder(tmp_path, ".jsonl", rows={"train": rows, "test": [("other text", labels[0])]}))


def test_half_a_surrogate_pair_is_no_text(tmp_path):
    rows = {"train": [("fine", 0), ("\ud800", 1)], "test": [("other", 0)]}
    with pytest.raises(DataError, match="example 1 of train is no valid Unicode"):
        load_text(write_folder(tmp_path, ".jsonl", rows=rows))
