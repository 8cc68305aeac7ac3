"""Values of Arrow arrays in SQLite's storage classes; `schemas.ddl_sqlite` says how each type is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
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


_ENCODERS: dict[str, Callable[[SqlType, pa.Array], list[Any]]] = {
    "real": _float, "double": _float, "boolean": _boolean, "numeric": _numeric, "date": _moment, "timestamp": _moment,
    "timestamptz": _moment, "time": _text_of, "interval": _microseconds, "uuid": _uuid, "array": _array,
}  # fmt: skip
