"""Running text to batches of packed windows, with the streams of every word as far as it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from common.data.language.corpus import LanguageCorpus, TokenSplit, load_corpus
from common.data.language.counts import counts_up_to
from common.data.language.masking import NOTHING
from common.data.language.shards import Counts
from common.data.language.tokenizers import save_tokenizer
from common.streams.analyser import WordAnalyser
from common.streams.grid import GridStreams
from common.streams.tables import build_tables
from common.training.config import RuntimeConfig
from common.training.loader import BucketedLoader
from step3_gpt.config import GPTConfig


@dataclass(frozen=True)
class GPTData:
    """What a run trains on. Items are numbers of windows; each split has its loader."""

    corpora: dict[str, LanguageCorpus]
    """Split -> corpus; the texts beside the main one stand under their names."""
    analysers: dict[str, WordAnalyser]
    """Kind -> analyser, fitted on the training split."""
    vocabularies: dict[str, int]
    """Symbol ids of every stream."""
    windows: dict[str, Windows]
    loaders: dict[str, BucketedLoader]

    @property
    def corpus(self) -> LanguageCorpus:
        """The text that is trained on."""
        return self.corpora["train"]


class Windows:
    """Windows of one split: consecutive tokens, and the token that follows each.

    Args:
        context: tokens of a window.
        stride: tokens by which windows advance; a window scores those the one before it did not. Equal to the context:
            packed, as in training.
        limit: tokens of the split that are used; 0 = all.
        number: of the split, which batches carry along.
    """

    def __init__(
        self, split: TokenSplit, grid: GridStreams, context: int, stride: int, limit: int, number: int
    ) -> None:
        self.split, self.grid, self.context, self.stride, self.number = split, grid, context, stride, number
        self.tokens = len(split) if limit == 0 else min(limit, len(split))
        if self.tokens < 2:
            raise ValueError("a language model needs at least two tokens of every split")
        # The last token is only predicted.
        self.count = 1 + max(0, -(-(self.tokens - 1 - context) // stride))

    def collate(self, items: list[int]) -> dict[str, Tensor]:
        """Windows `items` as one batch: ``input_ids``, ``shift_labels`` ``[B, T]``, the inputs of the streams;
        ``places`` (of the predicted token in the split), ``words`` (its word's number) ``[B, T]`` and ``source``
        (number of the split) ``[B]`` for analyses.
        """
        rows = [self._row(item) for item in items]
        arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        streams = self.grid.batch(arrays.pop("prefixes"), arrays.pop("starts"), arrays["places"])
        arrays |= {**streams, "source": np.full(len(items), self.number)}
        return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}

    def _row(self, item: int) -> dict[str, np.ndarray]:
        begin = item * self.stride
        window = self.split.window(begin, min(begin + self.context + 1, self.tokens))
        length = len(window.tokens) - 1
        scored = np.arange(length) >= (0 if item == 0 else self.context - self.stride)
        # A word that began before the window is left out of the streams: the backbone does not see its beginning.
        began = np.maximum.accumulate(window.starts) | (window.words == 0)
        known = {
            "input_ids": window.tokens[:-1],
            "shift_labels": np.where(scored, window.tokens[1:], NOTHING),
            "prefixes": np.where(began, window.prefixes, 0)[:-1],
            "starts": window.starts[:-1],
            "words": window.words[1:],
            "places": begin + 1 + np.arange(length),
        }
        fill = {"shift_labels": NOTHING, "places": -1}
        missing = self.context - length
        return {name: np.pad(array, (0, missing), constant_values=fill.get(name, 0)) for name, array in known.items()}


def build_data(config: GPTConfig, runtime: RuntimeConfig) -> GPTData:
    """Load or build corpora and tables; the streams' analysers learn from the training split's words only.

    Raises:
        DataError: a corpus cannot be had, or lacks a split.
    """
    cache = Path(runtime.cache_dir).expanduser() / "corpora"
    corpus = load_corpus(config.corpus, cache, progress=runtime.progress)
    corpora: dict[str, LanguageCorpus] = dict.fromkeys(("train", "validation", "test"), corpus)
    tokenizer = cache / f"{corpus.folder.name}-tokenizer"
    for also in config.others:
        if not (tokenizer / "tokenizer.json").is_file():
            save_tokenizer(corpus.tokenizer, tokenizer)
        corpora[also.name] = load_corpus(replace(also, tokenizer=str(tokenizer)), cache, progress=runtime.progress)
    tables = {
        one.fingerprint: build_tables(one, config.streams, progress=runtime.progress, learn_from=corpus)
        for one in corpora.values()
    }
    windows = {}
    for number, (name, one) in enumerate(corpora.items()):
        grid = GridStreams(config.used, tables[one.fingerprint][0], causal=True)
        split = one.split(name if one is corpus else "test")
        training, context = name == "train", config.train.max_length
        stride, limit = (context, config.train_tokens) if training else (config.advance, config.eval_tokens)
        windows[name] = Windows(split, grid, context, stride, limit, number)
    loaders = {
        name: BucketedLoader(
            range(one.count), one.collate, config.train.batch_size, shuffle=name == "train", seed=config.train.seed
        )
        for name, one in windows.items()
    }
    own, vocabularies = tables[corpus.fingerprint]
    analysers = {stream.kind: own[stream.label].analyser for stream in config.streams if stream.label in own}
    return GPTData(corpora, analysers, vocabularies, windows, loaders)


def counts_of(data: GPTData) -> dict[str, Counts]:
    """Split -> words and bytes of the text that is scored: what per-word and per-byte figures are divided by."""
    return {
        name: counts_up_to(data.corpora[name].tokenizer, windows.split, windows.tokens)
        for name, windows in data.windows.items()
        if name != "train"
    }
