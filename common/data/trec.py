"""TREC question classes (Li & Roth 2002): 6 coarse or 50 fine labels."""

from __future__ import annotations

from pathlib import Path

from common.data.files import folder_of, read_text
from common.data.hub import load_hub
from common.data.text import Corpus, DataConfig, DataError, TextSplit, register_dataset

COARSE = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
SIZES = {"train": (5452,), "test": (500,)}
FILES = {"train": ("train.txt", "train_5500.label"), "test": ("test.txt", "TREC_10.label")}


@register_dataset("trec")
def load_trec(config: DataConfig) -> Corpus:
    """Six coarse labels. Eleven of the 500 test questions stand in train (2.2 %), so it needs `allow_overlap`."""
    return _load(config, fine=False)


@register_dataset("trec_fine")
def load_trec_fine(config: DataConfig) -> Corpus:
    """The fine labels, such as ``NUM:dist``. Test overlaps train as in ``trec``."""
    return _load(config, fine=True)


def _load(config: DataConfig, fine: bool) -> Corpus:
    if config.path:
        folder = folder_of(config.path)
        rows = {name: _read(folder, files) for name, files in FILES.items()}
        source = f"{folder} (COARSE:fine question, Latin-1)"
    else:
        splits, names, source = load_hub(
            "CogComp/trec",
            {"train": "train", "test": "test"},
            ("text", "fine_label"),
            "download train_5500.label and TREC_10.label from https://cogcomp.seas.upenn.edu/Data/QA/QC/ "
            "and give `path` their folder",
            revision="refs/convert/parquet",  # the main revision is a script, which the library no longer runs
        )
        rows = {
            part: [(text, names[label]) for text, label in zip(split.texts, split.labels, strict=True)]
            for part, split in splits.items()
        }
    known = tuple(sorted({label for _, label in rows["train"]})) if fine else COARSE
    index = {label: k for k, label in enumerate(known)}
    found = {}
    for part, examples in rows.items():
        labels = [label if fine else label.partition(":")[0] for _, label in examples]
        strange = sorted(set(labels) - set(index))
        if strange:
            raise DataError(f"{source}: {part} has labels that training lacks: {', '.join(strange)}")
        found[part] = TextSplit(tuple(text for text, _ in examples), tuple(index[label] for label in labels))
    return Corpus(source, found, known, SIZES)


def _read(folder: Path, files: tuple[str, ...]) -> list[tuple[str, str]]:
    path = next((folder / file for file in files if (folder / file).is_file()), None)
    if path is None:
        raise DataError(f"{folder} has neither {' nor '.join(files)}")
    examples = []
    # One training question holds the byte 0xF0; only Latin-1 reads the file.
    for number, line in enumerate(read_text(path, "latin-1").split("\n"), 1):
        if not line.strip():
            continue
        label, _, question = line.partition(" ")
        if label.partition(":")[0] not in COARSE or not label.partition(":")[2]:
            raise DataError(f"{path}, line {number}: expected 'COARSE:fine question', got {line[:40]!r}")
        examples.append((question.strip(), label))
    return examples
