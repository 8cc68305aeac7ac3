"""Keyed permutations of the numbers 0 .. size-1: pseudo-random, without fixed points, and so that nothing collides.

The idea is that of format-preserving encryption (NIST SP 800-38G; Black and Rogaway, "Ciphers with arbitrary finite domains",
2002): a Feistel network on two halves, added modulo their sizes, whose round function is AES, and cycle walking where
the halves hold more than was asked for. Small domains, on which a Feistel network is weak, are shuffled whole. It is not FF1 to
the letter, and there is no way back here: its security rests on the key, which is derived for one purpose and thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.feistel import Feistel
from masking.keyed import KeyedHash

UInt64 = npt.NDArray[np.uint64]
# which of some numbers, mapped from those at these places, may be the result
Belong = Callable[[UInt64, npt.NDArray[np.int64]], npt.NDArray[np.bool_]]
_BelongAsPairs = Callable[[UInt64, UInt64, npt.NDArray[np.int64]], npt.NDArray[np.bool_]]

SHUFFLED = 2**12
ROUNDS = 10
LARGEST = 2**104

_FEW = 2**24
_ROUNDS_OF_FEW = 24
_MAY_STAY = 2**40


class Permutation:
    """A permutation of pairs (0 .. `left`-1, 0 .. `right`-1), of which those below `size` (left * `right` + right) are asked for.

    `size` is at most 2^104. Up to 2^12 it is a keyed shuffle into one cycle, above a Feistel network of 10 rounds, as FF1 has,
    or 24 below 2^24, where its halves are small. No number is mapped to itself: what is applied is the successor in the secret
    order, E^-1(E(x) + 1), which above 2^40 is done without, since a fixed point is then met once in 10^12 values or more.
    """

    def __init__(self, key: KeyedHash, name: str, size: int, halves: tuple[int, int] | None = None) -> None:
        if not 1 <= size <= LARGEST:
            raise ValueError("a permutation has 1 to 2^104 elements")
        root = isqrt(size - 1) + 1
        self.size = size
        self.left, self.right = halves or (-(-size // root), root)
        self._key, self._name = key, name
        self._exact = self.left * self.right == size
        self._network = Feistel(key, name, self.left, self.right, _ROUNDS_OF_FEW if size < _FEW else ROUNDS)
        self._whole = self._shuffle() if size <= SHUFFLED else None

    def apply(self, left: UInt64, right: UInt64) -> tuple[UInt64, UInt64]:
        """Map pairs to pairs; all must be below `size`."""
        return self._walk(left, right, None)

    def numbers(self, numbers: UInt64, belong: Belong | None = None) -> UInt64:
        """Map numbers below `size`, which must be at most 2^63; with `belong`, on and on until each result belongs (cycle walking)."""
        split = np.uint64(self.right)

        def belonging(left: UInt64, right: UInt64, places: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
            assert belong is not None
            return belong(left * split + right, places)

        left, right = self._walk(numbers // split, numbers % split, None if belong is None else belonging)
        return left * split + right

    def _walk(self, left: UInt64, right: UInt64, belong: _BelongAsPairs | None) -> tuple[UInt64, UInt64]:
        """Map pairs until they are below `size` and belong."""
        follows_order = self._whole is None and self.size < _MAY_STAY
        # the successor of a successor is the next but one in the secret order: a pair's place in it is looked up once
        walking = self._network.encrypt(left, right) if follows_order else (left, right)
        pending = np.arange(len(left))
        mapped: tuple[UInt64, UInt64] | None = None
        while len(pending):
            if follows_order:
                walking = self._follow(*walking)
                found = self._network.decrypt(*walking)
            else:
                walking = found = (self._network.encrypt if self._whole is None else self._shuffled)(*walking)
            if mapped is None:
                mapped = found
            else:
                mapped[0][pending], mapped[1][pending] = found
            going_on = self._going_on(found, pending, belong)
            pending = pending[going_on]
            walking = walking[0][going_on], walking[1][going_on]
        return (left, right) if mapped is None else mapped

    def _going_on(
        self, found: tuple[UInt64, UInt64], places: npt.NDArray[np.int64], belong: _BelongAsPairs | None
    ) -> npt.NDArray[np.int64]:
        """Which of some pairs, mapped from those at these places, are no result."""
        outside = self._outside(*found)
        if belong is None:
            return np.flatnonzero(outside)
        if outside.any():
            inside = np.flatnonzero(~outside)
            outside[inside] = ~belong(found[0][inside], found[1][inside], places[inside])
            return np.flatnonzero(outside)
        return np.flatnonzero(~belong(*found, places))

    def _shuffled(self, left: UInt64, right: UInt64) -> tuple[UInt64, UInt64]:
        assert self._whole is not None
        mapped = self._whole[(left * np.uint64(self.right) + right).astype(np.int64)]
        return mapped // np.uint64(self.right), mapped % np.uint64(self.right)

    def _shuffle(self) -> UInt64:
        words = self._key.words(_texts(f"{self._name}|shuffle|", np.arange(self.size, dtype=np.uint64)))[0]
        order = np.argsort(words, kind="stable").astype(np.uint64)
        mapped = np.empty(self.size, np.uint64)
        mapped[order] = np.roll(order, -1)
        return mapped

    def _follow(self, left: UInt64, right: UInt64) -> tuple[UInt64, UInt64]:
        """The next places in the secret order."""
        right = right + np.uint64(1)
        carry = right == self.right
        right[carry] = 0
        left = left + carry
        left[left == self.left] = 0
        return left, right

    def _outside(self, left: UInt64, right: UInt64) -> npt.NDArray[np.bool_]:
        if self._exact:
            return np.zeros(len(left), np.bool_)
        last, rest = divmod(self.size, self.right)
        beyond: npt.NDArray[np.bool_] = (left > last) | ((left == last) & (right >= rest))
        return beyond


def _texts(prefix: str, numbers: UInt64) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(numbers).cast(pa.string()), "")
