"""What was planted: in which streams the label stands, in known shares, and what each stream is then worth.

An example carries its label in one *part*, drawn with the part's share. A ``unique`` part shows the label in one
stream; a ``redundant`` part shows the same label in each of its streams; of a ``synergistic`` part every stream shows
a symbol, and only the sum of the symbols modulo the number of labels K is the label, so that any of its streams alone
says nothing.

Who reads the streams S perfectly is right at a rate of ``1/K + (1 − 1/K) · v(S)``, where v(S) is the sum of the shares
of the parts that S can tell (:func:`readable`). Shapley values of v are the truth about importance (Shapley 1953): a
unique share goes to its stream, redundant and synergistic ones are split evenly (:func:`shapley_shares`). Taking one
stream away (:func:`losses`) costs nothing where another one says the same, and the whole share where all are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from common.evaluation.importance import shapley, subsets

Kind = Literal["unique", "redundant", "synergistic"]
SIGNS: dict[str, Kind] = {"=": "redundant", "+": "synergistic"}
"""Sign between the streams of a part, where a config names it -> its kind."""


@dataclass(frozen=True)
class Part:
    """A share of the examples that carries its label in the same way."""

    kind: Kind
    streams: tuple[str, ...]
    share: float
    """Of all examples, in [0, 1]."""

    @property
    def name(self) -> str:
        """What a config calls it, see :func:`parts_of`."""
        return next((sign for sign, kind in SIGNS.items() if kind == self.kind), "").join(self.streams)

    def __post_init__(self) -> None:
        if (len(self.streams) == 1) != (self.kind == "unique") or len(set(self.streams)) != len(self.streams):
            raise ValueError(f"a unique part has one stream and the others have several, got {self}")
        if not 0 <= self.share <= 1:
            raise ValueError(f"a share is in [0, 1], got {self}")


def parts_of(shares: Iterable[tuple[str, float]]) -> tuple[Part, ...]:
    """The parts that a config names: ``a`` is unique, ``a=b`` redundant, ``a+b`` synergistic.

    Raises:
        ValueError: a name with both signs, or as :class:`Part`.
    """
    parts = []
    for name, share in shares:
        found = [sign for sign in SIGNS if sign in name]
        if len(found) > 1:
            raise ValueError(f"a part is either redundant (=) or synergistic (+), got {name!r}")
        kind: Kind = SIGNS[found[0]] if found else "unique"
        parts.append(Part(kind, tuple(name.split(found[0])) if found else (name,), float(share)))
    return tuple(parts)


def stream_names(parts: Sequence[Part]) -> tuple[str, ...]:
    """The streams of all parts, by name."""
    return tuple(sorted({name for part in parts for name in part.streams}))


def readable(parts: Sequence[Part], present: frozenset[str]) -> float:
    """v(S): the share of examples whose label can be told from the streams `present`."""
    every = (part.kind == "redundant" and not present.isdisjoint(part.streams) for part in parts)
    return sum(
        part.share for part, shown in zip(parts, every, strict=True) if shown or present.issuperset(part.streams)
    )


def shapley_shares(parts: Sequence[Part], names: Sequence[str] | None = None) -> dict[str, float]:
    """Stream -> its Shapley value of :func:`readable`; they add up to what all of them can tell. Equal ones are equal
    to the last bit, since they are ranked: 0.3, and not 0.30000000000000004.

    Args:
        names: the streams that there are; None for all of the parts.
    """
    names = stream_names(parts) if names is None else names
    worth = shapley({chosen: readable(parts, chosen) for chosen in subsets(names)}, names)
    return {name: round(value, 12) for name, value in worth.items()}


def losses(parts: Sequence[Part]) -> dict[str, float]:
    """Stream -> what is no longer readable without it."""
    names = stream_names(parts)
    return {name: 1.0 - readable(parts, frozenset(names) - {name}) for name in names}
