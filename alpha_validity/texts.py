"""The planted settings of texts, for step 1: which stream of a sentence carries how much of the label, and how.

``python -m alpha_validity.texts meaning phonetic`` prints them: a line of options for ``python -m step1_sentiment``
each.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations

from common.data.planted import STREAMS
from common.evaluation.planted_parts import SIGNS

Shares = tuple[tuple[str, float], ...]
"""Part -> share, as ``planted_shares`` of :class:`common.data.text.DataConfig` takes them."""
STEPS = 10
"""Shares are multiples of one over this."""


def text_settings(streams: Sequence[str] = STREAMS) -> dict[str, Shares]:
    """Name -> shares: every division between `streams` in steps of 10 %, and each group of them that is redundant or
    synergistic.
    """
    found: dict[str, Shares] = {}
    for counts in _divisions(STEPS, len(streams)):
        shares = tuple((stream, count / STEPS) for stream, count in zip(streams, counts, strict=True) if count)
        found[", ".join(f"{stream} {round(100 * share)}" for stream, share in shares)] = shares
    for sign, kind in SIGNS.items():
        for size in range(2, len(streams) + 1):
            for group in combinations(streams, size):
                found[f"{kind} {', '.join(group)}"] = ((sign.join(group), 1.0),)
    return found


def options(shares: Shares) -> str:
    """`shares` on the command line of step 1."""
    return " ".join(["--data.name planted --data.planted-shares", *(f"{name} {share:g}" for name, share in shares)])


def _divisions(total: int, places: int) -> Iterator[tuple[int, ...]]:
    """All ways to write `total` as a sum of so many whole numbers from 0 on, in order."""
    if places == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _divisions(total - first, places - 1):
            yield first, *rest


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the options of every setting; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m alpha_validity.texts", description=__doc__)
    parser.add_argument("streams", nargs="*", help=f"of {', '.join(STREAMS)}; default: all")
    chosen = parser.parse_args(arguments).streams or list(STREAMS)
    if set(chosen) - set(STREAMS) or len(set(chosen)) != len(chosen):
        parser.error(f"name each of {', '.join(STREAMS)} at most once, got {' '.join(chosen)}")
    try:
        for shares in text_settings(chosen).values():
            print(options(shares))
        sys.stdout.flush()
    except BrokenPipeError:  # as by ``| head``; Python would fail again when it flushes at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
