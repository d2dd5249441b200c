"""Secondary streams: pieces of words (phonemes, morphemes …) to narrow token-grid states, one per depth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Mapping

from torch import Tensor, nn

from common.models.blocks import DepthEncoder, Past, Places
from common.models.composers import ALIGNMENTS, CausalSequenceComposer, DuplicateComposer
from common.models.vision_composer import VISION, VisionComposer
from common.streams.config import StreamConfig


class SecondaryStreams(nn.Module):
    """All secondary streams side by side; they never read each other.

    Args:
        streams: their configs; `share_with` makes a stream use another one's encoder.
        vocabularies: stream label -> number of symbol ids; of a duplicate with `of`, of the stream it stands in for; of
            a vision stream, channels of a patch.
        grid_width: channels of the backbone's input embeddings.
        causal: whether no position reads a later one.
    """

    def __init__(
        self, streams: list[StreamConfig], vocabularies: Mapping[str, int], grid_width: int, causal: bool = False
    ) -> None:
        super().__init__()
        self.causal = causal
        self.configs = {stream.label: stream for stream in streams}
        self.composers = nn.ModuleDict()
        self.encoders = nn.ModuleDict()
        for label, stream in self.configs.items():
            if (stream.kind != "duplicate" or stream.of) and label not in vocabularies:
                raise ValueError(f"stream {label!r} needs the size of its symbol vocabulary")
            if stream.kind == VISION:
                self.composers[label] = VisionComposer(stream, vocabularies[label], grid_width)
            elif stream.kind == "duplicate":
                self.composers[label] = DuplicateComposer(stream, vocabularies.get(label, 0), grid_width)
            else:
                composer = CausalSequenceComposer if causal and stream.alignment == "attention" else None
                composer = composer or ALIGNMENTS[stream.alignment]
                self.composers[label] = composer(stream, vocabularies[label])
            if not stream.share_with:
                self.encoders[label] = DepthEncoder(stream)
            elif stream.share_with not in self.encoders:
                raise ValueError(f"stream {label!r} shares with {stream.share_with!r}, which must stand before it")

    @property
    def reads_grid(self) -> bool:
        """Whether a stream reads the backbone's input embeddings."""
        return any(stream.kind in ("duplicate", VISION) for stream in self.configs.values())

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        grid: Tensor,
        attention_mask: Tensor,
        pasts: Mapping[str, Sequence[Past]] | None = None,
    ) -> dict[str, list[Tensor]]:
        """Inputs of the batch and the grid ``[B, T, G]`` to label -> one ``[B, T, D_i]`` per depth.

        Args:
            attention_mask: ``[B, S]``; of causal streams with a past, S - T positions stand before the grid.
            pasts: label -> one per depth.
        """
        outputs, places = {}, Places(attention_mask, grid.shape[1], self.causal)
        for label, stream in self.configs.items():
            encoder = self.encoders[stream.share_with or label]
            composer = self.composers[label]
            if isinstance(composer, (CausalSequenceComposer, VisionComposer)):
                composed = composer(inputs, grid, attention_mask)
            else:
                composed = composer(inputs, grid)
            outputs[label] = encoder(composed, places, pasts[label] if pasts else ())
        return outputs


def depth_of_site(site: int, sites: int, depths: int) -> int:
    """0-based depth of a stream that site `site` of `sites` reads, by relative depth (the last reads the last)."""
    return math.ceil((site + 1) * depths / sites) - 1
