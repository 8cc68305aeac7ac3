"""Values of PostgreSQL as queries ask for them and ADBC gives them, and as the columns' Arrow types carry them.

Every column is cast to the one type of PostgreSQL that its Arrow type stands for, so that domains, `money`, `timetz` and types
that only a text can carry need no case of their own. Columns of which a value may lose something on the way (arrays of several
dimensions, intervals with months) come with a second one that says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.source.losses import NotCarried
from schemas.ddl_names import quoted
from schemas.decimal_texts import decimals
from schemas.model import Column, Table
from schemas.types import SqlType

_CAST = {
    "smallint": "int2", "integer": "int4", "bigint": "int8", "real": "float4", "double": "float8", "numeric": "numeric", "text": "text",
    "varchar": "text", "char": "text", "boolean": "bool", "date": "date", "time": "time", "timestamp": "timestamp",
    "timestamptz": "timestamptz", "uuid": "uuid", "json": "text", "bytes": "bytea", "enum": "text",
}  # fmt: skip
_COLLATABLE = ("text", "varchar", "bpchar", "name", "citext")
# days and microseconds since 1970 of the first that PostgreSQL has; what is earlier is an infinity, or ran over
_FIRST_DAY, _FIRST_MICROSECOND = -2_440_588, -210_866_803_200_000_000
_DAY_MICROSECONDS = 86_400_000_000


def asked(column: Column, base: str) -> list[str]:
    """Return the expressions that ask for a column of the table `t`, whose type (beneath its domain) is called `base`."""
    name, type = f"t.{quoted(column.name)}", column.type
    if type.kind == "array" and type.item is not None:
        return [_array(name, type.item), _guarded_array(name, type.item)]
    if type.kind == "interval":
        return [f"CASE WHEN isfinite({name}) THEN {_microseconds(name)} END", f"{_inexact(name)}"]
    if type.kind == "json" and base.startswith("_"):
        return [f"to_json({name})::text"]
    if type.kind == "json" and base == "hstore":
        return [f"{name}::json::text"]
    if base == "inet":  # the cast writes the mask of a single address too, which its own text does not
        return [f"CASE WHEN masklen({name}) = CASE family({name}) WHEN 4 THEN 32 ELSE 128 END THEN host({name}) ELSE {name}::text END"]
    return [f"{name}::{_CAST[type.kind]}"]


def order(table: Table, bases: Sequence[str]) -> str:
    """Return the ORDER BY clause of a table's key, bytewise for texts, whose columns' types are called `bases`."""
    terms = [f"t.{quoted(name)}{' COLLATE ' + quoted('C') if base in _COLLATABLE else ''}" for name, base in zip(table.key, bases)]
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def carried(column: Column, arrays: Sequence[pa.Array]) -> pa.Array:
    """Return what came for the expressions of `asked` in the Arrow type of the column; raises NotCarried."""
    type, array = column.type, arrays[0]
    if len(arrays) > 1 and pc.any(arrays[1]).as_py():
        if type.kind == "array" and type.item is not None and type.item.kind != "interval":
            raise NotCarried("an array of several dimensions")
        raise NotCarried("an interval that is infinite or has months or years, which have no fixed length")
    try:
        return _carried(type, array)
    except pa.ArrowException:
        raise NotCarried(f"a value that is no {type}") from None


def _array(name: str, item: SqlType) -> str:
    if item.kind == "interval":
        return (
            f"CASE WHEN {name} IS NOT NULL THEN ARRAY(SELECT CASE WHEN isfinite(i) THEN {_microseconds('i')} END "
            f"FROM unnest({name}) WITH ORDINALITY u(i, n) ORDER BY n) END"
        )
    return f"{name}::{_CAST[item.kind]}[]"


def _guarded_array(name: str, item: SqlType) -> str:
    if item.kind == "interval":
        return f"(array_ndims({name}) > 1 OR EXISTS (SELECT FROM unnest({name}) i WHERE {_inexact('i')}))"
    return f"(array_ndims({name}) > 1)"


def _microseconds(interval: str) -> str:
    # as nanoseconds, which is what ADBC makes of them, long intervals overflow
    return f"(extract(epoch FROM {interval}) * 1000000)::bigint"


def _inexact(interval: str) -> str:
    return f"(NOT isfinite({interval}) OR extract(year FROM {interval}) <> 0 OR extract(month FROM {interval}) <> 0)"


def _carried(type: SqlType, array: pa.Array) -> pa.Array:
    if type.kind == "array" and type.item is not None:
        items = _carried(type.item, array.flatten())
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
        return pa.ListArray.from_arrays(pa.array(offsets), items, type.arrow, mask=array.is_null() if array.null_count else None)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if type.kind == "numeric":
        return _numeric(type, array)
    if type.kind == "uuid":
        return pa.ExtensionArray.from_storage(type.arrow, array.cast(pa.binary(16)))
    if type.kind in ("date", "timestamp", "timestamptz"):
        numbers = array.view(pa.int32() if type.kind == "date" else pa.int64())
        if pc.any(pc.less(numbers, _FIRST_DAY if type.kind == "date" else _FIRST_MICROSECOND)).as_py():
            raise NotCarried(f"an infinite {type.kind}, or one too far in the future")
    if type.kind == "time" and pc.any(pc.greater_equal(array.view(pa.int64()), _DAY_MICROSECONDS)).as_py():
        raise NotCarried("the time 24:00")
    return array.cast(type.arrow)


def _numeric(type: SqlType, texts: pa.Array) -> pa.Array:
    try:
        return decimals(texts, type.arrow)
    except pa.ArrowException:
        if pc.any(pc.match_substring_regex(texts, "(?i)nan|inf")).as_py():
            raise NotCarried("a numeric that is no number (NaN or infinite)") from None
        raise NotCarried(f"a numeric with more digits than the {type.arrow.precision - type.arrow.scale} before and {type.arrow.scale} "
                         "after the point that there is room for") from None  # fmt: skip
