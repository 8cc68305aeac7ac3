"""References between the rows of tables in cycles, as edges between their positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from masking.subset.key_hashes import I64, U64, Mask, places_in

Positions = npt.NDArray[Any]
_SMALL = 2**31 - 1


@dataclass(frozen=True)
class Edges:
    """Edges from rows of `table` to rows of `target`.

    Row i has one edge, to `ends[i]`, or none where that is -1; where rows may have several, `starts` is given, and the edges of row i
    go to `ends[starts[i]:starts[i + 1]]`.
    """

    table: str
    target: str
    ends: Positions
    starts: I64 | None = None

    @classmethod
    def several(cls, table: str, target: str, rows: Positions, ends: Positions, count: int) -> Edges:
        """The edges from `rows`, in any order, to the `ends` beside them, of a table of `count` rows."""
        order = np.argsort(rows, kind="stable")
        starts = np.zeros(count + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=count), out=starts[1:])
        return cls(table, target, ends[order], starts)

    def reached(self, rows: I64) -> Positions:
        """The ends of all edges from `rows`."""
        if self.starts is None:
            ends: Positions = self.ends[rows]
            return ends[ends >= 0]
        begins, counts = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        offsets = np.cumsum(counts) - counts
        found: Positions = self.ends[np.repeat(begins - offsets, counts) + np.arange(int(counts.sum()))]
        return found


class EdgeMaker:
    """Gathers the edges of one reference, batch by batch, 4 bytes for each row as long as no row has several."""

    def __init__(self, table: str, target: str, count: int) -> None:
        self._table, self._target = table, target
        self._ends: Positions = np.full(count, -1, np.int32 if count <= _SMALL else np.int64)
        self._more: list[tuple[Positions, Positions]] = []

    def add(self, rows: I64, ends: Positions) -> None:
        """Add edges from `rows`, which rise, to the `ends` beside them."""
        if len(ends) and int(ends.max()) > _SMALL:
            self._ends = self._ends.astype(np.int64, copy=False)
        again = np.concatenate([[False], rows[1:] == rows[:-1]]) if len(rows) else np.zeros(0, np.bool_)
        self._ends[rows[~again]] = ends[~again]
        if again.any():
            self._more.append((rows[again], ends[again]))

    def edges(self) -> Edges:
        """All edges that were added."""
        if not self._more:
            return Edges(self._table, self._target, self._ends)
        first = np.flatnonzero(self._ends >= 0)
        rows = np.concatenate([first, *(rows for rows, _ in self._more)])
        ends = np.concatenate([self._ends[first], *(ends for _, ends in self._more)])
        return Edges.several(self._table, self._target, rows, ends, len(self._ends))


@dataclass(frozen=True)
class Lookup:
    """The rows of a table by a key: its sorted hashes, and the positions of their rows."""

    hashes: U64
    positions: Positions
    rows: int

    @classmethod
    def of(cls, hashes: U64, valid: Mask) -> Lookup:
        """Sort the rows that have a key; `hashes` and `valid` stand in the order of the rows."""
        small = np.int32 if len(hashes) <= _SMALL else np.int64
        if valid.all():
            positions = np.argsort(hashes, kind="stable").astype(small)
        else:
            having = np.flatnonzero(valid).astype(small)
            positions = having[np.argsort(hashes[having], kind="stable")]
        return cls(hashes[positions], positions, len(hashes))

    def places(self, hashes: U64) -> tuple[I64, Mask]:
        """The place of each of `hashes` in the lookup, and whether it is there."""
        return places_in(self.hashes, hashes)

    def twins(self, table: str) -> list[Edges]:
        """Edges that join rows of one hash in a ring, so that they are kept together, since a lookup finds the first alone."""
        same = np.flatnonzero(self.hashes[1:] == self.hashes[:-1])
        if not len(same):
            return []
        apart = np.diff(same) > 1
        begins, ends = same[np.concatenate([[True], apart])], same[np.concatenate([apart, [True]])] + 1
        rows = np.concatenate([self.positions[same], self.positions[ends]])
        others = np.concatenate([self.positions[same + 1], self.positions[begins]])
        return [Edges.several(table, table, rows, others, self.rows)]
