"""Lists as PostgreSQL's binary arrays, a column at a time.

A binary array is, in big-endian words of 32 bits: the number of dimensions (0 where there are no items), a flag for nulls that
the server finds out for itself, the type of the items and, for each dimension, the number of items and the index of the first;
then, for each item, its length in bytes (-1 for a null) and its bytes. Source: `array_recv` and `array_send` in PostgreSQL's
`utils/adt/arrayfuncs.c`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from provisioning.loaders.postgresql_numeric import binary_numerics
from schemas.types import SqlType

# of PostgreSQL's `pg_type.dat`; the values of an enum come as texts, whatever the number of its type
_NUMBERS = {
    "smallint": 21, "integer": 23, "bigint": 20, "real": 700, "double": 701, "numeric": 1700, "boolean": 16, "text": 25,
    "varchar": 1043, "char": 1042, "enum": 25, "json": 3802, "bytes": 17, "uuid": 2950, "date": 1082, "time": 1083,
    "timestamp": 1114, "timestamptz": 1184, "interval": 1186,
}  # fmt: skip
_EPOCH_DAYS = 10_957  # PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01
_EPOCH_MICROSECONDS = _EPOCH_DAYS * 86_400_000_000
_JSONB_VERSION = b"\x01"
_NULL = b"\xff\xff\xff\xff"
_NO_DIMENSION = 3  # words of the header of an array without items

Values = npt.NDArray[Any]


def binary_arrays(type: SqlType, array: pa.ListArray) -> pa.Array:
    """Return lists of items of `type` in the binary form of arrays."""
    items = array.flatten()
    counts = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])
    lists = pa.ListArray.from_arrays(pa.array(offsets), _fields(binary_items(type, items)))
    header = np.ones((len(array), 5), ">i4")  # the first item has the index 1
    header[:, 0] = counts > 0
    header[:, 1] = 0
    header[:, 2] = _NUMBERS[type.kind]
    header[:, 3] = counts
    headers = pc.if_else(pa.array(counts > 0), _fixed(header), _fixed(header[:, :_NO_DIMENSION]))
    whole = pc.binary_join_element_wise(headers, pc.binary_join(lists, b""), b"")
    return pc.if_else(array.is_valid(), whole, None) if array.null_count else whole


def binary_items(type: SqlType, array: pa.Array) -> pa.Array:
    """Return values that are no arrays in the form in which the server reads them, as an Arrow array of binary."""
    if type.kind == "numeric":
        return binary_numerics(type, array)
    if type.kind == "json":
        return binary_documents(array)
    if type.kind in _WIDTHS:
        dtype, converted = _WIDTHS[type.kind]
        values = _fixed(converted(_plain(array)).astype(dtype))
        return pc.if_else(array.is_valid(), values, None)
    return (array.storage if isinstance(array, pa.ExtensionArray) else array).cast(pa.binary())


def binary_documents(array: pa.Array) -> pa.Array:
    """Return JSON texts in the binary form of jsonb, which begins with the number of its version."""
    return pc.binary_join_element_wise(_JSONB_VERSION, array.cast(pa.binary()), b"")


def _same(values: Values) -> Values:
    return values


def _since_2000(values: Values) -> Values:
    return values - np.int64(_EPOCH_MICROSECONDS)


def _days_since_2000(values: Values) -> Values:
    return values - np.int32(_EPOCH_DAYS)


def _without_days_and_months(values: Values) -> Values:
    return np.stack([values, np.zeros_like(values)], axis=1)


_WIDTHS: dict[str, tuple[str, Callable[[Values], Values]]] = {
    "smallint": (">i2", _same),
    "integer": (">i4", _same),
    "bigint": (">i8", _same),
    "real": (">f4", _same),
    "double": (">f8", _same),
    "boolean": ("u1", _same),
    "date": (">i4", _days_since_2000),
    "time": (">i8", _same),
    "timestamp": (">i8", _since_2000),
    "timestamptz": (">i8", _since_2000),
    "interval": (">i8", _without_days_and_months),
}


def _plain(array: pa.Array) -> Values:
    """The values as NumPy has them, times as whole numbers; what stands for nulls does not matter."""
    if pa.types.is_temporal(array.type):
        array = array.view(pa.int32() if pa.types.is_date32(array.type) else pa.int64())
    values: Values = array.fill_null(False if pa.types.is_boolean(array.type) else 0).to_numpy(zero_copy_only=False)
    return values


def _fields(items: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.binary_length(items), 0).to_numpy(zero_copy_only=False)
    fields = pc.binary_join_element_wise(_fixed(lengths.astype(">i4")), items, b"")
    return pc.fill_null(fields, pa.scalar(_NULL, pa.binary()))


def _fixed(rows: Values) -> pa.Array:
    """One binary value for each row: all its bytes."""
    ends = np.arange(len(rows) + 1, dtype=np.int32) * np.int32(rows[:1].nbytes)
    return pa.Array.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(rows))])
