"""Dictionary arrays of texts: which can be taken as they are, the one order of values that plain texts would give, and their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Octets = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.signedinteger]

_BEGINNING = 4096
_MOST_GROUPS = 1024
_PER_GROUP = 16  # rows at least, or writing the groups out costs more than they save
_MOST_BYTES = 1 << 20


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
    return pa.DictionaryArray.from_arrays(pa.array(place.take(codes), mask=absent), values.take(pa.array(order)), safe=False)


def _order(codes: npt.NDArray[np.integer], absent: npt.NDArray[np.bool_] | None, values: int) -> npt.NDArray[np.intp]:
    """The codes that occur, in the order of their first rows."""
    rows = np.arange(len(codes)) if absent is None else np.flatnonzero(~absent)
    first = np.full(values, len(codes))
    first[codes[rows[::-1]]] = rows[::-1]  # of equal places, the last that is written stays
    return np.argsort(first, kind="stable")[: int((first < len(codes)).sum())]


def lengths_in(values: pa.Array, codes: Codes) -> npt.NDArray[np.uint32]:
    """Return the length in bytes of the text (of `values`, at least one) that each code stands for."""
    sizes = np.diff(_offsets(values)).astype("<u4")
    if (sizes == sizes[0]).all():
        return np.full(len(codes), sizes[0], "<u4")
    found: npt.NDArray[np.uint32] = sizes.take(codes)
    return found


def octets_in(values: pa.Array, codes: Codes) -> Iterator[Octets]:
    """Yield the bytes of the texts (of `values`, at least one) that codes stand for, one after the other.

    Where there are few values, all groups of several of them are written out first, and the codes of as many rows then name one group.
    """
    offsets = _offsets(values)
    if len(values) == offsets[-1] - offsets[0] and (np.diff(offsets) == 1).all():
        yield _octets(values).take(codes)
        return
    size = _group_size(len(values), int(np.diff(offsets).max()), len(codes))
    whole = len(codes) // size * size if size > 1 else 0
    if whole:
        every = np.indices((len(values),) * size, codes.dtype).reshape(size, -1).T.reshape(-1)
        written = values.take(pa.array(every))
        bounds = np.ascontiguousarray(_offsets(written)[::size])
        groups = pa.Array.from_buffers(pa.string(), len(bounds) - 1, [None, pa.py_buffer(bounds), written.buffers()[2]])
        powers = len(values) ** np.arange(size - 1, -1, -1, dtype=np.int16)
        yield _octets(groups.take(pa.array(codes[:whole].reshape(-1, size) @ powers)))
    yield _octets(values.take(pa.array(codes[whole:])))


def _group_size(values: int, longest: int, rows: int) -> int:
    """How many rows one group stands for; 1 where groups do not pay."""
    size = 1
    while (
        values > 1
        and values ** (size + 1) <= min(_MOST_GROUPS, rows // _PER_GROUP)
        and values ** (size + 1) * (size + 1) * longest <= _MOST_BYTES
    ):
        size += 1
    return size


def _offsets(texts: pa.Array) -> npt.NDArray[np.int32]:
    return np.frombuffer(texts.buffers()[1], "<i4", len(texts) + 1, texts.offset * 4)


def _octets(texts: pa.Array) -> Octets:
    offsets, data = _offsets(texts), texts.buffers()[2]
    return np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)[int(offsets[0]) : int(offsets[-1])]
