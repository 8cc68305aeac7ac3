"""Values between Arrow arrays and PostgreSQL, as ADBC sends them by binary COPY and gives them back."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from provisioning.errors import ReadBackDiffers
from provisioning.loaders.postgresql_arrays import binary_arrays, binary_items
from provisioning.loaders.postgresql_json import sorted_members
from schemas.ddl_names import quoted
from schemas.decimal_texts import decimals
from schemas.model import Column, Table
from schemas.types import SqlType

# what fits the buffer of a local socket: the server then works on one piece while the driver encodes the next
_PIECE_BYTES = 65_536
_ROW_BYTES, _FIELD_BYTES = 2, 4  # what binary COPY adds
# given to ADBC as the bytes that the server reads: it takes documents for texts, alters some numerics, and nulls in arrays
_ENCODED = ("json", "numeric", "array")
_AS_TEXT = ("enum", "json", "char")


def sent(table: Table, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch in the form in which ADBC is to send it."""
    columns = zip(table.stored_columns, batch.columns, strict=True)
    return pa.RecordBatch.from_arrays([_sent(column.type, array) for column, array in columns], schema=sent_schema(table))


def pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch into small ones."""
    if batch.num_rows:
        size = batch.nbytes + batch.num_rows * (_ROW_BYTES + _FIELD_BYTES * batch.num_columns)
        rows = max(1, _PIECE_BYTES * batch.num_rows // size)
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows)


def sent_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema in which ADBC is given a table's rows."""
    return pa.schema([pa.field(c.name, _sent_type(c.type)) for c in table.stored_columns])


def read_back_query(table: Table, source: str) -> str:
    """Return the query that gives a table's rows in a form from which `given_back` makes the Arrow types."""
    return f"SELECT {', '.join(_asked(column) for column in table.stored_columns)} FROM {source}"


def given_back(table: Table, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch of the read-back query in Arrow types that carry the columns; ReadBackDiffers where a value does not fit."""
    arrays = []
    for column, array in zip(table.stored_columns, batch.columns, strict=True):
        try:
            arrays.append(_carried(column.type, array))
        except pa.ArrowException:
            raise ReadBackDiffers(
                f"table '{table.name}', column '{column.name}': PostgreSQL gives back a value that is no {column.type}"
            ) from None
    return pa.RecordBatch.from_arrays(arrays, names=[c.name for c in table.stored_columns])


def _sent_type(type: SqlType) -> pa.DataType:
    return pa.binary() if type.kind in _ENCODED else type.arrow


def _sent(type: SqlType, array: pa.Array) -> pa.Array:
    if type.kind == "array" and type.item is not None:
        return binary_arrays(type.item, array)
    return binary_items(type, array) if type.kind in _ENCODED else array


def _asked(column: Column) -> str:
    name, type = quoted(column.name), column.type
    item = type.item if type.kind == "array" else None
    if type.kind in _AS_TEXT:
        return f"{name}::text"
    if type.kind == "interval":
        return f"{_microseconds(name)}"
    if item is not None and item.kind in (*_AS_TEXT, "numeric"):
        return f"{name}::text[]"
    if item is not None and item.kind == "interval":
        return (
            f"CASE WHEN {name} IS NOT NULL THEN ARRAY(SELECT {_microseconds('i')} "
            f"FROM unnest({name}) WITH ORDINALITY u(i, n) ORDER BY n) END"
        )
    return name


def _microseconds(interval: str) -> str:
    # as nanoseconds, which is what ADBC makes of them, long intervals overflow
    return f"(extract(epoch FROM {interval}) * 1000000)::bigint"


def _carried(type: SqlType, array: pa.Array) -> pa.Array:
    if type.kind == "numeric":  # the driver gives it as text, under a type that says so
        return decimals(array.storage if isinstance(array, pa.ExtensionArray) else array, type.arrow)
    return sorted_members(array) if type.kind == "json" else array
