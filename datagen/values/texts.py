"""Text at array speed: joining, numbers as digits, fitting to a column's length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from datagen.compiling import Context
from datagen.keys import fixed_width_text
from datagen.randomness import Int64
from schemas.types import SqlType

Piece = Any


def pick(values: pa.Array, positions: npt.NDArray[np.integer]) -> pa.Array:
    """Return values by position."""
    return values.take(pa.array(positions))


def join(*pieces: Piece) -> pa.Array:
    """Concatenate arrays and constants row by row."""
    return pc.binary_join_element_wise(*(p if isinstance(p, pa.Array) else pa.scalar(p, pa.string()) for p in pieces), "")


def decimal_places(numbers: Int64, width: int) -> npt.NDArray[np.uint8]:
    """Return the last `width` decimal digits of numbers of 0 or more, most significant first, a row for each."""
    places = np.empty((len(numbers), width), np.uint8)
    rest = numbers
    for i in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        places[:, i] = digit
    return places


def digits(numbers: Int64, width: int) -> pa.Array:
    """Return numbers of 0 or more as decimal text with exactly `width` digits (the last ones)."""
    return fixed_width_text(decimal_places(numbers, width) + np.uint8(ord("0")))


def decimal(numbers: Int64) -> pa.Array:
    """Return whole numbers as decimal text."""
    return pc.cast(pa.array(numbers), pa.string())


def code_points(alphabets: Sequence[str]) -> list[npt.NDArray[np.unsignedinteger]]:
    """Return the characters of each text as numbers, of one type for all: uint8 where all are ASCII, else uint32."""
    narrow = all(a.isascii() for a in alphabets)
    wide = [np.frombuffer(a.encode("utf-32-le"), np.uint32) for a in alphabets]
    return [w.astype(np.uint8) for w in wide] if narrow else list(wide)


def spell(letters: npt.NDArray[np.unsignedinteger], lengths: Int64 | None = None) -> pa.Array:
    """Return the rows of a matrix of code points (as of `code_points`) as texts, each cut to its length."""
    count, width = letters.shape
    if lengths is None:
        if letters.dtype == np.uint8:
            return fixed_width_text(letters)
        lengths = np.full(count, width)
    kept = letters[np.arange(width) < lengths[:, None]]
    ends = np.cumsum(lengths)
    if letters.dtype == np.uint8:
        octets = kept.tobytes()
    else:
        octets = kept.astype("<u4").tobytes().decode("utf-32-le").encode()
        sizes = 1 + (kept >= 0x80).astype(np.int64) + (kept >= 0x800) + (kept >= 0x10000)
        ends = np.concatenate([[0], np.cumsum(sizes)])[ends]
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(octets)])


def fit(values: pa.Array, type: SqlType) -> pa.Array:
    """Cut texts to the length of a varchar or char column, leaving no space at the end of what was cut."""
    if type.length is None:
        return values
    long = pc.greater(pc.utf8_length(values), type.length)
    if not pc.any(long).as_py():
        return values
    return pc.if_else(long, pc.utf8_rtrim_whitespace(pc.utf8_slice_codeunits(values, 0, type.length)), values)


def fit_before(words: pa.Array, tail: pa.Array | str, type: SqlType) -> pa.Array:
    """Join words and a tail that must stay whole, such as a reserved domain; words too long for the column are cut."""
    if type.length is None:
        return join(words, tail)
    width = len(tail) if isinstance(tail, str) else pc.utf8_length(tail)
    long = pc.greater(pc.add(pc.utf8_length(words), width), type.length)
    if pc.any(long).as_py():
        widths = np.full(len(words), width) if isinstance(width, int) else width.to_numpy(zero_copy_only=False)
        for w in np.unique(widths):
            here = pc.and_(long, pa.array(widths == w))
            words = pc.if_else(here, pc.utf8_rtrim(pc.utf8_slice_codeunits(words, 0, max(type.length - int(w), 0)), "-._ "), words)
    return join(words, tail)


def widest_serial(ctx: Context) -> int:
    """How many digits the largest serial number of a table can have."""
    return len(str(2 * max(ctx.rows, 1)))


def with_serial(words: pa.Array, serial: Int64, ctx: Context, between: str) -> pa.Array:
    """Return words, `between` and a number that never repeats; too long words are cut, the number never."""
    number = decimal(serial)
    length = ctx.type.length
    if length is not None:
        words = pc.utf8_slice_codeunits(words, 0, max(length - widest_serial(ctx) - len(between), 0))
    return join(words, between, number)


def require_room(ctx: Context, needed: int, what: str) -> None:
    """Fail where a text of `needed` characters does not fit the column."""
    if ctx.type.length is not None and ctx.type.length < needed:
        ctx.fail(f"{ctx.rows:,} {what} need up to {needed} characters and {ctx.type} has {ctx.type.length}")
