"""Keyed Feistel networks on pairs of numbers, whose two halves are added modulo their sizes.

The round function is HMAC-SHA-256 of the half, cut to a number below the size of the other. On small halves, whose values are met
again and again, one hash of a value serves five rounds with 48 bits each, and the numbers of a round are kept in a table.
"""

from __future__ import annotations

from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.keyed import KeyedHash

UInt64 = npt.NDArray[np.uint64]
_Table = npt.NDArray[np.uint32]

_TABLED = 2**20  # the largest half of which there are tables, 4 MiB for each round
_TABLED_TARGET = 2**24  # 48 bits modulo so many are even to one part in 2^24
_SHARED_BYTES = 6
_ROUNDS_OF_A_HASH = 5
_WORD_IS_ENOUGH = 2**32
_SLICE = 2**14  # pairs that the processor's cache holds with all that is reckoned of them
_HASHED = 2**16


class Feistel:
    """A permutation of the pairs (0 .. `left`-1, 0 .. `right`-1) in `rounds` rounds; `name` tells it from others under the key."""

    def __init__(self, key: KeyedHash, name: str, left: int, right: int, rounds: int) -> None:
        self._key, self._name, self._rounds = key, name, rounds
        self._sizes = (left, right)
        self._met = 0
        self._tables: dict[int, list[_Table]] = {}  # by the side that a round reads
        self._lock = Lock()

    def encrypt(self, left: UInt64, right: UInt64) -> tuple[UInt64, UInt64]:
        """Map pairs."""
        return self._through(left, right, forth=True)

    def decrypt(self, left: UInt64, right: UInt64) -> tuple[UInt64, UInt64]:
        """Map pairs back."""
        return self._through(left, right, forth=False)

    def _through(self, left: UInt64, right: UInt64, forth: bool) -> tuple[UInt64, UInt64]:
        self._met += len(left)
        tables = [self._tables_of(side) for side in (0, 1)]
        if None not in tables:
            return self._looked_up(left, right, tables, forth)
        halves = [left, right]
        for i in self._order(forth):
            changed, read = i % 2, 1 - i % 2
            size, table = np.uint64(self._sizes[changed]), tables[read]
            added = self._hashed(i, halves[read]) if table is None else table[i // 2].take(halves[read].view(np.int64)).astype(np.uint64)
            summed = halves[changed] + (added if forth else size - added)
            halves[changed] = np.minimum(summed, summed - size)  # what is below `size` wraps around, and is then the greater
        return halves[0], halves[1]

    def _looked_up(self, left: UInt64, right: UInt64, tables: list[list[_Table] | None], forth: bool) -> tuple[UInt64, UInt64]:
        """The same by tables alone, in slices, without an array made on the way."""
        mapped = (np.empty(len(left), np.uint64), np.empty(len(right), np.uint64))
        room = min(len(left), _SLICE)
        buffers = (np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.int64))
        for start in range(0, len(left), _SLICE):
            count = min(_SLICE, len(left) - start)
            one, other, added, places = (buffer[:count] for buffer in buffers)
            halves = (one, other)
            np.copyto(one, left[start : start + count], casting="unsafe")
            np.copyto(other, right[start : start + count], casting="unsafe")
            for i in self._order(forth):
                changed, read = i % 2, 1 - i % 2
                half, size, table = halves[changed], np.uint32(self._sizes[changed]), tables[read]
                assert table is not None
                np.copyto(places, halves[read])
                np.take(table[i // 2], places, out=added, mode="clip")  # no place is outside; the other mode copies
                if forth:
                    np.add(half, added, out=half)
                    np.subtract(half, size, out=added)
                else:
                    np.subtract(half, added, out=half)
                    np.add(half, size, out=added)
                np.minimum(half, added, out=half)
            mapped[0][start : start + count], mapped[1][start : start + count] = one, other
        return mapped

    def _order(self, forth: bool) -> range:
        return range(self._rounds) if forth else range(self._rounds - 1, -1, -1)

    def _shares(self, read: int) -> bool:
        return self._sizes[read] <= _TABLED and self._sizes[1 - read] <= _TABLED_TARGET

    def _tables_of(self, read: int) -> list[_Table] | None:
        """The tables of the rounds that read a side, where it is small and its values have been met often enough to pay for them."""
        if not self._shares(read):
            return None
        with self._lock:
            if read not in self._tables and self._met * _ROUNDS_OF_A_HASH >= self._sizes[read]:
                self._tables[read] = self._tabled(read)
            return self._tables.get(read)

    def _tabled(self, read: int) -> list[_Table]:
        size, target = self._sizes[read], np.uint64(self._sizes[1 - read])
        rounds = range(1 - read, self._rounds, 2)
        tables = [np.empty(size, np.uint32) for _ in rounds]
        for start in range(0, size, _HASHED):
            half = np.arange(start, min(start + _HASHED, size), dtype=np.uint64)
            for first in range(0, len(tables), _ROUNDS_OF_A_HASH):
                digests = self._digests(read, first // _ROUNDS_OF_A_HASH, half)
                for place, table in enumerate(tables[first : first + _ROUNDS_OF_A_HASH]):
                    table[start : start + len(half)] = _cut(digests, place) % target
        return tables

    def _hashed(self, i: int, half: UInt64) -> UInt64:
        """What a round adds, hashed for each of these halves."""
        read, target = 1 - i % 2, self._sizes[i % 2]
        if self._shares(read):
            hashed, place = divmod(i // 2, _ROUNDS_OF_A_HASH)
            return _cut(self._digests(read, hashed, half), place) % np.uint64(target)
        texts = _texts(f"{self._name}|{i}|", half)
        if target <= _WORD_IS_ENOUGH:
            word: UInt64 = self._key.words(texts)[0]
            return word % np.uint64(target)
        remainder = np.zeros(len(half), np.uint64)
        for byte in self._key.digests(texts, 16).T:
            remainder = ((remainder << np.uint64(8)) | byte) % np.uint64(target)
        return remainder

    def _digests(self, read: int, hashed: int, half: UInt64) -> npt.NDArray[np.uint8]:
        return self._key.digests(_texts(f"{self._name}|{'left' if read == 0 else 'right'} {hashed}|", half))


def _cut(digests: npt.NDArray[np.uint8], place: int) -> UInt64:
    """The bytes of each digest that are a round's, as a number of 48 bits."""
    start = place * _SHARED_BYTES
    words = np.ascontiguousarray(digests[:, start : start + 8]).view(">u8").astype(np.uint64).ravel()
    return words >> np.uint64(64 - 8 * _SHARED_BYTES)


def _texts(prefix: str, numbers: UInt64) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")
