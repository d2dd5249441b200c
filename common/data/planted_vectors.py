"""Generated vector streams whose label information is known exactly: unique to a stream, shared by several, or only in
several together.

A sample carries its label in one *part*, drawn with the part's share, and all K labels are equally frequent in every
part. A ``unique`` part shows the label in one stream; a ``redundant`` part shows the same label in each of its streams;
of a ``synergistic`` part every stream shows a symbol, and only the sum of the symbols modulo K is the label, so that
any of its streams alone says nothing. Streams that do not carry show a neutral symbol. A symbol is a random code
vector with Gaussian noise, and every stream has a width and a scale of its own.

Who reads the streams S perfectly is right at a rate of ``1/K + (1 − 1/K) · v(S)``, where v(S) is the sum of the shares
of the parts that S can tell (:func:`readable`). Shapley values of v are the truth about importance (Shapley 1953): a
unique share goes to its stream, redundant and synergistic ones are split evenly (:func:`shapley_shares`). Taking one
stream away (:func:`losses`) costs nothing where another one says the same, and the whole share where all are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from common.evaluation.importance import shapley, subsets

Kind = Literal["unique", "redundant", "synergistic"]


@dataclass(frozen=True)
class Part:
    """A share of the samples that carries its label in the same way."""

    kind: Kind
    streams: tuple[str, ...]
    share: float
    """Of all samples, in [0, 1]."""

    def __post_init__(self) -> None:
        if (len(self.streams) == 1) != (self.kind == "unique") or len(set(self.streams)) != len(self.streams):
            raise ValueError(f"a unique part has one stream and the others have several, got {self}")
        if not 0 <= self.share <= 1:
            raise ValueError(f"a share is in [0, 1], got {self}")


@dataclass(frozen=True)
class Vectors:
    """Samples: stream -> ``[E, D_i]`` float32, and labels ``[E]``."""

    streams: dict[str, np.ndarray]
    labels: np.ndarray


def stream_names(parts: Sequence[Part]) -> tuple[str, ...]:
    """The streams of all parts, by name."""
    return tuple(sorted({name for part in parts for name in part.streams}))


def readable(parts: Sequence[Part], present: frozenset[str]) -> float:
    """v(S): the share of samples whose label can be told from the streams `present`."""
    every = (part.kind == "redundant" and not present.isdisjoint(part.streams) for part in parts)
    return sum(
        part.share for part, shown in zip(parts, every, strict=True) if shown or present.issuperset(part.streams)
    )


def shapley_shares(parts: Sequence[Part]) -> dict[str, float]:
    """Stream -> its Shapley value of :func:`readable`; they add up to 1."""
    names = stream_names(parts)
    return shapley({chosen: readable(parts, chosen) for chosen in subsets(names)}, names)


def losses(parts: Sequence[Part]) -> dict[str, float]:
    """Stream -> what is no longer readable without it."""
    names = stream_names(parts)
    return {name: 1.0 - readable(parts, frozenset(names) - {name}) for name in names}


def planted_vectors(
    parts: Sequence[Part], sizes: Sequence[int], classes: int = 4, noise: float = 1.0, seed: int = 0
) -> list[Vectors]:
    """One set of samples for each of `sizes`, with the same codes, widths and scales.

    Args:
        parts: their shares sum to 1.
        classes: labels K.
        noise: standard deviation of what is added to a code, whose channels have a standard deviation of 1.

    Raises:
        ValueError: shares that do not sum to 1, or fewer than two streams or classes.
    """
    names = stream_names(parts)
    if abs(sum(part.share for part in parts) - 1) > 1e-9 or len(names) < 2 or classes < 2:
        raise ValueError(f"parts need shares that sum to 1, two streams and two classes at least, got {parts}")
    random = np.random.default_rng(seed)
    widths = {name: int(random.integers(8, 25)) for name in names}
    scales = {name: float(np.exp(random.uniform(np.log(0.2), np.log(5.0)))) for name in names}
    # Symbol 0 is neutral, 1 to K are labels, K + 1 to 2 K are the symbols of synergistic parts.
    codes = {name: random.normal(size=(2 * classes + 1, widths[name])) for name in names}
    return [_draw(parts, names, size, classes, noise, codes, scales, random) for size in sizes]


def _draw(
    parts: Sequence[Part], names: Sequence[str], size: int, classes: int, noise: float, codes: dict[str, np.ndarray],
    scales: dict[str, float], random: np.random.Generator,
) -> Vectors:  # fmt: skip
    labels = random.integers(classes, size=size)
    carrier = random.choice(len(parts), size=size, p=[part.share for part in parts])
    symbols = {name: np.zeros(size, dtype=np.int64) for name in names}
    for number, part in enumerate(parts):
        rows = carrier == number
        if part.kind != "synergistic":
            for name in part.streams:
                symbols[name][rows] = 1 + labels[rows]
            continue
        told = random.integers(classes, size=(len(part.streams), rows.sum()))
        told[-1] = (labels[rows] - told[:-1].sum(0)) % classes
        for name, each in zip(part.streams, told, strict=True):
            symbols[name][rows] = 1 + classes + each
    streams = {}
    for name in names:
        clean = codes[name][symbols[name]]
        streams[name] = (scales[name] * (clean + random.normal(scale=noise, size=clean.shape))).astype(np.float32)
    return Vectors(streams, labels)
