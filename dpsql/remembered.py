"""What follows from its key alone, worked out once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
MOST_REMEMBERED = 1_000


class Remembered:
    """Values by their keys, forgotten together when there are too many. Threads may ask at once; what fails is not remembered."""

    def __init__(self) -> None:
        self._values: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of `key`, which `make` makes where it is not known: always an equal one, that nobody changes."""
        known: T | None = self._values.get(key)
        if known is None:
            known = make()
            if len(self._values) >= MOST_REMEMBERED:
                self._values.clear()
            self._values[key] = known
        return known
