"""Composite unique keys: combinations that never repeat, by counting through all combinations in a scattered order.

Each member of such a key that can vary (a reference, a choice, a range of numbers) is a factor with a size. A combination
is a number in mixed radix, whose digits are the positions of the factors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from datagen.families import Family
from datagen.links import rotate
from datagen.permutation import permute
from datagen.randomness import Int64, Stream
from datagen.rows import Rows

Size = int | Callable[[Rows], Int64]

_MAX_PRODUCT = 2**31 - 1
_MAX_DOMAIN = 2**62


class CompositeKey(Protocol):
    """Gives each factor of a unique combination its position."""

    def factor(self, name: str, size: Size) -> Callable[[Rows], Int64]:
        """Register a factor and return its positions, 0 to size - 1, for any rows."""
        ...

    @property
    def sizes(self) -> Mapping[str, int | None]:
        """How many positions each factor has; None where that differs by row."""
        ...

    def shortage(self) -> str | None:
        """Say why there are too few combinations, or None if there are enough."""
        ...


class Product:
    """Combinations over all rows of a table: the row number through a bijection of all combinations."""

    def __init__(self, stream: Stream, rows: int) -> None:
        self._stream = stream
        self._rows = rows
        self._sizes: dict[str, int] = {}

    def factor(self, name: str, size: Size) -> Callable[[Rows], Int64]:
        assert isinstance(size, int)
        self._sizes[name] = size

        def position(rows: Rows) -> Int64:
            combination = rows.memo(("combination", id(self)), lambda: permute(self._stream, rows.numbers(), self._domain()))
            below = 1
            for other, its_size in sorted(self._sizes.items()):
                if other == name:
                    break
                below *= its_size
            return combination // below % size

        return position

    def _domain(self) -> int:
        domain = 1
        for size in self._sizes.values():
            domain *= size
        return min(domain, _MAX_DOMAIN)

    @property
    def sizes(self) -> Mapping[str, int | None]:
        return self._sizes

    def shortage(self) -> str | None:
        if self._domain() >= self._rows:
            return None
        return f"{self._rows:,} different combinations are asked for and there are only {self._domain():,}"


class Siblings:
    """Combinations among the children of one parent: the place among the siblings, rotated differently for each parent."""

    def __init__(self, stream: Stream, family: Family) -> None:
        self._stream = stream
        self._family = family
        self._sizes: dict[str, Size] = {}

    def factor(self, name: str, size: Size) -> Callable[[Rows], Int64]:
        self._sizes[name] = size

        def position(rows: Rows) -> Int64:
            combination, sizes = rows.memo(("combination", id(self)), lambda: self._combination(rows))
            below = np.ones(len(rows), np.int64)
            for other in sorted(self._sizes):
                if other == name:
                    break
                below = below * sizes[other]
            return combination // below % np.maximum(sizes[name], 1)

        return position

    @property
    def sizes(self) -> Mapping[str, int | None]:
        return {name: size if isinstance(size, int) else None for name, size in self._sizes.items()}

    def _combination(self, rows: Rows) -> tuple[Int64, dict[str, Int64]]:
        sizes = {n: np.full(len(rows), s, np.int64) if isinstance(s, int) else s(rows) for n, s in self._sizes.items()}
        domain = np.ones(len(rows), np.int64)
        for name in sorted(sizes):
            domain = np.minimum(domain * np.minimum(sizes[name], _MAX_PRODUCT), _MAX_PRODUCT)
        parents = rows.family_parents()
        places = self._family.ordinal_of(rows.index, parents)
        return rotate(self._stream, parents, places, np.maximum(domain, 1)), sizes

    def shortage(self) -> str | None:
        domain = 1
        for size in self._sizes.values():
            if not isinstance(size, int):
                return None
            domain *= size
        if domain >= self._family.most:
            return None
        return f"a parent has up to {self._family.most:,} rows and there are only {domain:,} different combinations for them"

    def shortage_in(self, rows: Rows) -> bool:
        """Whether some of `rows` has more siblings than there are combinations for its parent."""
        sizes = self._combination(rows)[1]
        domain = np.ones(len(rows), np.int64)
        for size in sizes.values():
            domain = np.minimum(domain * np.minimum(size, _MAX_PRODUCT), _MAX_PRODUCT)
        return bool((self._family.ordinal_of(rows.index, rows.family_parents()) >= domain).any())
