"""Secondary streams: pieces of words (phonemes, morphemes …) to narrow token-grid states, one per depth."""

from __future__ import annotations

import math
from typing import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.streams.analyser import PAD
from common.streams.config import StreamConfig


class Block(nn.Module):
    """Pre-norm transformer layer on ``[B, T, D]`` with ReLU (Vaswani et al. 2017; Xiong et al. 2020)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x ``[B, T, D]``, mask bool ``[B, 1, 1, T]`` (True = may be attended)."""
        batch, time, width = x.shape
        qkv = self.qkv(self.norm_attention(x)).view(batch, time, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each [B, H, T, D/H]
        x = x + self.out(attend(q, k, v, mask).transpose(1, 2).reshape(batch, time, width))
        return x + self.down(F.relu(self.up(self.norm_mlp(x))))


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Softmax attention ``[B, H, T, D/H]``, written out: so narrow, the fused kernel's backward is slower on CPUs."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # [B, H, T, S]
    return scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1).to(value.dtype) @ value


class DepthEncoder(nn.Module):
    """A stack of blocks that hands out its raw residual stream after every depth."""

    def __init__(self, config: StreamConfig) -> None:
        super().__init__()
        distinct = 1 if config.share_depth else config.layers
        self.depths = config.layers
        self.blocks = nn.ModuleList(Block(config.width, config.heads) for _ in range(distinct))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, attention_mask: Tensor) -> list[Tensor]:
        """``[B, T, D]`` and ``[B, T]`` to one ``[B, T, D]`` per depth."""
        mask = attention_mask.bool()[:, None, None, :]
        x = self.dropout(x + sinusoids(x.shape[1], x.shape[2], x.device).to(x.dtype))
        outputs = []
        for depth in range(self.depths):
            x = self.blocks[depth % len(self.blocks)](x, mask)
            outputs.append(x)
        return outputs


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
        x = F.relu(self._mixed(x)) * there  # [U, P, D]
        mean = x.sum(1) / there.sum(1).clamp_min(1)
        peak = x.amax(1)  # what is not there is 0, which after ReLU is no new maximum
        words = self.join(torch.cat([mean, peak], dim=-1))  # [U, D]
        return F.embedding(index, words)  # [B, T, D]

    def _mixed(self, x: Tensor) -> Tensor:
        """The convolution on ``[U, P, D]``. As a picture one high it may stay channels-last; `Conv1d` copies it."""
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


class DuplicateComposer(nn.Module):
    """A second copy of the subword stream: the backbone's own input embeddings, narrowed (control).

    Standing in for a stream with `vocabulary` symbols, it has an inner layer that gives it as many parameters.
    """

    def __init__(self, config: StreamConfig, vocabulary: int, grid_width: int) -> None:
        super().__init__()
        steps: list[nn.Module] = [nn.Linear(grid_width, config.width)]
        if vocabulary:
            with torch.device("meta"):
                wanted = sum(p.numel() for p in _ALIGNMENTS[config.alignment](config, vocabulary).parameters())
            hidden = max(1, round((wanted - config.width) / (grid_width + 1 + config.width)))
            steps = [nn.Linear(grid_width, hidden), nn.ReLU(), nn.Linear(hidden, config.width)]
        self.narrow = nn.Sequential(*steps)

    def forward(self, inputs: Mapping[str, Tensor], grid: Tensor) -> Tensor:
        return self.narrow(grid)


class SecondaryStreams(nn.Module):
    """All secondary streams side by side; they never read each other.

    Args:
        streams: their configs; `share_with` makes a stream use another one's encoder.
        vocabularies: stream label -> number of symbol ids; of a duplicate with `of`, of the stream it stands in for.
        grid_width: channels of the backbone's input embeddings.
    """

    def __init__(self, streams: list[StreamConfig], vocabularies: Mapping[str, int], grid_width: int) -> None:
        super().__init__()
        self.configs = {stream.label: stream for stream in streams}
        self.composers = nn.ModuleDict()
        self.encoders = nn.ModuleDict()
        for label, stream in self.configs.items():
            if (stream.kind != "duplicate" or stream.of) and label not in vocabularies:
                raise ValueError(f"stream {label!r} needs the size of its symbol vocabulary")
            if stream.kind == "duplicate":
                self.composers[label] = DuplicateComposer(stream, vocabularies.get(label, 0), grid_width)
            else:
                self.composers[label] = _ALIGNMENTS[stream.alignment](stream, vocabularies[label])
            if not stream.share_with:
                self.encoders[label] = DepthEncoder(stream)
            elif stream.share_with not in self.encoders:
                raise ValueError(f"stream {label!r} shares with {stream.share_with!r}, which must stand before it")

    @property
    def reads_grid(self) -> bool:
        """Whether a stream reads the backbone's input embeddings."""
        return any(stream.kind == "duplicate" for stream in self.configs.values())

    def forward(self, inputs: Mapping[str, Tensor], grid: Tensor, attention_mask: Tensor) -> dict[str, list[Tensor]]:
        """Inputs of the batch and the grid ``[B, T, G]`` to label -> one ``[B, T, D_i]`` per depth."""
        outputs = {}
        for label, stream in self.configs.items():
            encoder = self.encoders[stream.share_with or label]
            outputs[label] = encoder(self.composers[label](inputs, grid), attention_mask)
        return outputs


_ALIGNMENTS = {"word": WordComposer, "attention": SequenceComposer}


def sinusoids(length: int, width: int, device: torch.device) -> Tensor:
    """Fixed position code ``[T, D]`` (Vaswani et al. 2017)."""
    position = torch.arange(length, device=device, dtype=torch.float32).unsqueeze(1)
    rate = torch.exp(torch.arange(0, width, 2, device=device, dtype=torch.float32) * (-math.log(10_000.0) / width))
    angle = position * rate  # [T, D/2]
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :width]


def depth_of_site(site: int, sites: int, depths: int) -> int:
    """0-based depth of a stream that site `site` of `sites` reads, by relative depth (the last reads the last)."""
    return math.ceil((site + 1) * depths / sites) - 1
