"""From texts to batches: the backbone's tokens, and for each stream the pieces of every token's word."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from common.files import write_text
from common.streams.analyser import FIRST_SYMBOL, analyser_class
from common.streams.config import StreamConfig
from common.streams.controls import derangement, noise_rows, stand_in
from common.streams.fitting import build_lexicons
from common.streams.grid import gather_pieces
from common.streams.lexicon import Lexicon
from common.streams.words import split_words, words_of_tokens

STREAMS_FILE = "streams.json"


@dataclass(frozen=True)
class Encoded:
    """One text, ready to be put into a batch."""

    input_ids: list[int]
    """Backbone tokens, special ones included, T of them."""
    words: list[str]
    """Words within the truncation, as written."""
    token_word: list[int]
    """Index into ``words`` of each token, -1 for special tokens ``[T]``."""
    rows: Mapping[str, np.ndarray]
    """Per stream of alignment ``word``: lexicon row of each token, 0 where there is none ``[T]``."""
    sequences: Mapping[str, np.ndarray]
    """Per stream of alignment ``attention``: lexicon row of each word ``[W]``."""
    cut: bool
    """Whether the text goes on behind its last token here."""


class StreamProcessor:
    """Tokeniser, lexicons and controls of a model's streams; make it with ``build`` or ``from_pretrained``.

    Encode and collate in the same process: words met for the first time get rows in that process' lexicon.
    """

    def __init__(
        self,
        tokenizer: Any,
        streams: Sequence[StreamConfig],
        max_length: int,
        lexicons: Mapping[str, Lexicon],
        stands_for: Mapping[str, int] | None = None,
    ) -> None:
        """``lexicons``: one per analyser stream, by label; streams of one kind may share theirs. ``stands_for``: label
        of a duplicate -> symbol ids of the stream it stands in for.
        """
        if not getattr(tokenizer, "is_fast", False):
            raise ValueError("streams need a fast tokenizer (one with offsets): load it with AutoTokenizer")
        if tokenizer.pad_token_id is None:
            raise ValueError("the tokenizer has no padding token: set tokenizer.pad_token before")
        labels = [stream.label for stream in streams]
        if len(set(labels)) < len(labels):
            raise ValueError(f"stream names must differ, got {labels}; set StreamConfig.name")
        self.tokenizer = tokenizer
        self.streams = tuple(streams)
        self.max_length = max_length
        self.lexicons = dict(lexicons)
        self.stands_for = dict(stands_for or {})
        self._analysed = [stream for stream in self.streams if stream.kind != "duplicate"]
        self._shuffles = {
            stream.label: derangement(self.lexicons[stream.label].built, stream.seed)
            for stream in self._analysed
            if stream.control == "shuffled"
        }

    @classmethod
    def build(
        cls,
        tokenizer: Any,
        streams: Sequence[StreamConfig],
        train_texts: Sequence[str],
        other_texts: Sequence[str] = (),
        max_length: int = 128,
        cache_dir: Path | str | None = None,
        workers: int | None = None,
        progress: bool = True,
    ) -> StreamProcessor:
        """Fits the analysers on the train split and builds the lexicons of all texts.

        Args:
            tokenizer: a fast one of ``transformers``.
            streams: the secondary streams.
            train_texts: what analysers may learn from.
            other_texts: texts whose words are looked up in advance; nothing is learned from them.
            max_length: tokens kept per text, special ones included.
            cache_dir: folder of fitted analysers and lexicons; None for no cache.
            workers, progress: see ``Lexicon.build``.
        """
        cache = None if cache_dir is None else Path(cache_dir).expanduser()
        lexicons, stands_for = build_lexicons(streams, train_texts, other_texts, cache, workers, progress)
        return cls(tokenizer, streams, max_length, lexicons, stands_for)

    def stream_vocabularies(self) -> dict[str, int]:
        """Number of symbol ids, special ones included, of every stream (of a duplicate: of what it stands in for)."""
        own = {s.label: len(self.lexicons[s.label].analyser.symbols) + FIRST_SYMBOL for s in self._analysed}
        return own | self.stands_for

    def encode(self, text: str) -> Encoded:
        """One text; see ``encode_many``, which is much faster for many."""
        return self.encode_many([text])[0]

    def encode_many(self, texts: Sequence[str]) -> list[Encoded]:
        """Texts to tokens, words and lexicon rows. What lies behind ``max_length`` tokens is unseen by every stream."""
        if not len(texts):
            return []
        tokens = self.tokenizer(
            list(texts), truncation=True, max_length=self.max_length, return_offsets_mapping=True,
            return_special_tokens_mask=True, return_attention_mask=False, return_token_type_ids=False,
        )  # fmt: skip
        parts = zip(texts, tokens["input_ids"], tokens["offset_mapping"], tokens["special_tokens_mask"], strict=True)
        cut = [bool(one.overflowing) for one in tokens.encodings]
        return [self._encode(*part, cut=over) for part, over in zip(parts, cut, strict=True)]

    def _encode(
        self, text: str, ids: list[int], offsets: list[tuple[int, int]], special: list[int], cut: bool
    ) -> Encoded:
        words, spans = split_words(text)
        places = np.array(offsets, dtype=np.int64).reshape(-1, 2)
        word = words_of_tokens(spans, places, np.array(special))  # [T]
        kept = int(np.searchsorted(spans[:, 0], places[:, 1].max(initial=0)))
        words = words[:kept]
        rows, sequences, keys = {}, {}, {}
        for stream in self._analysed:
            lexicon = self.lexicons[stream.label]
            if stream.kind not in keys:
                keys[stream.kind] = lexicon.analyser.keys(words)
            per_word = self._rows(stream, lexicon, keys[stream.kind])  # [W]
            if stream.control == "noise":
                per_word = np.where(per_word > 0, noise_rows(text, kept, lexicon.built, stream.seed), 0)
            if stream.alignment == "attention":
                sequences[stream.label] = per_word
            else:
                # Index -1 (no word) reads the zero put behind the last word.
                rows[stream.label] = np.append(per_word, 0)[word]
        return Encoded(list(ids), words, word.tolist(), rows, sequences, cut)

    def _rows(self, stream: StreamConfig, lexicon: Lexicon, keys: list[str]) -> np.ndarray:
        rows = np.array([lexicon.row(key) for key in keys], dtype=np.int64)
        if stream.control == "shuffled":
            new = np.flatnonzero(rows > lexicon.built)
            shuffled = self._shuffles[stream.label][np.minimum(rows, lexicon.built)]
            for place in new:
                shuffled[place] = stand_in(keys[place], lexicon.built, stream.seed)
            return shuffled
        return rows

    def collate(self, items: Sequence[Encoded], labels: Sequence[int] | None = None) -> dict[str, Tensor]:
        """One batch, padded on the right to its longest text; all int64.

        Returns:
            ``input_ids``, ``attention_mask`` and, where the tokenizer has them, ``token_type_ids`` ``[B, T]``;
            ``labels`` ``[B]`` if given; per stream ``{s}_pieces [U, P]`` and ``{s}_index [B, T]`` (alignment word), or
            ``{s}_sequence [B, S]`` (alignment attention; S at most four times ``max_length``).
        """
        if not len(items):
            raise ValueError("a batch needs at least one text")
        ids = _pad([item.input_ids for item in items], self.tokenizer.pad_token_id)
        lengths = np.array([len(item.input_ids) for item in items])
        batch = {"input_ids": ids, "attention_mask": (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)}
        if "token_type_ids" in self.tokenizer.model_input_names:
            batch["token_type_ids"] = np.zeros_like(ids)
        if labels is not None:
            batch["labels"] = np.asarray(labels, dtype=np.int64)
        for stream in self._analysed:
            table = self.lexicons[stream.label].table
            if stream.alignment == "word":
                rows = _pad([item.rows[stream.label] for item in items], 0, ids.shape[1])  # [B, T]
                batch[f"{stream.label}_pieces"], batch[f"{stream.label}_index"] = gather_pieces(rows, table)
            else:
                flat = [table[item.sequences[stream.label]].ravel() for item in items]
                batch[f"{stream.label}_sequence"] = _pad([row[row != 0][: 4 * self.max_length] for row in flat], 0)
        return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in batch.items()}

    def __call__(self, texts: str | Sequence[str]) -> dict[str, Tensor]:
        """Texts to one batch; see ``collate``."""
        return self.collate(self.encode_many([texts] if isinstance(texts, str) else texts))

    def save_pretrained(self, folder: Path | str) -> None:
        """Writes the tokenizer, ``streams.json`` and one ``lexicon-*.bin`` per lexicon."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer.save_pretrained(folder)
        states: dict[str, Any] = {}
        for stream in self._analysed:
            lexicon = self.lexicons[stream.label]
            lexicon.save(folder / _lexicon_file(stream))
            states[stream.kind] = lexicon.analyser.state()
        content = {
            "max_length": self.max_length, "streams": [asdict(s) for s in self.streams], "analysers": states,
            "stands_for": self.stands_for,
        }  # fmt: skip
        write_text(folder / STREAMS_FILE, json.dumps(content, indent=1))

    @classmethod
    def from_pretrained(cls, folder: Path | str) -> StreamProcessor:
        """What ``save_pretrained`` wrote.

        Raises:
            FileNotFoundError, store.CorruptFile: a file is missing or damaged.
            ValueError: a stream's analyser is not registered.
        """
        from transformers import AutoTokenizer

        folder = Path(folder)
        content = json.loads((folder / STREAMS_FILE).read_text(encoding="utf-8"))
        streams = [StreamConfig(**stream) for stream in content["streams"]]
        fitted = {kind: analyser_class(kind).from_state(state) for kind, state in content["analysers"].items()}
        files: dict[str, Lexicon] = {}
        lexicons: dict[str, Lexicon] = {}
        for stream in streams:
            if stream.kind != "duplicate":
                name = _lexicon_file(stream)
                if name not in files:
                    files[name] = Lexicon.load(folder / name, fitted[stream.kind])
                lexicons[stream.label] = files[name]
        tokenizer = AutoTokenizer.from_pretrained(folder)
        return cls(tokenizer, streams, content["max_length"], lexicons, content["stands_for"])


def _lexicon_file(stream: StreamConfig) -> str:
    return f"lexicon-{stream.kind}-{stream.max_pieces}.bin"


def _pad(rows: Iterable[Sequence[int] | np.ndarray], value: int, length: int = 1) -> np.ndarray:
    """Rows of unequal lengths to ``[B, longest]``, at least ``length`` wide."""
    rows = list(rows)
    out = np.full((len(rows), max(length, *(len(row) for row in rows))), value, dtype=np.int64)
    for place, row in enumerate(rows):
        out[place, : len(row)] = row
    return out
