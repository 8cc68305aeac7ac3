"""Values between Arrow arrays and SQLite's storage classes; `schemas.ddl_sqlite` says how each type is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from provisioning.errors import ConstraintBroken
from schemas.ddl_sqlite_expressions import keeps_as_text
from schemas.model import Column, Table
from schemas.types import SqlType

_YEAR_1, _YEAR_10000 = -62_135_596_800_000_000, 253_402_300_800_000_000
_DAY = 86_400_000_000
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_UUID_DIGITS = [i for i in range(36) if i not in (8, 13, 18, 23)]


class _Unholdable(Exception):
    """A value that SQLite has no place for."""


def encoded(table: Table, column: Column, array: pa.Array) -> list[Any]:
    """Return an array's values as SQLite is to keep them; ConstraintBroken where it cannot keep one."""
    try:
        return _encoded(column.type, array)
    except _Unholdable as error:
        raise ConstraintBroken(f"table '{table.name}', column '{column.name}': {error}") from None


def decoded(type: SqlType, values: Sequence[Any]) -> pa.Array:
    """Return what SQLite gave back in the Arrow type that carries `type`; ArrowInvalid or ValueError where it cannot be."""
    return _DECODERS.get(type.kind, _plain)(type, values)


def _list(array: pa.Array) -> list[Any]:
    values: list[Any] = array.to_pylist()
    return values


def _encoded(type: SqlType, array: pa.Array) -> list[Any]:
    return _ENCODERS[type.kind](type, array) if type.kind in _ENCODERS else _list(array)


def _numbers(array: pa.Array, dtype: str) -> npt.NDArray[Any]:
    return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * np.dtype(dtype).itemsize)


def _with_nulls(values: list[Any], array: pa.Array) -> list[Any]:
    if array.null_count:
        for position in np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False)):
            values[position] = None
    return values


def _float(_: SqlType, array: pa.Array) -> list[Any]:
    if pc.any(pc.is_nan(array)).as_py():
        raise _Unholdable("SQLite holds no NaN")
    return _list(array)


def _boolean(_: SqlType, array: pa.Array) -> list[Any]:
    return _list(array.cast(pa.int8()))


def _numeric(type: SqlType, array: pa.Array) -> list[Any]:
    if keeps_as_text(type):
        texts = array.cast(pa.string())
        small = pc.any(pc.match_substring(texts, "E")).as_py()  # Arrow writes 0.0000001 as 1E-7
        return [t if t is None else format(Decimal(t), "f") for t in texts.to_pylist()] if small else _list(texts)
    units = _numbers(array, "<V16").view("<i8")[::2]
    # one division of whole numbers below 2^53 gives the nearest binary64 number
    values = units.tolist() if not type.decimals else (units / float(10**type.decimals)).tolist()
    return _with_nulls(values, array)


