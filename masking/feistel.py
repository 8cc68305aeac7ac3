"""Keyed Feistel networks on pairs of numbers, whose two halves are added modulo their sizes.

The round function is that of FF1 (NIST SP 800-38G) for numbers of one block: AES with a key of 256 bits, of the half and the number of
the round, cut to a number below the size of the other half. On small halves, whose values are met again and again, the numbers of a
round are kept in a table.
"""

from __future__ import annotations

from hmac import digest
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from masking.cmac import block_cipher, enciphered
from masking.keyed import KeyedHash, UInt64

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext

_Table = npt.NDArray[np.uint32]

_TABLED = 2**17  # the largest half of which there are tables: a larger one leaves the cache, and AES is as fast
_WORD_IS_ENOUGH = 2**32
_SLICE = 2**14  # pairs that the processor's cache holds with all that is reckoned of them
_ENCIPHERED = 2**12


class Feistel:
    """A permutation of the pairs (0 .. `left`-1, 0 .. `right`-1) in `rounds` rounds; `name` tells it from others under the key."""

    def __init__(self, key: KeyedHash, name: str, left: int, right: int, rounds: int) -> None:
        self._secret = digest(key.key, f"feistel|{name}".encode(), "sha256")
        self._rounds, self._sizes = rounds, (left, right)
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
        cipher = block_cipher(self._secret)  # one for each call: threads cannot share it
        mapped = np.empty(len(left), np.uint64), np.empty(len(right), np.uint64)
        for start in range(0, len(left), _ENCIPHERED):
            here = slice(start, start + _ENCIPHERED)
            halves = [left[here], right[here]]
            for i in self._order(forth):
                changed, read = i % 2, 1 - i % 2
                size, table = np.uint64(self._sizes[changed]), tables[read]
                added = self._round(cipher, i, halves[read]) if table is None else table[i // 2].take(halves[read].view(np.int64))
                summed = halves[changed] + (added if forth else size - added)
                halves[changed] = np.minimum(summed, summed - size)  # what is below `size` wraps around, and is then the greater
            mapped[0][here], mapped[1][here] = halves
        return mapped

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

    def _tables_of(self, read: int) -> list[_Table] | None:
        """The tables of the rounds that read a side, where it is small and as many values of it have been met as there are."""
        if self._sizes[read] > _TABLED or self._sizes[1 - read] > _WORD_IS_ENOUGH:
            return None
        with self._lock:
            if read not in self._tables and self._met >= self._sizes[read]:
                self._tables[read] = [self._table(i) for i in range(1 - read, self._rounds, 2)]
            return self._tables.get(read)

    def _table(self, i: int) -> _Table:
        size = self._sizes[1 - i % 2]
        table, cipher = np.empty(size, np.uint32), block_cipher(self._secret)
        for start in range(0, size, _ENCIPHERED):
            stop = min(start + _ENCIPHERED, size)
            table[start:stop] = self._round(cipher, i, np.arange(start, stop, dtype=np.uint64))
        return table

    def _round(self, cipher: CipherContext, i: int, half: UInt64) -> UInt64:
        """What a round adds for each of these halves."""
        target = np.uint64(self._sizes[i % 2])
        blocks = np.empty((len(half), 2), "<u8")
        blocks[:, 0], blocks[:, 1] = half, i
        low, high = enciphered(cipher, blocks).astype(np.uint64, copy=False).T
        if target <= _WORD_IS_ENOUGH:
            return _remainder(low, target)
        remainder = _remainder(high, target)
        for shift in range(56, -8, -8):  # a target has up to 52 bits, so that a byte more is within a word
            remainder = _remainder((remainder << np.uint64(8)) | ((low >> np.uint64(shift)) & np.uint64(0xFF)), target)
        return remainder


def _remainder(numbers: UInt64, size: np.uint64) -> UInt64:
    """`numbers` modulo `size`; `%` divides number by number, which takes several times as long."""
    return numbers - numbers // size * size
