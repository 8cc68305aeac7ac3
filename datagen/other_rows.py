"""References to another row than one beside them (`other_than`): a place is drawn among all but one, and steps over that one.

Nothing is drawn again: of `size` rows, one of which the other reference names, each of the rest has the chance 1 / (size - 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from datagen.composite import CompositeKey
from datagen.distributions import zipf_rank
from datagen.groups import Groups
from datagen.links import rotate
from datagen.permutation import permute
from datagen.randomness import Int64, Stream, below
from datagen.rows import Rows


@dataclass(frozen=True)
class OtherRows:
    """The rows that a reference chooses from, all `size` or those of the group of this row, and the reference `than` beside it;
    with `acyclic` only those before this row."""

    size: int
    than: tuple[str, ...]
    groups: Groups | None = None
    within: tuple[str, ...] = ()
    acyclic: bool = False

    def ranges(self, rows: Rows) -> tuple[Int64, Int64]:
        """Where the rows begin from which each of `rows` chooses, the one beside it among them, and how many they are."""
        if self.groups is None:
            return np.zeros(len(rows), np.int64), rows.numbers() if self.acyclic else np.full(len(rows), self.size, np.int64)
        group = rows.links(self.within)
        start, size = self.groups.ranges(np.maximum(group, 0))
        if self.acyclic:
            size = np.clip(self.groups.positions(rows.numbers()) - start, 0, size)
        return start, np.where(group < 0, np.int64(0), size)

    def taken(self, rows: Rows, start: Int64, size: Int64) -> Int64:
        """The place in its range of the row that the reference beside it names; -1 where that is not in it."""
        named = rows.links(self.than)
        known = (named >= 0) & (named < self.size)
        if self.groups is not None and self.size:
            named = self.groups.positions(np.where(known, named, 0))
        place = named - start
        return np.where(known & (place >= 0) & (place < size), place, np.int64(-1))

    def members(self, positions: Int64) -> Int64:
        """The rows at positions."""
        return positions if self.groups is None else self.groups.members(positions)

    def room(self, rows: Rows) -> Int64:
        """How many rows each of `rows` has to choose from."""
        start, size = self.ranges(rows)
        return size - (self.taken(rows, start, size) >= 0)

    def factor(self, key: CompositeKey, name: str) -> Callable[[Rows], Int64]:
        """Return the row of each row, for the reference `name` in a unique `key` that the reference beside it is in too.

        It has one position less than there are rows, whether or not the one beside it is among them, so that all are known from
        the numbers of the rows; two rows with the same one beside them and different positions have different ones.
        """
        position = key.factor(name, max(self.size - 1, 0) if self.groups is None else lambda rows: np.maximum(self.ranges(rows)[1] - 1, 0))

        def place(rows: Rows) -> Int64:
            start, size = self.ranges(rows)
            found = self.members(start + stepped_over(position(rows), self.taken(rows, start, size)))
            return np.where(size > 1, found, np.int64(-1))

        return place


@dataclass(frozen=True)
class OtherLink:
    """Another row than `others.than` names, by equal chance or skewed; -1 where there is none."""

    parent: str
    others: OtherRows
    stream: Stream
    skew: float | None = None

    def __call__(self, rows: Rows) -> Int64:
        start, size = self.others.ranges(rows)
        taken = self.others.taken(rows, start, size)
        room = size - (taken >= 0)
        draws = rows.draws(self.stream)
        if self.skew is None:
            place = stepped_over(below(draws, np.maximum(room, 1)), taken)
        else:
            place = self._skewed(rows, zipf_rank(draws, self.skew, np.maximum(size, 1)), np.maximum(size, 1), taken)
        return np.where(room <= 0, np.int64(-1), self.others.members(start + place))

    def _skewed(self, rows: Rows, ranks: Int64, size: Int64, taken: Int64) -> Int64:
        """The place of each rank, or where that is taken, of the next; so all but the one that is taken keep how often they are named."""
        place = self._scattered(rows, ranks, size)
        return np.where(place == taken, self._scattered(rows, (ranks + 1) % size, size), place)

    def _scattered(self, rows: Rows, ranks: Int64, size: Int64) -> Int64:
        if self.others.groups is None:
            return permute(self.stream, ranks, self.others.size)
        return rotate(self.stream, np.maximum(rows.links(self.others.within), 0), ranks, size)


def stepped_over(places: Int64, taken: Int64) -> Int64:
    """Return places among all, none of which is taken, for places among all but the one that is; -1 for none taken."""
    return places + ((taken >= 0) & (places >= taken))
