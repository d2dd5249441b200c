"""Running text to batches of masked windows, with the streams of every word."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.data.language.corpus import LanguageCorpus, TokenSplit, load_corpus
from common.data.language.masking import NOTHING, mask
from common.streams.grid import GridStreams
from common.streams.tables import StreamTable, build_tables
from common.training.config import RuntimeConfig
from common.training.loader import BucketedLoader
from step2_mlm.config import MaskedLMConfig


@dataclass(frozen=True)
class MaskedLMData:
    """What a run trains on. Items are numbers of windows; each split has its loader."""

    corpus: LanguageCorpus
    tables: dict[str, StreamTable]
    vocabularies: dict[str, int]
    """Symbol ids of every stream."""
    windows: dict[str, MaskedWindows]
    loaders: dict[str, BucketedLoader]


class MaskedWindows:
    """Windows of one split, masked anew in every epoch of training and always alike in evaluation.

    A window is ``[CLS]``, consecutive tokens, ``[SEP]``. The masks of window k in epoch e depend on the seed, e and k
    alone, so a resumed run sees those it would have seen.
    """

    def __init__(
        self, config: MaskedLMConfig, corpus: LanguageCorpus, split: str, grid: GridStreams, seed: int, limit: int
    ) -> None:
        self.config, self.grid, self.seed = config, grid, seed
        self.split: TokenSplit = corpus.split(split)
        self.tokenizer: Any = corpus.tokenizer
        self.inner = config.train.max_length - 2
        tokens = len(self.split) if limit == 0 else min(limit, len(self.split))
        self.count = max(1, tokens // self.inner)
        special = set(self.tokenizer.all_special_ids)
        self.vocabulary = np.array([k for k in range(len(self.tokenizer)) if k not in special])
        if self.tokenizer.mask_token_id is None:
            raise ValueError(
                f"the tokenizer of backbone {config.backbone!r} has no mask token; take a masked language model"
            )

    @property
    def tokens(self) -> int:
        """Tokens of the text in an epoch, special ones not counted."""
        return min(self.count * self.inner, len(self.split))

    def collate(self, items: list[int], epoch: int) -> dict[str, Tensor]:
        """Windows `items` as one batch: ``input_ids``, ``attention_mask``, ``labels`` ``[B, T]``, the inputs of the
        streams; ``places`` (of each token in the split) and ``words`` (its word's number) ``[B, T]`` for analyses.
        """
        rows = [self._row(item, epoch) for item in items]
        names = ("input_ids", "labels", "words", "starts", "hidden", "places", "word_places")
        arrays = {name: np.stack([row[name] for row in rows]) for name in names}
        streams = self.grid.batch(arrays["words"], arrays["starts"], arrays["word_places"], arrays["hidden"])
        batch = {name: arrays[name] for name in ("input_ids", "labels", "words", "places")}
        batch["attention_mask"] = np.ones_like(arrays["input_ids"])
        return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in {**batch, **streams}.items()}

    def _row(self, item: int, epoch: int) -> dict[str, np.ndarray]:
        first = item * self.inner
        window = self.split.window(first, min(first + self.inner, len(self.split)))
        random = np.random.default_rng([self.seed, epoch, item])
        found = mask(
            window.tokens, window.starts, window.words, self.config.mask, random, self.tokenizer.mask_token_id,
            self.vocabulary,
        )  # fmt: skip
        places = first + np.arange(len(window.tokens))
        # What `noise` draws by: the place of the word's first token, as far as it is in the window.
        word_places = np.maximum.accumulate(np.where(window.starts, places, first))
        # In a window that begins inside a word, the word begins with the window.
        starts = window.starts.copy()
        starts[0] |= window.words[0] != 0
        begin, end = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        return {
            "input_ids": _framed(found.inputs, begin, end),
            "labels": _framed(found.labels, NOTHING, NOTHING),
            "words": _framed(window.words, 0, 0),
            "starts": _framed(starts, False, False),
            "hidden": _framed(found.hidden, False, False),
            "places": _framed(places, -1, -1),
            "word_places": _framed(word_places, 0, 0),
        }


def _framed(inner: np.ndarray, first: Any, last: Any) -> np.ndarray:
    """The array between two more values."""
    return np.concatenate([np.array([first], dtype=inner.dtype), inner, np.array([last], dtype=inner.dtype)])


def build_data(config: MaskedLMConfig, runtime: RuntimeConfig) -> MaskedLMData:
    """Load or build corpus and tables; the streams' analysers learn from the training split's words only.

    Raises:
        DataError: the corpus cannot be had, or lacks a split.
    """
    cache = Path(runtime.cache_dir).expanduser() / "corpora"
    corpus = load_corpus(config.corpus, cache, progress=runtime.progress)
    tables, vocabularies = build_tables(corpus, config.streams, progress=runtime.progress)
    grid = GridStreams(config.streams, tables)
    windows = {}
    for split in ("train", "validation", "test"):
        training = split == "train"
        seed, limit = (config.train.seed, config.train_tokens) if training else (config.mask_seed, config.eval_tokens)
        windows[split] = MaskedWindows(config, corpus, split, grid, seed, limit)
    loaders = {split: _loader(one, config, split == "train") for split, one in windows.items()}
    return MaskedLMData(corpus, tables, vocabularies, windows, loaders)


def _loader(windows: MaskedWindows, config: MaskedLMConfig, training: bool) -> BucketedLoader:
    def collate(items: list[int]) -> dict[str, Tensor]:
        return windows.collate(items, loader.epoch if training else 0)

    size = config.train.batch_size if training else 2 * config.train.batch_size
    loader = BucketedLoader(range(windows.count), collate, size, shuffle=training, seed=config.train.seed)
    return loader
