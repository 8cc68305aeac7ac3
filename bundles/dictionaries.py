"""Dictionary arrays of texts: which can be taken as they are, and the one order of their values that plain texts would give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_BEGINNING = 4096


def is_sound_dictionary(array: pa.Array, value_type: pa.DataType) -> bool:
    """Whether `array` is a dictionary array of different texts of `value_type`, none of them null."""
    if value_type != pa.string() or not pa.types.is_dictionary(array.type) or array.type.value_type != value_type:
        return False
    values = array.dictionary
    return values.null_count == 0 and len(values) == len(values.unique())


def in_order_of_appearance(arrays: Sequence[pa.Array]) -> pa.DictionaryArray:
    """Return arrays (sound dictionaries, or plain) as one dictionary array of the values that occur, in the order of their first rows."""
    whole = pa.chunked_array([a if pa.types.is_dictionary(a.type) else a.dictionary_encode() for a in arrays]).unify_dictionaries()
    parts = [chunk.indices for chunk in whole.chunks]
    values = whole.chunk(0).dictionary
    absent = np.concatenate([np.asarray(p.is_null()) for p in parts]) if any(p.null_count for p in parts) else None
    codes = np.concatenate([np.asarray(p.fill_null(0) if p.null_count else p) for p in parts])
    order = _order(codes[:_BEGINNING], None if absent is None else absent[:_BEGINNING], len(values))
    if len(order) < len(values):
        order = _order(codes, absent, len(values))
    place = np.zeros(max(len(values), 1), np.int32)  # nulls have the code 0, be there values or none
    place[order] = np.arange(len(order), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(place[codes], mask=absent), values.take(pa.array(order)), safe=False)


def _order(codes: npt.NDArray[np.integer], absent: npt.NDArray[np.bool_] | None, values: int) -> npt.NDArray[np.intp]:
    """The codes that occur, in the order of their first rows."""
    rows = np.arange(len(codes)) if absent is None else np.flatnonzero(~absent)
    first = np.full(values, len(codes))
    first[codes[rows[::-1]]] = rows[::-1]  # of equal places, the last that is written stays
    return np.argsort(first, kind="stable")[: int((first < len(codes)).sum())]
