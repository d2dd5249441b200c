"""The interface of a word analyser: a word in, a few symbols of a fixed inventory out."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any, Callable, ClassVar, Iterable, Mapping, Sequence, TypeVar

from common.registry import Registry

PAD, UNKNOWN, MASK, FIRST_SYMBOL = 0, 1, 2, 3
"""Symbol ids every stream has; symbol ``k`` of an inventory has the id ``k + FIRST_SYMBOL``."""
UNKNOWN_SYMBOL = "<unknown>"
"""What an analyser returns for a part it cannot read. Any symbol outside the inventory becomes ``UNKNOWN`` too."""
MAX_CHARACTERS = 64
"""Characters of a word that are read; the rest of a longer one is dropped before any analysis."""

Self = TypeVar("Self", bound="WordAnalyser")


class WordAnalyser(ABC):
    """word -> symbols. A word reaches ``analyse`` through its *key*, so that equal keys are analysed once.

    A word without anything to analyse (punctuation, emoji) gives no symbols: the stream is silent there.
    """

    kind: ClassVar[str] = ""
    """Registered name, set by ``register_analyser``."""
    symbols: tuple[str, ...] = ()
    """The inventory, fixed once the analyser is fitted."""

    @classmethod
    def fit(cls: type[Self], words: Mapping[str, int], progress: bool = False) -> Self:
        """Analyser trained on the train split's words with their counts, and on nothing else: all streams of a kind
        share it, and the cache finds it by these words and `version`. Default: nothing to learn.
        """
        return cls()

    def key(self, word: str) -> str:
        """Lexicon key of a word alone. Default: its first ``MAX_CHARACTERS`` characters in lower case."""
        return word[:MAX_CHARACTERS].lower()

    def keys(self, words: Sequence[str]) -> list[str]:
        """Lexicon keys of all words of ONE text in order; override where the context decides the reading."""
        return [self.key(word) for word in words]

    def candidates(self, word: str) -> list[str]:
        """Every key the word may get in any context; used to build the lexicon without reading the texts."""
        return [self.key(word)]

    @abstractmethod
    def analyse(self, key: str) -> list[str]:
        """Symbols of one key. Never fails; ``[]`` where there is nothing, ``UNKNOWN_SYMBOL`` for the unreadable."""

    def analyse_many(self, keys: Sequence[str]) -> list[list[str]]:
        """``analyse`` of many keys; override where a batch is faster."""
        return [self.analyse(key) for key in keys]

    @classmethod
    def version(cls) -> str:
        """Versions of the tools and parameters behind ``fit`` and ``analyse``; part of every cache key."""
        return ""

    def state(self) -> dict[str, Any]:
        """All that ``from_state`` needs, as JSON."""
        return {}

    @classmethod
    def from_state(cls: type[Self], state: Mapping[str, Any]) -> Self:
        """The analyser that gave this state."""
        return cls()

    def fingerprint(self) -> str:
        """Hash of everything that decides an analysis."""
        return digest(self.kind, type(self).version(), self.state(), list(self.symbols))


def digest(*parts: Any) -> str:
    """24 hexadecimal digits of the sha256 over the canonical JSON of the parts."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


_ANALYSERS: Registry[type[WordAnalyser]] = Registry("word analyser")
Analyser = TypeVar("Analyser", bound=type[WordAnalyser])


def register_analyser(name: str) -> Callable[[Analyser], Analyser]:
    """Class decorator: makes the analyser available as ``StreamConfig(kind=name)``."""
    if not name.isidentifier() or name == "duplicate":
        raise ValueError(f"analyser name {name!r} must be an identifier other than 'duplicate'")

    def add(cls: Analyser) -> Analyser:
        _ANALYSERS.add(name, cls)
        cls.kind = name
        return cls

    return add


def analysers() -> dict[str, type[WordAnalyser]]:
    """All registered analysers by name."""
    return dict(_ANALYSERS)


def analyser_class(kind: str) -> type[WordAnalyser]:
    """The class registered under this name.

    Raises:
        ValueError: unknown name; the message lists the known ones.
    """
    return _ANALYSERS.named(kind)


def symbol_ids(symbols: Iterable[str]) -> dict[str, int]:
    """Symbol to id, after the special ids."""
    return {symbol: number for number, symbol in enumerate(symbols, start=FIRST_SYMBOL)}
