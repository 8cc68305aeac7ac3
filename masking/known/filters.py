"""Bloom filters over 64-bit hashes (Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970).

All bits of a hash lie in one word of 64 bits, so that a look is one step into the memory (Putze, Sanders and Singler, "Cache-, hash- and
space-efficient Bloom filters", 2007).
"""

from __future__ import annotations

from threading import Lock

import numpy as np

from masking.known.different import different
from masking.known.stream import I64, U64

_BITS, _MORE_BITS = 8, 12  # for each hash; more where what passes is dear
_SMALLEST, _LARGEST = 16, 30
_WORD = 6  # bits of a place in a word
_MIX = np.uint64(0x9E3779B97F4A7C15)
_PATTERN = np.uint64(64 - 12)
_SLICE = 1 << 20


def _patterns() -> U64:
    """4,096 words of three bits each."""
    places = np.random.default_rng(0).permuted(np.tile(np.arange(64, dtype=np.uint64), (1 << 12, 1)), axis=1)[:, :3]
    patterns: U64 = np.bitwise_or.reduce(np.uint64(1) << places, axis=1)
    return patterns


_PATTERNS = _patterns()


class Filter:
    """Which hashes are certainly not among those added.

    `capacity` is the number of hashes to come; with as many, at most one strange hash in 23 passes.
    """

    def __init__(self, capacity: int, bits: int = _BITS) -> None:
        exponent = min(max(int(capacity * bits - 1).bit_length(), _SMALLEST), _LARGEST) - _WORD
        self._shift = np.uint64(64 - exponent)
        self._words: U64 = np.zeros(1 << exponent, np.uint64)
        self.empty = True

    def add(self, hashes: U64) -> None:
        """Take hashes in; those that are sorted are taken in faster."""
        for start in range(0, len(hashes), _SLICE):
            part = hashes[start : start + _SLICE]
            slots = part >> self._shift
            if not (slots[1:] >= slots[:-1]).all():
                order = np.argsort(slots)
                part, slots = part[order], slots[order]
            first = np.flatnonzero(np.append(True, slots[1:] != slots[:-1]))
            self._words[slots[first].view(np.int64)] |= np.bitwise_or.reduceat(_patterns_of(part), first)
        self.empty = self.empty and not len(hashes)

    def passing(self, hashes: U64) -> I64:
        """The places of the hashes that may be among those added."""
        if self.empty:
            return np.zeros(0, np.int64)
        patterns = _patterns_of(hashes)
        words = self._words.take((hashes >> self._shift).view(np.int64))
        words &= patterns
        return np.flatnonzero(words == patterns)


def _patterns_of(hashes: U64) -> U64:
    return _PATTERNS.take(((hashes * _MIX) >> _PATTERN).view(np.int64))


class GrowingFilter:
    """Filters in a row, each sixteen times the last, for hashes whose number nobody knows beforehand; several threads may add some."""

    def __init__(self) -> None:
        self._filters: list[Filter] = []
        self._room = 0
        self._capacity = 1 << 13
        self._lock = Lock()

    def add(self, hashes: U64) -> None:
        for start in range(0, len(hashes), _SLICE):
            part = different(hashes[start : start + _SLICE])
            with self._lock:
                self._add(part)

    def _add(self, part: U64) -> None:
        for known in self._filters:
            seen = np.zeros(len(part), bool)
            seen[known.passing(part)] = True
            part = part[~seen]
        if len(part) > self._room:
            while self._capacity < 4 * len(part):
                self._capacity *= 16
            self._filters.append(Filter(self._capacity, _MORE_BITS))
            self._room = self._capacity
            self._capacity *= 16
        if len(part):
            self._filters[-1].add(part)
            self._room -= len(part)

    def passing(self, hashes: U64) -> I64:
        """The places of the hashes that may be among those added, in order."""
        found = [known.passing(hashes) for known in self._filters]
        return found[0] if len(found) == 1 else different(np.concatenate(found)) if found else np.zeros(0, np.int64)
