"""Config of one secondary stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class StreamConfig:
    """A stream beside the backbone's own, and the narrow transformer encoder that carries it."""

    kind: str = "phonetic"
    """Registered word analyser (``phonetic``, ``morphological``, …), ``vision`` (pictures), or ``duplicate``, a second
    copy of the subwords."""
    name: str = ""
    """Name in records and figures; the kind when empty. Needed when two streams are of one kind."""
    control: Literal["none", "shuffled", "noise"] = "none"
    """``shuffled``: every word has another word's pieces, fixed; ``noise``: every occurrence has random pieces. Both
    are silent at the words where the stream itself is, such as punctuation."""
    alignment: Literal["word", "attention", "pooled"] = "word"
    """Compose each word and gather it to the grid, or let the grid attend to the text's sequence of pieces. Of
    pictures: let the grid attend to the patches, or pool them."""
    width: int = 128
    """Channels of the encoder."""
    layers: int = 3
    """Depths of the encoder; sites read the depth at the same relative height."""
    heads: int = 4
    """Attention heads of the encoder."""
    dropout: float = 0.1
    """Dropout of what goes into the encoder."""
    max_pieces: int = 24
    """Pieces kept per word."""
    share_depth: bool = False
    """One block used at every depth."""
    share_with: str = ""
    """Name of a stream, listed earlier and equally shaped, whose encoder this one uses."""
    seed: int = 0
    """Seed of the control."""
    of: str = ""
    """Of a duplicate: kind of the stream it stands in for, whose number of parameters it gets (empty: a single matrix
    narrows the subword embeddings)."""

    def __post_init__(self) -> None:
        if not self.label.isidentifier():
            raise ValueError(f"stream name {self.label!r} must be an identifier (letters, digits, underscores)")
        if self.label in ("meaning", "state"):
            raise ValueError(f"{self.label!r} is taken by the backbone's own stream or the recurrent term")
        if min(self.width, self.layers, self.heads, self.max_pieces) < 1:
            raise ValueError("width, layers, heads and max_pieces must be at least 1")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        if self.of and self.kind != "duplicate":
            raise ValueError(f"`of` is a field of duplicates, got {self.of!r} for a stream of kind {self.kind!r}")
        if self.of == "duplicate":
            raise ValueError("a duplicate stands in for a stream that words are analysed for; set `of` to its kind")
        if self.alignment not in (("attention", "pooled") if self.kind == "vision" else ("word", "attention")):
            raise ValueError(f"a stream of kind {self.kind!r} knows no alignment {self.alignment!r}")
        if self.kind == "vision" and self.control != "none":
            raise ValueError(f"a stream of pictures has no control {self.control!r}; swap the pictures instead")
        if self.kind == "duplicate" and self.control != "none":
            raise ValueError("the duplicate stream is itself a control; leave control at 'none'")

    @property
    def label(self) -> str:
        """The name under which the stream appears everywhere."""
        return self.name or self.kind
