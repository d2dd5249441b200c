"""The planted settings: which stream carries how much of the label, and how.

A share of the label is unique to a stream, redundant in several (each says it), or synergistic (only several together
tell). :data:`SETTINGS` are what rules are compared on; in :data:`TENTHS` one share goes from 0 to 100 % in steps of 10,
so that what a measure says can be drawn against it.
"""

from __future__ import annotations

from common.evaluation.planted_parts import Part


def _unique(*shares: float) -> tuple[Part, ...]:
    """Streams a, b, c … with these shares in percent, each unique."""
    return tuple(Part("unique", ("abcde"[k],), share / 100) for k, share in enumerate(shares))


def _redundant(streams: str, share: float) -> Part:
    return Part("redundant", tuple(streams), share / 100)


def _synergistic(streams: str, share: float) -> Part:
    return Part("synergistic", tuple(streams), share / 100)


SETTINGS: dict[str, tuple[Part, ...]] = {
    "unique 0-100": _unique(0, 100),
    "unique 10-90": _unique(10, 90),
    "unique 25-75": _unique(25, 75),
    "unique 50-50": _unique(50, 50),
    "unique 75-25": _unique(75, 25),
    "unique 90-10": _unique(90, 10),
    "unique 100-0": _unique(100, 0),
    "unique 10-30-60": _unique(10, 30, 60),
    "unique 60-30-10": _unique(60, 30, 10),
    "unique 80-0-20": _unique(80, 0, 20),
    "unique 10-20-30-40": _unique(10, 20, 30, 40),
    "unique 35-5-20-15-25": _unique(35, 5, 20, 15, 25),
    "redundant ab 60, c 40": (_redundant("ab", 60), *_unique(0, 0, 40)),
    "redundant bc 50, a 30, b 20": (_redundant("bc", 50), *_unique(30, 20, 0)),
    "synergistic ab 60, c 40": (_synergistic("ab", 60), *_unique(0, 0, 40)),
    "synergistic bc 50, a 30, b 20": (_synergistic("bc", 50), *_unique(30, 20, 0)),
    "mixed": (_redundant("ad", 25), _synergistic("bc", 25), *_unique(10, 25, 15, 0)),
}
"""Name -> parts. Stream ``a`` is the reference where a model has one."""


def _tenths() -> dict[str, tuple[Part, ...]]:
    """A share in stream b, two to five streams, the others alike; and one in b and c, the rest in a."""
    found = {}
    for count in (2, 3, 4, 5):
        for share in range(0, 101, 10):
            rest = (100 - share) / (count - 1)
            found[f"unique b {share}, {count} streams"] = _unique(rest, share, *(rest for _ in range(count - 2)))
    for share in range(0, 101, 10):
        for of in (_redundant, _synergistic):
            part = of("bc", share)
            found[f"{part.kind} bc {share}, 3 streams"] = (part, *_unique(100 - share))
    return found


TENTHS = _tenths()
"""Kind, streams whose share is given, that share in percent, and how many streams there are -> parts."""
PLANTED = SETTINGS | TENTHS
"""All of them. Their places are seeds of the data, so new ones come last."""
