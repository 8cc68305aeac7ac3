"""Families: rows that come per row of a parent table, and which parent and children each row has.

The children of parent 0 come first, then those of parent 1, and so on. How many a parent has is drawn from the parent's
row number alone, so only one running total per block of parents is kept; everything between is computed again when asked.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from datagen.elementary import Float64
from datagen.randomness import Int64

Counts = Callable[[range], Int64]

_BLOCK = 4096
_BATCH = 16
_KEPT = 2048  # blocks of all families together, of 16 KiB each


class _Blocks:
    """The blocks that were asked for last, whichever families they are of: from each block's first child to those of its parents."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], npt.NDArray[np.int32]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, family: int, block: int) -> npt.NDArray[np.int32] | None:
        """A block that is kept; None where it is not."""
        with self._lock:
            found = self._kept.get((family, block))
            if found is not None:
                self._kept.move_to_end((family, block))
            return found

    def keep(self, family: int, block: int, offsets: npt.NDArray[np.int32]) -> None:
        """Keep a block for as long as others are not asked for later."""
        with self._lock:
            self._kept[family, block] = offsets
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


_BLOCKS = _Blocks()
_NUMBERS = itertools.count()


class Family:
    """The children that each of `parents` rows of a parent table has; `counts(range)` says how many.

    All are counted once, block by block in turn, by `first` where it is given: the same counts, by who wants to see them made.
    """

    def __init__(self, parents: int, counts: Counts, first: Counts | None = None) -> None:
        self.parents = parents
        self.counts = counts
        blocks = -(-parents // _BLOCK)
        self._starts = np.zeros(blocks + 1, np.int64)
        least, most = (2**62, 0) if parents else (0, 0)
        for start in range(0, parents, _BLOCK * _BATCH):
            drawn = (first or counts)(range(start, min(start + _BLOCK * _BATCH, parents)))
            least, most = min(least, int(drawn.min())), max(most, int(drawn.max()))
            sums = np.add.reduceat(drawn, np.arange(0, len(drawn), _BLOCK))
            begin = start // _BLOCK
            self._starts[begin + 1 : begin + 1 + len(sums)] = sums
        np.cumsum(self._starts, out=self._starts)
        self.least = least
        self.most = most
        self._number = next(_NUMBERS)

    @property
    def total(self) -> int:
        """How many children there are in all."""
        return int(self._starts[-1])

    def _offsets(self, block: int) -> Int64:
        """The first child of each parent of a block, and the first after the block."""
        kept = _BLOCKS.get(self._number, block)
        if kept is not None:
            offsets: Int64 = kept + self._starts[block]
            return offsets
        first = block * _BLOCK
        counts = self.counts(range(first, min(first + _BLOCK, self.parents)))
        offsets = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        if offsets[-1] < 2**31:
            _BLOCKS.keep(self._number, block, offsets.astype(np.int32))
        offsets += self._starts[block]
        return offsets

    def starts(self, parents: Int64) -> Int64:
        """The first child of each of `parents` (0 to `self.parents`, the last being the end of all)."""
        if len(parents) == 0:
            return np.empty(0, np.int64)
        low, high = int(parents.min()), int(parents.max())
        first = max(min(low, self.parents - 1), 0) // _BLOCK
        last = max(max(high - 1, 0) // _BLOCK, first)
        if last - first <= 2 * len(parents) // _BLOCK + 2:
            return self._span(first, last)[parents - first * _BLOCK]
        result = np.empty(len(parents), np.int64)
        blocks = np.minimum(parents, self.parents - 1) // _BLOCK
        order = np.argsort(blocks, kind="stable")
        bounds = np.flatnonzero(np.diff(blocks[order], prepend=-1, append=-1))
        for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            chosen = order[begin:end]
            block = int(blocks[chosen[0]])
            result[chosen] = self._offsets(block)[parents[chosen] - block * _BLOCK]
        return result

    def _span(self, first: int, last: int) -> Int64:
        if not self.parents:
            return np.zeros(1, np.int64)
        pieces = [self._offsets(block)[: _BLOCK if block < last else None] for block in range(first, last + 1)]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def children_of(self, parents: Int64) -> tuple[Int64, Int64]:
        """Return for each of `parents` its first child and how many it has."""
        start = self.starts(parents)
        return start, self.starts(parents + 1) - start

    def parent_of(self, children: range | Int64) -> Int64:
        """Return the parent of each of `children`."""
        if isinstance(children, range):
            if not len(children):
                return np.empty(0, np.int64)
            first = int(np.searchsorted(self._starts, children.start, side="right")) - 1
            last = int(np.searchsorted(self._starts, children.stop - 1, side="right")) - 1
            offsets = self._span(first, last)
            clipped = np.clip(offsets, children.start, children.stop)
            inside: Int64 = clipped[1:] - clipped[:-1]
            return np.repeat(np.arange(first * _BLOCK, first * _BLOCK + len(inside), dtype=np.int64), inside)
        if not len(children):
            return np.empty(0, np.int64)
        low, high = int(children.min()), int(children.max())
        if high - low < 4 * len(children):
            return self.parent_of(range(low, high + 1))[children - low]
        result = np.empty(len(children), np.int64)
        blocks = np.searchsorted(self._starts, children, side="right") - 1
        order = np.argsort(blocks, kind="stable")
        bounds = np.flatnonzero(np.diff(blocks[order], prepend=-1, append=-1))
        for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            chosen = order[begin:end]
            block = int(blocks[chosen[0]])
            found = np.searchsorted(self._offsets(block), children[chosen], side="right") - 1
            result[chosen] = found + block * _BLOCK
        return result

    def ordinal_of(self, children: range | Int64, parents: Int64) -> Int64:
        """Return the place (from 0) of each of `children` among its siblings."""
        numbers = np.arange(children.start, children.stop, dtype=np.int64) if isinstance(children, range) else children
        return numbers - self.starts(parents)


def counts_with_total(counts: Counts, parents: int, least: int | Int64, most: int | Int64, total: int, thresholds: Float64) -> Counts:
    """Return counts as near as possible in proportion to `counts` that sum to `total`, none outside [least, most] (of each parent).

    Shares are scaled by one factor, found by bisection and clipped to the bounds. Each is rounded up where its fraction passes the
    parent's threshold, uniform in (0, 1], so that no parent is preferred; what is left over, because of ties and bounds, goes one by
    one to parents that have room, in the order of their thresholds. Needs a total between the sums of `least` and of `most`.
    """
    drawn = counts(range(parents)).astype(np.float64)

    def scaled(factor: float) -> Int64:
        return np.clip(np.floor(np.minimum(drawn * factor, 2.0**53) + (1.0 - thresholds)).astype(np.int64), least, most)

    low, high = 0.0, 1.0
    while int(scaled(high).sum()) < total and high < 2.0**60:
        high *= 2.0
    for _ in range(100):
        middle = (low + high) / 2
        if int(scaled(middle).sum()) <= total:
            low = middle
        else:
            high = middle
    fixed = scaled(low)
    missing = total - int(fixed.sum())
    order = np.argsort(thresholds, kind="stable")
    while missing > 0:
        room = order[(fixed < most)[order]][:missing]
        fixed[room] += 1
        missing -= len(room)
    return lambda rows: fixed[rows.start : rows.stop]
