"""What a text corpus is, how to ask for one, and the one way in: :func:`load_text`."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Callable

from common.data.shares import check_fraction, share
from common.later import later
from common.registry import Registry

SPLITS = ("train", "validation", "test")


class DataError(ValueError):
    """A corpus that cannot be had or must not be used. The message says what to do."""


@dataclass(frozen=True)
class DataConfig:
    """Which texts and labels. Resolved as: `path`, else the hub or its local cache, else (planted) generated."""

    name: str = "planted"
    """Registered dataset: sst5, sst2, imdb, ag_news, trec, trec_fine, folder, planted."""
    path: str = ""
    """Local folder of the dataset; empty takes the Hugging Face hub (or its cache) under the dataset's own name."""
    seed: int = 0
    """Seed of the held-out validation split, of what `max_train` and `train_fraction` keep, and of planted texts."""
    validation_fraction: float = 0.1
    """Share of the training split held out, by class, where the dataset has no validation split of its own."""
    max_train: int = 0
    """Training texts kept, chosen at random by class; 0 = all. Validation and test stay whole."""
    allow_overlap: bool = False
    """Accept more than 0.5 % of a split's texts in an earlier split; a warning remains."""
    allow_size_mismatch: bool = False
    """Accept splits of other than the official sizes; a warning remains."""
    phrases: bool = False
    """SST from trees: train on every labelled phrase of the training trees too."""
    planted_shares: tuple[tuple[str, float], ...] = (("meaning", 0.5), ("phonetic", 0.3), ("morphological", 0.2))
    """planted: stream -> share of the examples whose label that stream carries; they sum to 1. Streams joined by = all
    carry it (``meaning=phonetic``), joined by + only together (``meaning+phonetic``)."""
    planted_classes: int = 2
    """planted: number of labels, 2 to 5."""
    planted_sizes: tuple[int, int, int] = (2000, 400, 400)
    """planted: texts in train, validation and test."""
    planted_words: int = 8
    """planted: words per text, at least 6."""
    train_fraction: float = later(1.0)
    """Share of the training texts (after `max_train`) that a run may see, in (0, 1]: the same share of every class, and
    at least one text of each. Smaller shares are parts of larger ones. Validation and test stay whole. An epoch keeps
    its number of updates: the texts are gone through more often, see :attr:`TextData.repeats`."""

    def __post_init__(self) -> None:
        if not 0.0 < self.validation_fraction < 1.0:
            raise ValueError(f"validation_fraction must be in (0, 1), got {self.validation_fraction}")
        if self.max_train < 0 or self.seed < 0:
            raise ValueError("max_train and seed must not be negative")
        if self.phrases and self.name not in ("sst5", "sst2"):
            raise ValueError(f"only sst5 and sst2 have phrases, not {self.name!r}")
        check_fraction(self.train_fraction)
        if self.phrases and self.train_fraction < 1:
            raise ValueError(
                "train_fraction counts whole texts; with phrases, parts of the left-out ones would come in"
            )


