"""The different values of one column as sorted hashes, each with how often it stood there."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from masking.known.stream import I64, U64, Mask

SHARED = 10  # rows from which on a value tells of nobody in particular
_PENDING = 1 << 20
_Item = TypeVar("_Item", np.uint64, np.uint8)


class HashedValues:
    """A growing set of hashes that counts up to `SHARED`; 9 bytes a value."""

    def __init__(self) -> None:
        self.hashes: U64 = np.zeros(0, np.uint64)
        self._counts: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._pending: list[U64] = []
        self._waiting = 0

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
        fresh, counts = np.unique(np.concatenate(self._pending), return_counts=True)
        self._pending, self._waiting = [], 0
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
        return self._at(np.searchsorted(self.hashes, hashes), hashes)

    def shared(self, hashes: U64) -> Mask:
        """Which of `hashes` stood in at least `SHARED` rows."""
        places = np.searchsorted(self.hashes, hashes)
        found = self._at(places, hashes)
        found[found] = self._counts[places[found]] >= SHARED
        return found

    @property
    def shared_values(self) -> int:
        return int(np.count_nonzero(self._counts >= SHARED))

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
