"""Counter-based randomness: every draw is a pure function of names and a row number.

A stream is keyed by a hash of names (seed, table, column, purpose) and gives one 64-bit draw a row. Philox4x64-10 is that
of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). Ranges of rows use NumPy's
implementation through `random_raw`; scattered rows use the same function written over arrays, which a test holds equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from blake3 import blake3
from numpy.random.bit_generator import ISeedSequence

UInt64 = npt.NDArray[np.uint64]
Int64 = npt.NDArray[np.int64]
Index = range | Int64

_LANES = 4
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_MASK = 2**64 - 1
# a draw that stands alone takes as much time as _ALONE in a row, and the first of them as much as _FIRST
_ALONE, _FIRST = 40, 1 << 15
_MOST_IN_A_ROW = 1 << 20  # 8 MiB; beyond it no more than _SPARSE times as many as are wanted
_SPARSE = 8


class _Key(ISeedSequence):
    """A key for Philox as it is; a bare `key=` has NumPy ask the system for entropy first, which takes longer than a thousand draws."""

    def __init__(self, key: tuple[int, int]) -> None:
        self._key = key

    def generate_state(self, n_words: int, dtype: npt.DTypeLike = np.uint32) -> UInt64:
        return np.array(self._key, np.uint64)


@dataclass(frozen=True, slots=True)
class Stream:
    """One draw a row, for ever the same; `key` is 128 bits."""

    key: tuple[int, int]

    def draws(self, rows: Index) -> UInt64:
        """Return one uniform 64-bit draw for each row number in `rows` (a range of step 1, or an int64 array)."""
        if isinstance(rows, range):
            return self._span(rows.start, rows.stop)
        if len(rows) == 0:
            return np.empty(0, np.uint64)
        low, high = int(rows.min()), int(rows.max())
        if high - low < max(_SPARSE * len(rows), min(_FIRST + _ALONE * len(rows), _MOST_IN_A_ROW)):
            return self._span(low, high + 1)[rows - low]
        return self._scattered(rows)

    def _span(self, start: int, stop: int) -> UInt64:
        # Philox steps its counter before it computes, so counter c gives block c + 1 of the sequence.
        block, lane = divmod(start, _LANES)
        bits = np.random.Philox(_Key(self.key), counter=block)  # type: ignore[arg-type]  # the stubs know one kind of seed alone
        raw: UInt64 = bits.random_raw(stop - start + lane)
        return raw[lane:]

    def _scattered(self, rows: Int64) -> UInt64:
        c0 = (rows.astype(np.uint64) >> np.uint64(2)) + np.uint64(1)
        c1 = np.zeros_like(c0)
        c2 = np.zeros_like(c0)
        c3 = np.zeros_like(c0)
        k0, k1 = self.key
        m0, m1 = (np.uint64(m) for m in _MULTIPLIERS)
        for _ in range(10):
            high0, low0 = multiply_high(c0, m0), c0 * m0
            high1, low1 = multiply_high(c2, m1), c2 * m1
            c0, c1, c2, c3 = high1 ^ c1 ^ np.uint64(k0), low1, high0 ^ c3 ^ np.uint64(k1), low0
            k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
        lane = rows & 3
        result: UInt64 = np.choose(lane, (c0, c1, c2, c3))
        return result


@lru_cache(maxsize=65536)
def stream(seed: int, *names: str) -> Stream:
    """Return the stream that belongs to `seed` and `names` (table, column, purpose ...)."""
    digest = blake3(derive_key_context="companyos datagen stream v1")
    digest.update(str(seed).encode())
    for name in names:
        encoded = name.encode()
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    key = digest.digest(length=16)
    return Stream((int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")))


def multiply_high(a: UInt64, b: UInt64 | np.uint64) -> UInt64:
    """Return the upper 64 bits of the 128-bit products of `a` and `b`."""
    if not b.size or b.max() <= _LOW:  # the upper half of b is 0, and so are the terms with it
        upper: UInt64 = a >> _32
        upper *= b
        lower = a & _LOW
        lower *= b
        lower >>= _32
        upper += lower
        upper >>= _32
        return upper
    a_low, a_high = a & _LOW, a >> _32
    b_low, b_high = b & _LOW, b >> _32
    middle = a_high * b_low + ((a_low * b_low) >> _32)
    carry = a_low * b_high + (middle & _LOW)
    result: UInt64 = a_high * b_high + (middle >> _32) + (carry >> _32)
    return result


def below(draws: UInt64, bound: int | Int64 | UInt64) -> Int64:
    """Map draws to integers from 0 to `bound` - 1, uniformly up to bound / 2**64 (2**32 for small bounds)."""
    if isinstance(bound, int) and bound <= 2**31:
        found = draws >> _32
        found *= np.uint64(bound)
        found >>= _32
        return found.view(np.int64)
    wide = np.uint64(bound) if isinstance(bound, int) else bound.astype(np.uint64)
    return multiply_high(draws, wide).view(np.int64)


def unit(draws: UInt64) -> npt.NDArray[np.float64]:
    """Map draws to floats in [0, 1) on a grid of 2**-53."""
    return (draws >> np.uint64(11)).astype(np.float64) * 2.0**-53