@dataclass(frozen=True)
class TextSplit:
    """Texts and their labels, index by index; labels count from 0."""

    texts: tuple[str, ...]
    labels: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.labels):
            raise ValueError(f"{len(self.texts)} texts but {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, indices: list[int]) -> TextSplit:
        """The examples at `indices`, in that order."""
        return TextSplit(tuple(self.texts[i] for i in indices), tuple(self.labels[i] for i in indices))


@dataclass(frozen=True)
class Corpus:
    """What a loader returns, before it is checked and before a missing validation split is held out."""

    source: str
    """Where it came from, in words."""
    splits: Mapping[str, TextSplit]
    """train and test, and validation where the dataset has one."""
    label_names: tuple[str, ...]
    """Name of label k at index k."""
    official: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Split -> accepted numbers of examples, the official one first; empty: not checked."""
    extra_train: TextSplit | None = None
    """More training examples outside the official split (SST's phrases); those that stand in validation or test are
    left out."""
    ordinal: bool = False
    """Whether the labels are degrees of one thing, in order."""


@dataclass(frozen=True)
class TextData:
    """A checked corpus with the splits train, validation and test."""

    name: str
    source: str
    """Where it came from, in words."""
    splits: dict[str, TextSplit]
    label_names: tuple[str, ...]
    fingerprint: str
    """SHA-256 over texts, labels and label names of all splits, as used."""
    warnings: tuple[str, ...] = ()
    """What the checks found and let pass."""
    ordinal: bool = False
    """Whether the labels are degrees of one thing, in order; their distance is then scored too."""
    whole_train: int = 0
    """Training texts before `train_fraction` was taken of them; 0 = as many as there are."""

    @property
    def repeats(self) -> float:
        """Passes over the training texts in one epoch, so that it has as many updates as on all of them.

        With the number of passes fixed, 1 % of SST-5 would be six updates in two epochs: the score would tell how far
        the optimiser came and not what the texts taught. Fine-tuning on little data fails mostly for want of updates
        (Mosbach et al. 2021, Zhang et al. 2021), so all shares get the same number, the same schedule of learning rates
        and the same evaluations; only how many different texts there are differs. What repeating costs by
        overfitting is bounded by choosing the weights on the validation split.
        """
        return self.whole_train / len(self.splits["train"]) if self.whole_train else 1.0


Loader = Callable[[DataConfig], Corpus]
_DATASETS: Registry[Loader] = Registry("dataset", DataError)


def register_dataset(name: str) -> Callable[[Loader], Loader]:
    """Decorator: make the loader known as ``DataConfig(name=name)``."""
    return partial(_DATASETS.add, name)


def datasets() -> dict[str, Loader]:
    """All registered loaders, by name."""
    return dict(sorted(_DATASETS.items()))


def load_text(config: DataConfig) -> TextData:
    """Load, check and split the corpus that `config` names.

    Raises:
        DataError: unknown name, corpus not to be had, or a failed check; the message says what to do.
    """
    # Both modules need the classes above, so they are imported late.
    from common.data.checks import check_corpus, check_overlap, text_key
    from common.data.splits import hold_out, subset

    corpus = _DATASETS.named(config.name)(config)
    notes = check_corpus(config.name, corpus, config)
    notes += check_overlap(config.name, corpus.splits, config)
    splits = dict(corpus.splits)
    source = corpus.source
    if "validation" not in splits:
        splits["train"], splits["validation"] = hold_out(
            splits["train"], config.validation_fraction, config.seed, keep=splits["test"].texts
        )
        source += f"; {len(splits['validation'])} training examples held out for validation, seed {config.seed}"
    if corpus.extra_train is not None:
        scored = {text_key(text) for name in ("validation", "test") for text in splits[name].texts}
        fresh = [i for i, text in enumerate(corpus.extra_train.texts) if text_key(text) not in scored]
        splits["train"] = _join(splits["train"], corpus.extra_train.take(fresh))
    if 0 < config.max_train < len(splits["train"]):
        source += _kept(config.max_train, len(splits["train"]), config.seed)
        splits["train"] = subset(splits["train"], config.max_train, config.seed)
    whole = len(splits["train"])
    if config.train_fraction < 1:
        kept = share(splits["train"].labels, config.train_fraction, config.seed)
        splits["train"] = splits["train"].take(kept)
        source += _kept(len(kept), whole, config.seed)
    splits = {name: splits[name] for name in SPLITS}
    for note in notes:
        warnings.warn(note, stacklevel=2)
    data = TextData(config.name, source, splits, corpus.label_names, "", tuple(notes), corpus.ordinal, whole)
    return replace(data, fingerprint=_fingerprint(data))


def _kept(kept: int, whole: int, seed: int) -> str:
    return f"; {kept:,} of {whole:,} training examples kept, by class, seed {seed}"


def _join(first: TextSplit, second: TextSplit) -> TextSplit:
    return TextSplit(first.texts + second.texts, first.labels + second.labels)


def _fingerprint(data: TextData) -> str:
    digest = hashlib.sha256()
    content = [data.label_names, *((name, split.texts, split.labels) for name, split in data.splits.items())]
    for part in content:
        digest.update(json.dumps(part).encode() + b"\n")
    return digest.hexdigest()
