"""Letters and digits of a whole column of texts, hidden but for the first and last few."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from masking.canonical import validity

Bools = np.ndarray[Any, np.dtype[np.bool_]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
_PAGE = 256


def hidden(values: pa.Array, mark: str, *, first: int = 0, last: int = 0, at_least: int = 0, all_signs: bool = False) -> pa.Array:
    """Return texts (`string`) in which `mark`, one character, stands for every letter and digit but the `first` and `last` of each.

    Letters, digits and the marks on them are told by Unicode's general category (L, N, M), of any script; with `all_signs` every
    character counts as one. Where fewer than `at_least` would be hidden, all are. Nulls stay.
    """
    characters, starts = _characters(values)
    counted = np.ones(len(characters), bool) if all_signs else _is_sign(characters)
    before = np.concatenate([[0], np.cumsum(counted)])  # signs before each character, over all texts
    row = np.repeat(np.arange(len(values)), np.diff(starts))
    total = before[starts[1:]] - before[starts[:-1]]
    rank = before[:-1] - before[starts[row]]
    kept = (rank < first) | (rank >= (total - last)[row])
    kept &= (np.maximum(total - first - last, 0) >= at_least)[row]
    masked = np.where(counted & ~kept, np.uint32(ord(mark)), characters)
    return _texts(masked, starts, values)


def _characters(values: pa.Array) -> tuple[np.ndarray[Any, np.dtype[np.uint32]], Ints]:
    """The code points of all texts, one after the other, and where each text begins and the last ends; null is empty."""
    if values.null_count:
        values = values.fill_null("")
    if not len(values):
        return np.empty(0, np.uint32), np.zeros(1, np.int64)
    offsets = np.frombuffer(values.buffers()[1], np.int32)[values.offset : values.offset + len(values) + 1].astype(np.int64)
    buffer = values.buffers()[2]
    raw = np.frombuffer(buffer, np.uint8)[offsets[0] : offsets[-1]] if buffer is not None else np.empty(0, np.uint8)
    begins = np.concatenate([[0], np.cumsum((raw & 0xC0) != 0x80)])
    characters = np.frombuffer(raw.tobytes().decode().encode("utf-32-le"), np.uint32)
    return characters, begins[offsets - offsets[0]]


def _texts(characters: np.ndarray[Any, np.dtype[np.uint32]], starts: Ints, like: pa.Array) -> pa.Array:
    sizes = 1 + (characters >= 0x80).astype(np.int64) + (characters >= 0x800) + (characters >= 0x10000)
    offsets = np.concatenate([[0], np.cumsum(sizes)])[starts]
    data = characters.astype("<u4").tobytes().decode("utf-32-le").encode()
    valid = validity(like)
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.LargeStringArray.from_buffers(len(like), pa.py_buffer(offsets), pa.py_buffer(data), bitmap).cast(pa.string())


def _is_sign(characters: np.ndarray[Any, np.dtype[np.uint32]]) -> Bools:
    signs = np.zeros(len(characters), bool)
    pages = characters // _PAGE
    for page in np.unique(pages).tolist():
        there = pages == page
        signs[there] = _signs_of(page)[characters[there] % _PAGE]
    return signs


@cache
def _signs_of(page: int) -> Bools:
    return np.array([unicodedata.category(chr(page * _PAGE + i))[0] in "LNM" for i in range(_PAGE)])
