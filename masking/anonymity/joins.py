"""What is lost where items become one cell: the arithmetic of joining, column by column, on whole arrays.

A column's state of an item is a few numbers, along the first axis of an array; the other axes are any. Ranges and labels are spans
from the first value to the last (all leaves of a label stand together); sets are words of bits. Only elementwise operations are
used, so that a loss is the same on every machine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.domain import Domain

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
State = NDArray[Any]

_TABLE = 1024
_WORD = 64
_GLOBAL_WORDS = 2


class Joins(ABC):
    """The joining of items in one column."""

    @abstractmethod
    def start(self, blocks: Ints, slots: Ints, codes: Ints, shape: tuple[int, int]) -> State:
        """The states of items at (block, slot), each of one or more values; `blocks`, `slots` and `codes` are parallel.

        `shape` is the number of blocks and of slots in each; states of different blocks are never joined.
        """

    @abstractmethod
    def join(self, left: State, right: State) -> State:
        """The states of items joined, pair by pair."""

    @abstractmethod
    def loss(self, state: State) -> Floats:
        """What is lost in each cell, from 0 to the column's weight."""

    @abstractmethod
    def step(self) -> float:
        """What is lost on average where a value is joined with its neighbour."""


class _Spans(Joins):
    """Cells from a first value to a last one, by their places."""

    def __init__(self, domain: Domain) -> None:
        self._number = len(domain.values)
        self._table: Floats | None = None
        self._prepare(domain)
        if self._number <= _TABLE:
            first, last = np.divmod(np.arange(self._number**2), self._number)
            self._table = self._between(np.minimum(first, last), np.maximum(first, last))

    @abstractmethod
    def _prepare(self, domain: Domain) -> None:
        """Take over what the losses are computed from."""

    @abstractmethod
    def _between(self, first: Ints, last: Ints) -> Floats:
        """The loss of spans."""

    def start(self, blocks: Ints, slots: Ints, codes: Ints, shape: tuple[int, int]) -> State:
        state = np.zeros((2, *shape), np.int32)
        state[0] = self._number - 1
        np.minimum.at(state[0], (blocks, slots), codes.astype(np.int32))
        np.maximum.at(state[1], (blocks, slots), codes.astype(np.int32))
        return state

    def join(self, left: State, right: State) -> State:
        return np.stack([np.minimum(left[0], right[0]), np.maximum(left[1], right[1])])

    def loss(self, state: State) -> Floats:
        if self._table is not None:
            found: Floats = self._table.take(state[0] * np.int32(self._number) + state[1])
            return found
        return self._between(state[0].astype(np.int64), state[1].astype(np.int64))

    def step(self) -> float:
        places = np.arange(self._number - 1)
        return float(np.mean(self._between(places, places + 1))) if len(places) else 0.0


class RangeJoins(_Spans):
    """Numbers become the range from the least to the greatest; with a null, all that there are."""

    def _prepare(self, domain: Domain) -> None:
        self._null = self._number - 1 if domain.has_null else -1
        self._most, self._weight = domain.most, domain.weight

    def _between(self, first: Ints, last: Ints) -> Floats:
        width = np.where((last == self._null) & (first != last), self._most, last - first)
        found: Floats = (width / self._most * self._weight).astype(np.float32)
        return found


class LabelJoins(_Spans):
    """Leaves become their lowest common label.

    Its level is the greatest at which any two neighbours between the first leaf and the last have their own: a range maximum,
    answered from a sparse table (Bender & Farach-Colton 2000).
    """

    def _prepare(self, domain: Domain) -> None:
        self._ancestors = domain.ancestors
        self._losses = domain.losses.astype(np.float32)
        common = (self._ancestors[:, :-1] == self._ancestors[:, 1:]).argmax(axis=0)
        self._highest = [common]
        while (width := 1 << (len(self._highest) - 1)) * 2 <= len(common):
            below = self._highest[-1]
            self._highest.append(np.maximum(below[:-width], below[width:]))
        self._flat = np.zeros((len(self._highest), max(self._number, 1)), np.int64)
        for i, row in enumerate(self._highest):
            self._flat[i, : len(row)] = row

    def level(self, first: Ints, last: Ints) -> Ints:
        """The level of the lowest common label of the leaves from `first` to `last`."""
        width = last - first
        power = np.frexp(np.maximum(width, 1))[1] - 1
        found = np.maximum(self._flat[power, first], self._flat[power, np.maximum(last - (1 << power), 0)])
        return np.where(width > 0, found, 0)

    def node(self, first: Ints, last: Ints) -> Ints:
        """The lowest common label itself."""
        return self._ancestors[self.level(first, last), first]

    def _between(self, first: Ints, last: Ints) -> Floats:
        return self._losses[self.node(first, last)]


class SetJoins(Joins):
    """Values become the set of them."""

    def __init__(self, domain: Domain) -> None:
        self._number = len(domain.values)
        self._each = np.float32(domain.weight / domain.most)

    def start(self, blocks: Ints, slots: Ints, codes: Ints, shape: tuple[int, int]) -> State:
        bits = codes
        words = -(-self._number // _WORD)
        if words > _GLOBAL_WORDS:
            # of so many values each block holds a few: they are numbered within it
            known, places = np.unique(blocks * self._number + codes, return_inverse=True)
            of = known // self._number
            bits = (np.arange(len(known)) - np.searchsorted(of, np.arange(shape[0]))[of])[places]
            words = int(bits.max()) // _WORD + 1
        state = np.zeros((words, *shape), np.uint64)
        np.bitwise_or.at(state, (bits // _WORD, blocks, slots), np.uint64(1) << (bits % _WORD).astype(np.uint64))
        return state

    def join(self, left: State, right: State) -> State:
        found: State = np.bitwise_or(left, right)
        return found

    def loss(self, state: State) -> Floats:
        size: Floats = np.bitwise_count(state[0]).astype(np.float32)
        for word in state[1:]:
            size += np.bitwise_count(word)
        size -= np.float32(1)
        size *= self._each
        found: Floats = np.maximum(size, np.float32(0))
        return found

    def step(self) -> float:
        return float(self._each)


def joins_of(domains: Sequence[Domain]) -> list[Joins]:
    """The joining of each column, by the form of its cells."""
    kinds: dict[str, Callable[[Domain], Joins]] = {"labels": LabelJoins, "set": SetJoins, "range": RangeJoins}
    return [kinds[domain.form](domain) for domain in domains]
