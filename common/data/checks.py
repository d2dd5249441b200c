"""What must hold for a corpus before a model sees it: sizes, labels, texts, and separation of the splits."""

from __future__ import annotations

from collections.abc import Mapping

from common.data.text import SPLITS, Corpus, DataConfig, DataError, TextSplit

OVERLAP_LIMIT = 0.005
"""Share of a split's examples whose text may stand in an earlier split."""


def check_corpus(name: str, corpus: Corpus, config: DataConfig) -> list[str]:
    """Check splits, sizes, labels and texts; return what deserves a warning.

    Raises:
        DataError: a missing or empty split, a label out of range, an empty text or one that is no Unicode, fewer than
            two classes, a class without a training example, or (without `allow_size_mismatch`) sizes other than the
            official ones.
    """
    unknown = set(corpus.splits) - set(SPLITS)
    missing = {"train", "test"} - set(corpus.splits)
    if unknown or missing:
        raise DataError(f"{name}: needs the splits train and test, may have validation; got {list(corpus.splits)}")
    notes = _check_sizes(name, corpus, config)
    for split_name, split in corpus.splits.items():
        if not len(split):
            raise DataError(f"{name}: the {split_name} split of {corpus.source} is empty")
        _check_examples(name, split_name, split, len(corpus.label_names))
    if corpus.extra_train is not None:
        _check_examples(name, "train (extra)", corpus.extra_train, len(corpus.label_names))
    seen = set(corpus.splits["train"].labels)
    absent = [label for k, label in enumerate(corpus.label_names) if k not in seen]
    if len(corpus.label_names) < 2:
        raise DataError(f"{name}: all examples of {corpus.source} have one label; a classifier needs at least two")
    if absent:
        raise DataError(f"{name}: no training example has the label {', '.join(map(repr, absent))} in {corpus.source}")
    return notes


def check_overlap(name: str, splits: Mapping[str, TextSplit], config: DataConfig) -> list[str]:
    """Count texts that stand in two splits; return warnings.

    Two texts are the same when they differ only in case or white space. The share is that of the later split
    (train, validation, test), since it is the one whose score a repeated text would flatter.

    Raises:
        DataError: more than 0.5 % of a split's examples, without `allow_overlap`.
    """
    notes, over = [], []
    keys = {part: [text_key(text) for text in splits[part].texts] for part in SPLITS if part in splits}
    for i, later in enumerate(keys):
        for earlier in list(keys)[:i]:
            first = set(keys[earlier])
            shared = [key for key in keys[later] if key in first]
            if not shared:
                continue
            share = len(shared) / len(keys[later])
            note = (
                f"{len(set(shared))} texts ({len(shared)} of {len(keys[later])} {later} examples, {share:.2%}) "
                f"stand in both {earlier} and {later}"
            )
            notes.append(f"{name}: {note}")
            if share > OVERLAP_LIMIT:
                over.append(note)
    if over and not config.allow_overlap:
        raise DataError(
            f"{name}: {'; '.join(over)}. The limit is {OVERLAP_LIMIT:.1%}: check that the splits were not mixed. "
            "If this is the official state of the data, accept it with allow_overlap=True "
            "(command line: --data.allow-overlap); the count stays in the run's warnings."
        )
    return notes


def text_key(text: str) -> str:
    """What two texts must share to count as the same: case and white space aside."""
    return " ".join(text.casefold().split())


def _check_sizes(name: str, corpus: Corpus, config: DataConfig) -> list[str]:
    notes, wrong = [], []
    for split_name, accepted in corpus.official.items():
        found = len(corpus.splits[split_name]) if split_name in corpus.splits else 0
        note = f"{name}: {split_name} has {found:,} examples, the official split {accepted[0]:,}"
        if found not in accepted:
            wrong.append(note)
        if found != accepted[0]:
            notes.append(note)
    if wrong and not config.allow_size_mismatch:
        raise DataError(
            f"{'; '.join(wrong)} ({corpus.source}). Rows are missing, doubled or in the wrong split: get the data "
            "anew, or accept it with allow_size_mismatch=True (command line: --data.allow-size-mismatch)"
        )
    return notes


def _check_examples(name: str, split_name: str, split: TextSplit, classes: int) -> None:
    for index, (text, label) in enumerate(zip(split.texts, split.labels, strict=True)):
        if not 0 <= label < classes:
            raise DataError(f"{name}: example {index} of {split_name} has label {label}, not one of 0–{classes - 1}")
        if not text.strip():
            raise DataError(f"{name}: example {index} of {split_name} has an empty text; remove it or fill it in")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{name}: example {index} of {split_name} is no valid Unicode ({error}); mend it") from None
