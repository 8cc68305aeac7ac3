"""Generalisation hierarchies: the labels that may stand in the place of a value, from itself up to one that covers all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputError

ALL = "*"

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Hierarchy:
    """A tree of labels over the values of one column.

    `leaves` are the values, in an order in which all leaves of a label stand together; null is a leaf of its own. `levels[i][j]` is
    the label of leaf j at level i; level 0 is the leaves themselves, the last has one label. A label is the same node where it and
    all above it are the same.
    """

    leaves: tuple[str | None, ...]
    levels: tuple[tuple[str | None, ...], ...]

    @property
    def height(self) -> int:
        """The number of levels, that of the leaves included."""
        return len(self.levels)

    @cached_property
    def code(self) -> dict[str | None, int]:
        """The place of each leaf."""
        return {leaf: i for i, leaf in enumerate(self.leaves)}

    @cached_property
    def _numbered(self) -> tuple[Ints, tuple[tuple[int, int], ...]]:
        """The node of each leaf at each level, and the level and first leaf of each node."""
        nodes = np.zeros((self.height, len(self.leaves)), np.int64)
        places: list[tuple[int, int]] = []
        above = [0] * len(self.leaves)
        for level in range(self.height - 1, -1, -1):
            known: dict[tuple[int, str | None], int] = {}
            for j, label in enumerate(self.levels[level]):
                key = (above[j], label)
                # a label that repeats the one above it, as uneven hierarchies are filled up, is the same node
                if level + 1 < self.height and label == self.levels[level + 1][j]:
                    known[key] = above[j]
                elif key not in known:
                    known[key] = len(places)
                    places.append((level, j))
                nodes[level, j] = known[key]
            above = nodes[level].tolist()
        return nodes, tuple(places)

    @property
    def ancestors(self) -> Ints:
        """The node of each leaf at each level: shape (levels, leaves)."""
        return self._numbered[0]

    @cached_property
    def labels(self) -> tuple[str | None, ...]:
        """The label of each node."""
        return tuple(self.levels[level][leaf] for level, leaf in self._numbered[1])

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """What is lost where each node stands in the place of a leaf: (leaves covered - 1) / (leaves - 1), from 0 to 1.

        The loss metric of Iyengar 2002, which ARX calls granularity; a text that labels several nodes covers the leaves of all.
        """
        covered: dict[str | None, set[int]] = {}
        for level in self.levels:
            for leaf, label in enumerate(level):
                covered.setdefault(label, set()).add(leaf)
        most = max(len(self.leaves) - 1, 1)
        return np.array([(len(covered[label]) - 1) / most for label in self.labels])

    def codes(self, values: Iterable[str | None], column: str) -> list[int]:
        """The places of `values` among the leaves; InputError, which names no value, where some are no leaves."""
        code = self.code
        found = [code.get(value, -1) for value in values]
        if missing := found.count(-1):
            raise InputError(
                f"column '{column}': {missing:,} of its different values are no leaves of its hierarchy; add a line for each of them, "
                "written as in the table"
            )
        return found


def make_hierarchy(rows: Sequence[Sequence[str | None]], *, nulls: bool = False) -> Hierarchy:
    """Build a hierarchy from rows `leaf, label of level 1, ...`, all of one length and with different leaves.

    Leaves keep their order as far as the labels allow. A level with `*` alone is added where the last has more than one label, and
    a null that is no leaf yet, which has no label but that of all, where `nulls` is set.
    """
    table = [list(row) for row in rows]
    if len({row[-1] for row in table}) > 1 or len(table[0]) == 1:
        for row in table:
            row.append(ALL)
    if nulls and all(row[0] is not None for row in table):
        table.append([None, *[table[0][-1]] * (len(table[0]) - 1)])
    seen: list[dict[tuple[int, str | None], int]] = [{} for _ in table[0]]
    keys = []
    for row in table:
        key, above = [], 0
        for level in range(len(row) - 1, -1, -1):
            above = seen[level].setdefault((above, row[level]), len(seen[level]))
            key.append(above)
        keys.append(tuple(key))
    ordered = [table[i] for i in sorted(range(len(table)), key=keys.__getitem__)]
    return Hierarchy(tuple(row[0] for row in ordered), tuple(zip(*ordered, strict=True)))


def from_function(values: Iterable[str | None], labels: Callable[[str], Sequence[str]]) -> Hierarchy:
    """Build a hierarchy whose labels a function tells: `labels(value)` are those from level 1 on, without that of all."""
    rows: list[list[str | None]] = [[value, *labels(value), ALL] for value in values if value is not None]
    nulls = any(value is None for value in values)
    return make_hierarchy(rows or [[None, ALL]], nulls=nulls)
