"""Folds that are made together with the rows they are over.

`orders.total = sum(lines.amount)` needs lines, and so does the table of lines itself. Whoever makes a block of lines folds them by
their parents at once, while they are there; the parents then find what the blocks below them have left, and make the lines again only
where a block has left nothing. What is left takes a bounded number of bytes, and changes no value: a fold is the same wherever it is
made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from datagen.blocks import BLOCK_ROWS
from datagen.errors import GenerationFailed
from datagen.families import Family
from datagen.kept import Budget
from datagen.randomness import Int64
from datagen.rows import Rows

_MOST_BYTES = 48 << 20
_LEAST_BLOCKS = 2


@dataclass(frozen=True, eq=False)
class Part:
    """The folds of some blocks of children: one for each parent from `first` on that has children in them."""

    first: int
    folds: Int64


class Folding:
    """What the blocks of a table of children have left for the parents: `value` folded by the ufunc `fold`, for each parent.

    A parent whose children lie in several blocks has a part of its fold from each, and `empty` where it has no children.
    """

    def __init__(self, family: Family, value: Callable[[Rows], Int64], empty: int, fold: np.ufunc, budget: Budget) -> None:
        self._family, self._value, self._empty, self._fold = family, value, empty, fold
        self._budget = budget
        self._lock = threading.Lock()
        self.parts: dict[int, Part] = {}

    def leave(self, rows: Rows) -> None:
        """Fold the children `rows`, whole blocks, where there is room for it."""
        assert isinstance(rows.index, range)
        blocks = range(rows.index.start // BLOCK_ROWS, -(-rows.index.stop // BLOCK_ROWS))
        if any(block in self.parts for block in blocks):
            return
        try:
            values = self._value(rows)
        except (OverflowError, GenerationFailed, pa.ArrowException):
            return  # the parents say it, who make the rows again
        if self._fold is np.add and max(int(values.max()), -int(values.min())) * max(self._family.most, 1) >= 2**63:
            return
        first, present, bounds = rows.memo("children together", lambda: _together(rows.family_parents()))
        folds = np.full(int(present[-1]) + 1, self._empty, np.int64)
        folds[present] = self._fold.reduceat(values, bounds)
        part = Part(first, folds)
        with self._lock:
            if not any(block in self.parts for block in blocks) and self._budget.take(part.folds.nbytes):
                self.parts.update(dict.fromkeys(blocks, part))

    def of(self, parents: range) -> Int64 | None:
        """The folds of all children of `parents`; None where a block has left nothing."""
        ends = self._family.starts(np.array([parents.start, parents.stop]))
        begin, end = int(ends[0]), int(ends[1])
        result = np.full(len(parents), self._empty, np.int64)
        before: Part | None = None
        for block in range(begin // BLOCK_ROWS, -(-end // BLOCK_ROWS) if end > begin else 0):
            part = self.parts.get(block)
            if part is None:
                return None
            if part is before:
                continue
            before = part
            low, high = max(parents.start, part.first), min(parents.stop, part.first + len(part.folds))
            here = result[low - parents.start : high - parents.start]
            self._fold(here, part.folds[low - part.first : high - part.first], out=here)
        return result


def _together(parents: Int64) -> tuple[int, Int64, Int64]:
    """The first of rising `parents`, the distance from it of each that occurs, and where in `parents` each begins."""
    bounds = np.concatenate([[0], np.flatnonzero(parents[1:] != parents[:-1]) + 1])
    return int(parents[0]), parents[bounds] - parents[0], bounds


class Foldings:
    """All folds of a plan, by the table whose rows they are over."""

    def __init__(self) -> None:
        self._of: dict[str, list[Folding]] = {}
        self._budget = Budget(_MOST_BYTES)

    def add(self, table: str, family: Family, value: Callable[[Rows], Int64], empty: int, fold: np.ufunc) -> Folding | None:
        """Note a fold over the children `table` of `family`; None where they are so few that it is not worth it."""
        if family.total < _LEAST_BLOCKS * BLOCK_ROWS:
            return None
        made = Folding(family, value, empty, fold, self._budget)
        self._of.setdefault(table, []).append(made)
        return made

    def of(self, table: str) -> Sequence[Folding]:
        """The folds over the rows of a table."""
        return self._of.get(table, [])

    def leave(self, rows: Rows, whole: int) -> None:
        """Fold rows that have just been made, if they are whole blocks: of `BLOCK_ROWS` rows, or the last of a table of `whole` rows."""
        if not isinstance(rows.index, range) or not len(rows.index) or rows.index.start % BLOCK_ROWS:
            return
        if rows.index.stop % BLOCK_ROWS == 0 or rows.index.stop == whole:
            for folding in self.of(rows.table):
                folding.leave(rows)
