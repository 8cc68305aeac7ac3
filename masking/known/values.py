"""The different values of one column as sorted hashes, each with how often it stood there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from masking.known.different import counted
from masking.known.stream import I64, U64, Mask

SHARED = 10  # rows from which on a value tells of nobody in particular
_PENDING = 1 << 20
_LARGE, _MANY = 1 << 16, 1 << 8  # a set and a look-up from which on a directory pays
_Item = TypeVar("_Item", np.uint64, np.uint8)


@dataclass(frozen=True)
class _Directory:
    """Where in sorted hashes those of each first bits begin, so that one is found in a step or two of the memory."""

    shift: np.uint64
    begins: npt.NDArray[np.int32]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, hashes: U64) -> _Directory:
        bits = len(hashes).bit_length() - 2  # two to four hashes to each
        shift = np.uint64(64 - bits)
        counts = np.bincount((hashes >> shift).view(np.int64), minlength=1 << bits)
        begins = np.zeros(len(counts) + 1, np.int32)
        np.cumsum(counts, out=begins[1:])
        return cls(shift, begins, tuple(1 << i for i in reversed(range(int(counts.max()).bit_length()))))

    def places(self, hashes: U64, asked: U64) -> I64:
        """Where each of `asked` is in `hashes`, or would be, as `numpy.searchsorted` tells."""
        first = (asked >> self.shift).view(np.int64)
        places, ends = self.begins.take(first).astype(np.int64), self.begins.take(first + 1).astype(np.int64)
        for step in self.steps:
            there = places + step
            before = (there <= ends) & (hashes.take(there - 1, mode="clip") < asked)
            places = np.where(before, there, places)
        return places


class HashedValues:
    """A growing set of hashes that counts up to `SHARED`; 9 bytes a value, and 2 more once many are looked up."""

    def __init__(self) -> None:
        self.hashes: U64 = np.zeros(0, np.uint64)
        self._counts: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._pending: list[U64] = []
        self._waiting = 0
        self._directory: _Directory | None = None

    def __len__(self) -> int:
        return len(self.hashes)

    def add(self, hashes: U64) -> None:
        self._pending.append(hashes)
        self._waiting += len(hashes)
        if self._waiting > max(_PENDING, len(self.hashes) // 8):
            self.settle()

    def settle(self) -> None:
        """Take in what waits; the set is complete then."""
        if not self._waiting:
            return
        fresh, counts = counted(np.concatenate(self._pending))
        self._pending, self._waiting, self._directory = [], 0, None
        capped = np.minimum(counts, SHARED).astype(np.uint8)
        places = np.searchsorted(self.hashes, fresh)
        known = self._at(places, fresh)
        self._counts[places[known]] = np.minimum(self._counts[places[known]] + capped[known], SHARED)
        fresh, capped = fresh[~known], capped[~known]
        into = places[~known] + np.arange(len(fresh))
        old = np.ones(len(self.hashes) + len(fresh), bool)
        old[into] = False
        self.hashes = _merged(self.hashes, fresh, old, into)
        self._counts = _merged(self._counts, capped, old, into)

    def lookup(self, hashes: U64) -> Mask:
        """Which of `hashes` are in the set."""
        if len(self.hashes) < _LARGE or len(hashes) < _MANY:
            return self._at(np.searchsorted(self.hashes, hashes), hashes)
        if self._directory is None:
            self._directory = _Directory.of(self.hashes)
        return self._at(self._directory.places(self.hashes, hashes), hashes)

    def lookup_sorted(self, hashes: U64) -> Mask:
        """The same of different hashes that are sorted; where the set is the smaller one, its hashes are looked for among them."""
        if len(self.hashes) >= len(hashes):
            return self.lookup(hashes)
        found = np.zeros(len(hashes), bool)
        places = np.searchsorted(hashes, self.hashes)
        found[places[hashes.take(places, mode="clip") == self.hashes]] = True
        return found

    def shared(self, hashes: U64) -> Mask:
        """Which of `hashes` stood in at least `SHARED` rows."""
        places = np.searchsorted(self.hashes, hashes)
        found = self._at(places, hashes)
        found[found] = self._counts[places[found]] >= SHARED
        return found

    def _at(self, places: I64, hashes: U64) -> Mask:
        if not len(self.hashes):
            return np.zeros(len(hashes), bool)
        found: Mask = self.hashes.take(places, mode="clip") == hashes
        return found


def _merged(kept: npt.NDArray[_Item], fresh: npt.NDArray[_Item], old: Mask, into: I64) -> npt.NDArray[_Item]:
    merged = np.empty(len(old), kept.dtype)
    merged[into] = fresh
    merged[old] = kept
    return merged
