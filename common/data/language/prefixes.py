"""Stream inputs from tokens alone, for a language model that meets them as it writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.data.language.words import TokenReader
from common.files import write_text
from common.streams.analyser import WordAnalyser, analyser_class
from common.streams.config import StreamConfig
from common.streams.grid import gather_pieces, owned_pieces
from common.streams.lexicon import Lexicon

FILE = "prefix_streams.json"


class PrefixStreams:
    """Tokens to the pieces of every word as far as it is written; each prefix is analysed once.

    Args:
        tokenizer: a byte-level one of `transformers` (GPT-2's kind).
        streams: configs of all secondary streams.
        analysers: kind -> fitted analyser.

    Raises:
        ValueError: a control stream: what it shows of a word is drawn for a corpus, and new words are not in it.
    """

    def __init__(self, tokenizer: Any, streams: Sequence[StreamConfig], analysers: Mapping[str, WordAnalyser]) -> None:
        for stream in streams:
            if stream.control != "none":
                raise ValueError(
                    f"stream {stream.label!r} is the control {stream.control!r}, which is drawn for one corpus and has "
                    "nothing to say of new words; generate with a model without it"
                )
        self.tokenizer = tokenizer
        self.reader = TokenReader.of(tokenizer)
        self.streams = tuple(streams)
        self.analysers = dict(analysers)
        shapes = {(s.kind, s.max_pieces) for s in streams if s.kind != "duplicate"}
        self._lexicons = {shape: Lexicon.build(self.analysers[shape[0]], [], shape[1]) for shape in sorted(shapes)}

    def prefixes(self, input_ids: Tensor, attention_mask: Tensor | None = None, last: int = 0) -> list[list[str]]:
        """Prefix at each of the `last` tokens (0 = all) of ``[B, S]``; "" at padding and where there is no word."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        found = []
        for ids, there in zip(input_ids.tolist(), mask.tolist(), strict=True):
            begin = there.index(1) if 1 in there else len(ids)
            first = 0 if last == 0 else len(ids) - last
            found.append([self.reader.prefix(ids[begin : t + 1]) if t >= begin else "" for t in range(first, len(ids))])
        return found

    def batch(self, input_ids: Tensor, attention_mask: Tensor | None = None, last: int = 0) -> dict[str, Tensor]:
        """Inputs of all streams for the `last` tokens (0 = all) of ``[B, S]``, as ``GridStreams.batch`` makes them, on
        the device of the tokens. Alignment ``attention`` gets the pieces of all tokens.
        """
        found: dict[str, np.ndarray] = {}
        whole = any(s.alignment == "attention" and s.kind != "duplicate" for s in self.streams)
        prefixes = self.prefixes(input_ids, attention_mask, 0 if whole else last)
        for stream in self.streams:
            if stream.kind == "duplicate":
                continue
            lexicon = self._lexicons[stream.kind, stream.max_pieces]
            key = lexicon.analyser.key
            rows = np.array([[lexicon.row(key(prefix)) if prefix else 0 for prefix in row] for row in prefixes])
            if stream.alignment == "word":
                rows = rows[:, -last:] if last else rows
                found[f"{stream.label}_pieces"], found[f"{stream.label}_index"] = gather_pieces(rows, lexicon.table)
            else:
                found[f"{stream.label}_sequence"], found[f"{stream.label}_owner"] = owned_pieces(rows, lexicon.table)
        return {name: torch.from_numpy(value).to(input_ids.device) for name, value in found.items()}

    def save_pretrained(self, folder: Path | str) -> None:
        """Writes the tokenizer and ``prefix_streams.json``: the streams and their fitted analysers."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer.save_pretrained(folder)
        states = {kind: analyser.state() for kind, analyser in self.analysers.items()}
        content = {"streams": [asdict(stream) for stream in self.streams], "analysers": states}
        write_text(folder / FILE, json.dumps(content, indent=1))

    @classmethod
    def from_pretrained(cls, folder: Path | str) -> PrefixStreams:
        """What ``save_pretrained`` wrote.

        Raises:
            FileNotFoundError: the folder has none; the model was saved without, or is a control.
        """
        from transformers import PreTrainedTokenizerFast

        folder = Path(folder)
        if not (folder / FILE).is_file():
            raise FileNotFoundError(f"{folder} has no {FILE}; name the folder `model` of a finished run of step 3")
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        fitted = {kind: analyser_class(kind).from_state(state) for kind, state in content["analysers"].items()}
        streams = [StreamConfig(**stream) for stream in content["streams"]]
        return cls(PreTrainedTokenizerFast.from_pretrained(folder), streams, fitted)
