"""Columns of few values, kept as a dictionary of the values and a code for each row.

A kernel that knows its values makes codes, which cost a tenth of the texts; who needs the texts themselves gets them decoded.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from datagen.arrays import Mask, either

Codes = npt.NDArray[np.signedinteger]

MOST_VALUES = 1 << 15


class Coded:
    """A kernel whose values come from a dictionary: `encode(rows)` gives a dictionary array, or a plain one where it has to."""

    def __init__(self, encode: Callable[..., pa.Array]) -> None:
        self.encode = encode

    def __call__(self, rows: object) -> pa.Array:
        return plain(self.encode(rows))


def code_type(values: int) -> npt.DTypeLike:
    """The narrowest type for the codes of so many values (at most `MOST_VALUES`)."""
    return np.int8 if values <= 1 << 7 else np.int16


def coded(values: pa.Array, codes: Codes, absent: Mask | None = None) -> pa.Array:
    """Return a dictionary array; rows in `absent` are null."""
    codes = np.ascontiguousarray(codes, code_type(len(values)))
    validity = None if absent is None else pa.py_buffer(np.packbits(~absent, bitorder="little"))
    indices = pa.Array.from_buffers(pa.from_numpy_dtype(codes.dtype), len(codes), [validity, pa.py_buffer(codes)])
    return pa.DictionaryArray.from_arrays(indices, values, safe=False)


def is_coded(array: pa.Array) -> bool:
    """Whether an array is a dictionary array."""
    return bool(pa.types.is_dictionary(array.type))


def plain(array: pa.Array) -> pa.Array:
    """Return the values of a dictionary array; any other array as it is."""
    return array.dictionary_decode() if is_coded(array) else array


def codes_of(array: pa.Array) -> tuple[Codes, Mask | None]:
    """Return the codes of a dictionary array, and which rows are null (None for none); the code of a null is 0."""
    indices = array.indices
    absent = np.asarray(indices.is_null()) if indices.null_count else None
    codes = np.asarray(indices.fill_null(0) if absent is not None else indices)
    return codes, absent


def blanked(array: pa.Array, absent: Mask) -> pa.Array:
    """Return a dictionary array with null in the rows of `absent` too."""
    codes, before = codes_of(array)
    return coded(array.dictionary, codes, either(before, absent))
