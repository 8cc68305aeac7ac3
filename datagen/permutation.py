"""Keyed bijections of integers: unique values without retrying.

A bijection of 0..n-1 is a Feistel network over the next power of two, walked along its cycle until it lands below n
(Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). It scatters; it is no cipher.
"""

from __future__ import annotations

import numpy as np

from datagen.randomness import Int64, Stream, UInt64

_ROUNDS = 4


def permute(stream: Stream, values: Int64, size: int) -> Int64:
    """Map distinct `values` of 0..size-1 to distinct values of 0..size-1; 1 <= size <= 2**63."""
    if size <= 1:
        return np.zeros_like(values)
    bits = (size - 1).bit_length()
    result = _feistel(stream, values.astype(np.uint64), bits)
    outside = np.flatnonzero(result >= np.uint64(size))
    while len(outside):
        walked = _feistel(stream, result[outside], bits)
        result[outside] = walked
        outside = outside[walked >= np.uint64(size)]
    return result.astype(np.int64)


def scatter(stream: Stream, rows: Int64) -> Int64:
    """Map row numbers to distinct numbers of about their size: rows 2**k .. 2**(k+1)-1 are permuted among themselves.

    The number of a row does not depend on how many rows there are.
    """
    result = rows.copy()
    if len(rows) == 0:
        return result
    top = np.frexp(rows.astype(np.float64))[1] - 1
    for k in range(2, int(top.max()) + 1):
        chosen = np.flatnonzero(top == k)
        if len(chosen):
            base = 1 << k
            inner = _feistel(stream, (rows[chosen] - base).astype(np.uint64), k)
            result[chosen] = inner.astype(np.int64) + base
    return result


def _feistel(stream: Stream, values: UInt64, bits: int) -> UInt64:
    """Permute 0..2**bits-1 by an alternating unbalanced Feistel network; bits >= 1."""
    left = np.uint64(bits // 2)
    right = np.uint64(bits - bits // 2)
    left_mask = np.uint64((1 << int(left)) - 1)
    right_mask = np.uint64((1 << int(right)) - 1)
    high, low = values >> right, values & right_mask
    for i in range(_ROUNDS):
        high = high ^ (_mix(low, stream.key, 2 * i, bits) & left_mask)
        low = low ^ (_mix(high, stream.key, 2 * i + 1, bits) & right_mask)
    result: UInt64 = (high << right) | low
    return result


def _mix(values: UInt64, key: tuple[int, int], step: int, bits: int) -> UInt64:
    """Scramble 64-bit values under a key (the finaliser of MurmurHash3, twice keyed)."""
    salt = (key[step & 1] + 0x9E3779B97F4A7C15 * (step + 1) + bits) & (2**64 - 1)
    mixed = values ^ np.uint64(salt)
    mixed = mixed ^ (mixed >> np.uint64(33))
    mixed = mixed * np.uint64(0xFF51AFD7ED558CCD)
    mixed = mixed ^ (mixed >> np.uint64(29))
    mixed = mixed * np.uint64(0xC4CEB9FE1A85EC53)
    result: UInt64 = mixed ^ (mixed >> np.uint64(32))
    return result
