"""Bloom filters over 64-bit hashes (Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970)."""

from __future__ import annotations

from threading import Lock

import numpy as np
import numpy.typing as npt

from masking.known.different import different
from masking.known.stream import I64, U64

_BITS, _MORE_BITS = 8, 12  # for each hash; more where what passes is dear
_SMALLEST, _LARGEST = 16, 30
_SECOND = np.uint64(0x9E3779B97F4A7C15)
_SLICE = 1 << 20
_WHOLE, _LARGE = 16, 1 << 22  # bytes for each hash, and in all, up to which it is faster to write all bits anew


class Filter:
    """Which hashes are certainly not among those added: two probes, of which the second is rarely needed.

    `capacity` is the number of hashes to come; with as many, about one strange hash in thirty passes.
    """

    def __init__(self, capacity: int, bits: int = _BITS) -> None:
        exponent = min(max(int(capacity * bits - 1).bit_length(), _SMALLEST), _LARGEST)
        self._shift = np.uint64(64 - exponent)
        self._bits: npt.NDArray[np.uint8] = np.zeros(1 << (exponent - 3), np.uint8)
        self.empty = True

    def add(self, hashes: U64) -> None:
        for start in range(0, len(hashes), _SLICE):
            part = hashes[start : start + _SLICE]
            both = (part >> self._shift, (part * _SECOND) >> self._shift)
            if len(self._bits) <= min(len(part) * _WHOLE, _LARGE):
                flags = np.zeros(8 * len(self._bits), np.bool_)
                for slots in both:
                    flags[slots.view(np.int64)] = True
                self._bits |= np.packbits(flags, bitorder="little")
                continue
            for slots in both:
                masks = np.uint8(1) << (slots.astype(np.uint8) & np.uint8(7))
                np.bitwise_or.at(self._bits, (slots >> np.uint64(3)).view(np.int64), masks)
        self.empty = self.empty and not len(hashes)

    def passing(self, hashes: U64) -> I64:
        """The places of the hashes that may be among those added."""
        if self.empty:
            return np.zeros(0, np.int64)
        first = self._hit(hashes >> self._shift)
        return first[self._hit((hashes[first] * _SECOND) >> self._shift)]

    def _hit(self, slots: U64) -> I64:
        bytes_ = self._bits.take((slots >> np.uint64(3)).view(np.int64))
        return np.flatnonzero((bytes_ >> (slots.astype(np.uint8) & np.uint8(7))) & np.uint8(1))


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
