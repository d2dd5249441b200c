"""From pieces of words (phonemes, morphemes …) to the token grid: the lower end of a secondary stream."""

from __future__ import annotations

from typing import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.models.blocks import Block, attend, places_of, sinusoids
from common.streams.analyser import PAD
from common.streams.config import StreamConfig


class WordComposer(nn.Module):
    """One vector per distinct word from its pieces, gathered to the token grid (alignment ``word``).

    Pieces are embedded with their position, mixed by a convolution of width 3 and pooled by mean and maximum. Row 0
    (no word) gives exactly zero.
    """

    def __init__(self, config: StreamConfig, vocabulary: int) -> None:
        super().__init__()
        self.name = config.label
        self.embed = nn.Embedding(vocabulary, config.width, padding_idx=PAD)
        self.position = nn.Embedding(config.max_pieces, config.width)
        self.mix = nn.Conv1d(config.width, config.width, kernel_size=3, padding=1)
        self.join = nn.Linear(2 * config.width, config.width, bias=False)

    def forward(self, inputs: Mapping[str, Tensor], grid: Tensor) -> Tensor:
        pieces, index = inputs[f"{self.name}_pieces"], inputs[f"{self.name}_index"]  # [U, P], [B, T]
        there = (pieces != PAD).unsqueeze(-1)  # [U, P, 1]
        x = self.embed(pieces) + self.position.weight[: pieces.shape[1]]
        x = x * there
        x = F.relu(self._mixed(x, few=index.shape[1] == 1)) * there  # [U, P, D]
        mean = x.sum(1) / there.sum(1).clamp_min(1)
        peak = x.amax(1)  # what is not there is 0, which after ReLU is no new maximum
        words = self.join(torch.cat([mean, peak], dim=-1))  # [U, D]
        return F.embedding(index, words)  # [B, T, D]

    def _mixed(self, x: Tensor, few: bool) -> Tensor:
        """The convolution on ``[U, P, D]``; for the `few` words of one step of generation, a linear map of windows."""
        if few:
            windows = F.pad(x, (0, 0, 1, 1)).unfold(1, 3, 1).flatten(2)  # [U, P, 3 D], its last axis as the weight's
            return F.linear(windows, self.mix.weight.flatten(1), self.mix.bias)
        # As a picture one high it may stay channels-last; `Conv1d` copies it.
        picture, weight = x.transpose(1, 2).unsqueeze(2), self.mix.weight.unsqueeze(2)
        return F.conv2d(picture, weight, self.mix.bias, padding=(0, 1)).squeeze(2).transpose(1, 2)


class SequenceComposer(nn.Module):
    """The pieces of the whole text as a sequence of their own, attended to from the grid (alignment ``attention``)."""

    def __init__(self, config: StreamConfig, vocabulary: int) -> None:
        super().__init__()
        self.name = config.label
        self.heads = config.heads
        self.width = config.width
        self.embed = nn.Embedding(vocabulary, config.width, padding_idx=PAD)
        self.block = Block(config.width, config.heads)
        self.query = nn.Linear(config.width, config.width)
        self.key_value = nn.Linear(config.width, 2 * config.width)

    def forward(self, inputs: Mapping[str, Tensor], grid: Tensor) -> Tensor:
        sequence = inputs[f"{self.name}_sequence"]  # [B, S]
        batch, length = sequence.shape
        # An empty text would leave nothing to attend to; its (zero) first place stays open and its value is blanked.
        there = sequence != PAD
        open_ = there | (torch.arange(length, device=sequence.device) == 0)
        x = self.embed(sequence)
        x = self.block(x + sinusoids(length, x.shape[-1], x.device).to(x.dtype), open_[:, None, None, :])
        x = x * there.unsqueeze(-1)
        # Asked by place alone: a query made of subwords would let this stream read the backbone's.
        places = sinusoids(grid.shape[1], self.width, grid.device).to(x.dtype)
        query = self.query(places).expand(batch, -1, -1)  # [B, T, D]
        key, value = self.key_value(x).chunk(2, dim=-1)  # [B, S, D]
        split = (self.heads, x.shape[-1] // self.heads)
        q, k, v = (t.unflatten(-1, split).transpose(1, 2) for t in (query, key, value))  # [B, H, ·, D/H]
        return attend(q, k, v, open_[:, None, None, :]).transpose(1, 2).flatten(-2)  # [B, T, D]


class CausalSequenceComposer(SequenceComposer):
    """As :class:`SequenceComposer`, for models that read from left to right: every token adds the pieces of its own
    word prefix to the sequence, and neither a piece nor a token reads pieces of a later token.
    """

    def forward(self, inputs: Mapping[str, Tensor], grid: Tensor, attention_mask: Tensor) -> Tensor:
        """The grid ``[B, T, G]`` stands at the last T of the S positions of `attention_mask` ``[B, S]``; the pieces are
        those of all S.
        """
        sequence, owner = inputs[f"{self.name}_sequence"], inputs[f"{self.name}_owner"]  # [B, P], place 0 to S - 1
        there = sequence != PAD
        x = self.embed(sequence)
        code = sinusoids(sequence.shape[1], self.width, x.device).to(x.dtype)
        own = torch.eye(sequence.shape[1], dtype=torch.bool, device=x.device)
        inner = (owner[:, None, :] <= owner[:, :, None]) & there[:, None, :] | own  # [B, P, P]
        x = self.block(x + code, inner[:, None])
        places = places_of(attention_mask.bool())
        query = self.query(sinusoids(attention_mask.shape[1], self.width, x.device).to(x.dtype)[places])  # [B, S, D]
        key, value = self.key_value(x).chunk(2, dim=-1)  # [B, P, D]
        time = torch.arange(attention_mask.shape[1], device=x.device)
        open_ = (owner[:, None, :] <= time[:, None]) & there[:, None, :]  # [B, S, P]
        kept = slice(attention_mask.shape[1] - grid.shape[1], None)
        query, open_ = query[:, kept], open_[:, kept]
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (query, key, value))  # [B, H, ·, D/H]
        some = open_.any(-1, keepdim=True)  # before the first piece there is nothing to read
        attended = attend(q, k, v, (open_ | ~some)[:, None]).transpose(1, 2).flatten(-2)  # [B, T, D]
        return attended * some


class DuplicateComposer(nn.Module):
    """A second copy of the subword stream: the backbone's own input embeddings, narrowed (control).

    Standing in for a stream with `vocabulary` symbols, it has an inner layer that gives it as many parameters.
    """

    def __init__(self, config: StreamConfig, vocabulary: int, grid_width: int) -> None:
        super().__init__()
        steps: list[nn.Module] = [nn.Linear(grid_width, config.width)]
        if vocabulary:
            with torch.device("meta"):
                wanted = sum(p.numel() for p in ALIGNMENTS[config.alignment](config, vocabulary).parameters())
            hidden = max(1, round((wanted - config.width) / (grid_width + 1 + config.width)))
            steps = [nn.Linear(grid_width, hidden), nn.ReLU(), nn.Linear(hidden, config.width)]
        self.narrow = nn.Sequential(*steps)

    def forward(self, inputs: Mapping[str, Tensor], grid: Tensor) -> Tensor:
        return self.narrow(grid)


ALIGNMENTS = {"word": WordComposer, "attention": SequenceComposer}
"""Composer of each alignment."""
