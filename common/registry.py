"""What a config may name: rules, streams, datasets, fusions and their like, each from a file that registers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Registry(dict[str, T]):
    """Name -> what is known under it.

    Args:
        what: what a reader calls one, for messages.
        error: raised for a name that is unknown; a kind of ValueError.
        made_by: thing -> the class or function that defines it, where that is not the thing itself.
    """

    def __init__(
        self, what: str, error: type[ValueError] = ValueError, made_by: Callable[[Any], Any] = lambda thing: thing
    ) -> None:
        super().__init__()
        self.what, self.error, self.made_by = what, error, made_by

    def add(self, name: str, thing: T) -> T:
        """Make `thing` known as `name`; the same definition, run anew as in a notebook, takes its own place.

        Raises:
            ValueError: another one has this name.
        """
        if name in self and self._place(self[name]) != self._place(thing):
            raise ValueError(f"{self.what} {name!r} is already registered, by {'.'.join(self._place(self[name]))}")
        self[name] = thing
        return thing

    def named(self, name: str) -> T:
        """What is known as `name`; raises the registry's error with the known names where nothing is."""
        if name not in self:
            known = ", ".join(sorted(self))
            raise self.error(f"unknown {self.what} {name!r}; known: {known}. One of your own must be imported first")
        return self[name]

    def _place(self, thing: object) -> tuple[str, str]:
        maker = self.made_by(thing)
        return maker.__module__, maker.__qualname__
