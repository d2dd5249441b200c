"""Generated vector streams whose label information is known exactly, see :mod:`common.evaluation.planted_parts`.

All K labels are equally frequent in every part. Streams that do not carry show a neutral symbol. A symbol is a random
code vector with Gaussian noise, and every stream has a width and a scale of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.evaluation.planted_parts import Part, stream_names


@dataclass(frozen=True)
class Vectors:
    """Samples: stream -> ``[E, D_i]`` float32, and labels ``[E]``."""

    streams: dict[str, np.ndarray]
    labels: np.ndarray


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
