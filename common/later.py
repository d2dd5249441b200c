"""Fields that a config got when there were records already, which keep their names."""

from __future__ import annotations

from dataclasses import Field, field
from typing import Any, TypeVar

T = TypeVar("T")
LATER = "later"


def later(default: T) -> T:
    """A dataclass field that at `default` stands neither in a config's hash nor in its record.

    A hash names a run's folder, so that without this a new field would orphan every finished run. `default` must
    therefore be what the code did before there was the field, and stay so.
    """
    return field(default=default, metadata={LATER: True})  # pyright: ignore[reportReturnType]


def stands(config: Any, member: Field[Any]) -> bool:
    """Whether the hash and the record of `config` name this field."""
    return not (member.metadata.get(LATER, False) and getattr(config, member.name) == member.default)
