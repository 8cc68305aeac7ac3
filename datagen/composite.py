"""Composite unique keys: combinations that never repeat, by counting through all combinations in a scattered order.

Each member of such a key that can vary (a reference, a choice, a range of numbers) is a factor with a size. A combination
is a number in mixed radix, whose digits are the positions of the factors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
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
_CHILDREN = 8


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
            combination = rows.memo(("combination", id(self)), lambda: self._combination(rows.numbers()))
            below = 1
            for other, its_size in sorted(self._sizes.items()):
                if other == name:
                    break
                below *= its_size
            return combination // below % size

        return position

    def _combination(self, numbers: Int64) -> Int64:
        return permute(self._stream, numbers, self._domain())

    def _domain(self) -> int:
        return min(prod(self._sizes.values()), _MAX_DOMAIN)

    @property
    def sizes(self) -> Mapping[str, int | None]:
        return self._sizes

    def shortage(self) -> str | None:
        if self._domain() >= self._rows:
            return None
        return f"{self._rows:,} different combinations are asked for and there are only {self._domain():,}"


class Offspring(Product):
    """Combinations of an acyclic reference with others: the children of a row come after it, as many as have different ones.

    Trees grow level by level, to no more than `depth` below their first row, which has nothing above it.
    """

    def __init__(self, stream: Stream, rows: int, depth: int | None) -> None:
        super().__init__(stream, rows)
        self._depth = depth

    def above(self, rows: Rows) -> Int64:
        """The row that each row is a child of; -1 for none."""
        return self._placed(rows.numbers())[0]

    def _placed(self, numbers: Int64) -> tuple[Int64, Int64]:
        """The row above each row and its place among the children of that."""
        children = min(self._domain(), _CHILDREN)
        place = numbers if self._depth is None else numbers % _tree(children, self._depth)
        above = np.where(place == 0, np.int64(-1), numbers - place + (place - 1) // children)
        return above, np.where(place == 0, np.int64(0), (place - 1) % children)

    def _combination(self, numbers: Int64) -> Int64:
        above, places = self._placed(numbers)
        domain = np.full(len(numbers), min(self._domain(), _MAX_PRODUCT), np.int64)
        return rotate(self._stream, np.maximum(above, 0), places, domain)

    def shortage(self) -> str | None:
        return None if self._domain() else super().shortage()


def _tree(children: int, depth: int) -> int:
    """How many rows there are in a tree in which each but those at `depth` has so many children."""
    if children == 1:
        return depth + 1
    levels = min(depth, _MAX_DOMAIN.bit_length())
    rows: int = (children ** (levels + 1) - 1) // (children - 1)
    return min(rows, _MAX_DOMAIN)


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
        parents = rows.family_parents()
        places = self._family.ordinal_of(rows.index, parents)
        return rotate(self._stream, parents, places, np.maximum(_product(rows, sizes), 1)), sizes

    def shortage(self) -> str | None:
        known = [size for size in self._sizes.values() if isinstance(size, int)]
        domain = prod(known)
        if len(known) < len(self._sizes) or domain >= self._family.most:
            return None
        return f"a parent has up to {self._family.most:,} rows and there are only {domain:,} different combinations for them"

    def shortage_in(self, rows: Rows) -> bool:
        """Whether some of `rows` has more siblings than there are combinations for its parent."""
        sizes = self._combination(rows)[1]
        return bool((self._family.ordinal_of(rows.index, rows.family_parents()) >= _product(rows, sizes)).any())


def _product(rows: Rows, sizes: Mapping[str, Int64]) -> Int64:
    """How many combinations there are for each of `rows`, up to 2**31 - 1."""
    domain = np.ones(len(rows), np.int64)
    for size in sizes.values():
        domain = np.minimum(domain * np.minimum(size, _MAX_PRODUCT), _MAX_PRODUCT)
    return domain
