"""Decimals as PostgreSQL's binary numerics, a column at a time.

A binary numeric is, in big-endian words of 16 bits: how many digits to the base 10,000 follow, the weight of the first
(the value is the sum of digit[i] * 10000 ** (weight - i)), the sign, how many decimals are shown, and the digits. Zeros on
either side are taken and dropped by the server, so every value of a column gets as many digits as the widest has, and the
column's values are all of one width. Source: `numeric_recv` and `numeric_send` in PostgreSQL's `utils/adt/numeric.c`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.types import SqlType

_BASE, _BASE_DIGITS = 10_000, 4
_NEGATIVE = 0x4000
_HEADER_WORDS = 4
_WORD_DIGITS = 18  # what 64 bits hold for certain

Words = npt.NDArray[np.uint64]


def binary_numerics(type: SqlType, array: pa.Array) -> pa.Array:
    """Return an array of decimal128 in the binary form of the numeric type that it carries.

    Values of a numeric without a scale show no more decimals than they need.
    """
    whole, decimal = _groups(type)
    negative, limbs = _magnitude(array, type.digits[0])
    digits = []
    odd = type.decimals % _BASE_DIGITS  # the last digit may have less than four decimals
    for place in range(whole + decimal):
        base = 10**odd if odd and place == 0 else _BASE
        limbs, digit = _divided(limbs, base)
        digits.append(digit * np.uint64(_BASE // base))
    digits.reverse()
    words = np.empty((len(array), _HEADER_WORDS + whole + decimal), ">i2")
    words[:, 0] = whole + decimal
    words[:, 1] = whole - 1
    words[:, 2] = negative * np.int16(_NEGATIVE)
    words[:, 3] = type.decimals if type.precision is not None else _needed_decimals(digits[whole:], len(array))
    for place, digit in enumerate(digits, _HEADER_WORDS):
        words[:, place] = digit
    ends = np.arange(len(array) + 1, dtype=np.int32) * words.itemsize * words.shape[1]
    values = pa.Array.from_buffers(pa.binary(), len(array), [None, pa.py_buffer(ends), pa.py_buffer(words)])
    return pc.if_else(array.is_valid(), values, None) if array.null_count else values


def _groups(type: SqlType) -> tuple[int, int]:
    """How many digits to the base 10,000 stand before and after the decimal point."""
    precision, scale = type.digits
    return -(-(precision - scale) // _BASE_DIGITS), -(-scale // _BASE_DIGITS)


def _magnitude(array: pa.Array, precision: int) -> tuple[npt.NDArray[np.bool_], list[Words]]:
    """Which values are negative, and the absolute values as limbs, the highest first: one of 64 bits, or four of 32."""
    pairs = np.frombuffer(array.buffers()[1] or b"", "<u8", 2 * len(array), array.offset * 16).reshape(-1, 2)
    low, high = pairs[:, 0], pairs[:, 1]
    negative = high.view(np.int64) < 0
    low = np.where(negative, ~low + np.uint64(1), low)
    if precision <= _WORD_DIGITS:
        return negative, [low]
    high = np.where(negative, ~high + (low == 0), high)
    return negative, [half for word in (high, low) for half in (word >> np.uint64(32), word & np.uint64(0xFFFFFFFF))]


def _divided(limbs: Sequence[Words], divisor: int) -> tuple[list[Words], Words]:
    """Divide all values; return the quotients in as many limbs, and the remainders."""
    quotients, rest = [], np.zeros(1, np.uint64)
    for limb in limbs:
        value = limb | (rest << np.uint64(32))
        quotient = value // np.uint64(divisor)
        rest = value - quotient * np.uint64(divisor)
        quotients.append(quotient)
    return quotients, rest


def _needed_decimals(digits: Sequence[Words], rows: int) -> npt.NDArray[np.int64]:
    """How many decimals the values have up to the last that is not 0; `digits` are those after the decimal point."""
    needed = np.zeros(rows, np.int64)
    for place, digit in enumerate(digits):
        zeros = sum(digit % np.uint64(10**n) == 0 for n in range(1, _BASE_DIGITS))
        needed = np.where(digit != 0, (place + 1) * _BASE_DIGITS - zeros, needed)
    return needed
