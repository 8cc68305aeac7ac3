"""Values that SQLite keeps in the form of `schemas.ddl_sqlite`, as Arrow arrays."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.ddl_sqlite_expressions import keeps_as_text
from schemas.decimal_texts import decimals
from schemas.types import SqlType


def decoded(type: SqlType, values: Sequence[Any]) -> pa.Array:
    """Return what SQLite gave back in the Arrow type that carries `type`; ArrowInvalid or ValueError where it cannot be."""
    return _DECODERS.get(type.kind, _plain)(type, values)


def _plain(type: SqlType, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, type.arrow)


def _decoded_boolean(_: SqlType, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.int8()).cast(pa.bool_())


def _decoded_numeric(type: SqlType, values: Sequence[Any]) -> pa.Array:
    if keeps_as_text(type):
        return decimals(pa.array(values, pa.string()), type.arrow)
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


_DECODERS: dict[str, Callable[[SqlType, Sequence[Any]], pa.Array]] = {
    "boolean": _decoded_boolean, "numeric": _decoded_numeric, "date": _decoded_text_of, "timestamp": _decoded_text_of,
    "timestamptz": _decoded_text_of, "time": _decoded_time, "interval": _decoded_microseconds, "uuid": _decoded_uuid,
    "array": _decoded_array,
}  # fmt: skip