def _moment(type: SqlType, array: pa.Array) -> list[Any]:
    low, high = (_YEAR_1, _YEAR_10000) if type.kind != "date" else (_YEAR_1 // _DAY, _YEAR_10000 // _DAY)
    numbers = array.cast(pa.int64() if type.kind != "date" else pa.int32())
    if pc.any(pc.or_(pc.less(numbers, low), pc.greater_equal(numbers, high))).as_py():
        raise _Unholdable("the text of a date holds the years 1 to 9999 only")
    if type.kind == "timestamptz":
        texts = array.cast(pa.timestamp("us")).cast(pa.string())
        return _list(pc.binary_join_element_wise(texts, "+00:00", ""))
    return _list(array.cast(pa.string()))


def _text_of(_: SqlType, array: pa.Array) -> list[Any]:
    return _list(array.cast(pa.string()))


def _microseconds(_: SqlType, array: pa.Array) -> list[Any]:
    return _list(array.cast(pa.int64()))


def _uuid(_: SqlType, array: pa.Array) -> list[Any]:
    storage = array.storage if isinstance(array, pa.ExtensionArray) else array
    raw = _numbers(storage, "V16").view(np.uint8).reshape(-1, 16)
    texts = np.full((len(array), 36), ord("-"), np.uint8)
    texts[:, _UUID_DIGITS] = np.stack([_HEX[raw >> 4], _HEX[raw & 15]], axis=2).reshape(-1, 32)
    return _with_nulls(texts.view("S36").ravel().astype("U36").tolist(), array)


def _array(type: SqlType, array: pa.Array) -> list[Any]:
    assert type.item is not None
    items = _encoded(type.item, array.flatten())
    if type.item.kind == "bytes":
        items = [None if i is None else i.hex() for i in items]
    lengths = pc.list_value_length(array).to_pylist()
    texts: list[str | None] = []
    start = 0
    for length in lengths:
        if length is None:
            texts.append(None)
        else:
            texts.append(json.dumps(items[start : start + length], ensure_ascii=False, separators=(",", ":")))
            start += length
    return texts


def _plain(type: SqlType, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, type.arrow)


def _decoded_boolean(_: SqlType, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.int8()).cast(pa.bool_())


def _decoded_numeric(type: SqlType, values: Sequence[Any]) -> pa.Array:
    if keeps_as_text(type):
        return pa.array(values, pa.string()).cast(type.arrow)
    numbers = pa.array(values, pa.float64())
    exact = numbers.fill_null(0).to_numpy(zero_copy_only=False)
    units = np.rint(exact * float(10**type.decimals))
    if not np.array_equal(units / float(10**type.decimals), exact):
        raise ValueError("more digits than the type holds")
    wide = np.empty((len(units), 2), np.int64)
    wide[:, 0] = units.astype(np.int64)
    wide[:, 1] = wide[:, 0] >> 63
    mask = None if not numbers.null_count else numbers.is_valid().buffers()[1]
    return pa.Array.from_buffers(type.arrow, len(units), [mask, pa.py_buffer(wide)])


def _decoded_text_of(type: SqlType, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.string()).cast(type.arrow)


def _decoded_time(type: SqlType, values: Sequence[Any]) -> pa.Array:
    moments = pc.binary_join_element_wise("1970-01-01", pa.array(values, pa.string()), " ").cast(pa.timestamp("us"))
    return moments.cast(pa.int64()).cast(type.arrow)


def _decoded_microseconds(type: SqlType, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.int64()).cast(type.arrow)


def _decoded_uuid(type: SqlType, values: Sequence[Any]) -> pa.Array:
    binary = [None if v is None else bytes.fromhex(v.replace("-", "")) for v in values]
    return pa.ExtensionArray.from_storage(type.arrow, pa.array(binary, pa.binary(16)))


def _decoded_array(type: SqlType, values: Sequence[Any]) -> pa.Array:
    assert type.item is not None
    lists = [None if v is None else json.loads(v) for v in values]
    items = [item for found in lists if found is not None for item in found]
    if type.item.kind == "bytes":
        items = [None if i is None else bytes.fromhex(i) for i in items]
    lengths = np.array([0 if found is None else len(found) for found in lists], np.int32)
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    mask = pa.array([found is None for found in lists]) if None in lists else None
    return pa.ListArray.from_arrays(pa.array(offsets), decoded(type.item, items), mask=mask)


_ENCODERS: dict[str, Callable[[SqlType, pa.Array], list[Any]]] = {
    "real": _float, "double": _float, "boolean": _boolean, "numeric": _numeric, "date": _moment, "timestamp": _moment,
    "timestamptz": _moment, "time": _text_of, "interval": _microseconds, "uuid": _uuid, "array": _array,
}  # fmt: skip
_DECODERS: dict[str, Callable[[SqlType, Sequence[Any]], pa.Array]] = {
    "boolean": _decoded_boolean, "numeric": _decoded_numeric, "date": _decoded_text_of, "timestamp": _decoded_text_of,
    "timestamptz": _decoded_text_of, "time": _decoded_time, "interval": _decoded_microseconds, "uuid": _decoded_uuid,
    "array": _decoded_array,
}  # fmt: skip
