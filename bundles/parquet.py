"""Parquet files: one chunk of one table each.

The writer's options are fixed here and depend on the table alone, so that one version of pyarrow always writes the same
bytes. The Arrow schema is not stored in the file: the bundle's own schema says how to read it. All types but one have a
Parquet type of their own; an interval is an INT64 of microseconds.

Whole numbers of 32 or 64 bits, as which numerics of up to 18 digits and times are stored too, are delta-packed: that is smaller
than zstd makes them, at a third of the time. What repeats gets a dictionary; texts and floats are compressed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bundles.digest import BLOCK_ROWS
from bundles.encoding import relisted, storage
from bundles.errors import BundleDamaged, ContentInvalid, SourceInvalid
from schemas.model import Table
from schemas.types import INTEGERS, TEXTS, SqlType

_GROUP_ROWS = 2 * BLOCK_ROWS
# to be stepped where the bytes of files change by anything but `_options`, so that builds do not take over files of the old kind
_REVISION = 1
_REPEATING = (*TEXTS, "enum", "json")
_WHOLE = (*INTEGERS, "date", "time", "timestamp", "timestamptz", "interval")


def conformed(table: Table, batch: pa.RecordBatch, first_row: int) -> pa.RecordBatch:
    """Return `batch` with exactly the Arrow schema of `table`.

    Dictionaries and 64-bit offsets are undone; SourceInvalid names the column where the type is another or the column is
    missing or unknown, ContentInvalid the first row where a NOT NULL column has a null.
    """
    for name in batch.schema.names:
        if not table.has(name) or table.column(name).computed is not None:
            raise SourceInvalid(f"table '{table.name}' comes with a column '{name}' that its schema does not store")
    arrays = []
    for field, column in zip(table.arrow, table.stored_columns, strict=True):
        if batch.schema.names.count(field.name) != 1:
            raise SourceInvalid(f"table '{table.name}' comes without its column '{field.name}', or with two of them")
        array = batch.column(field.name)
        if array.null_count and not field.nullable:
            row = first_row + array.is_null().index(True).as_py()
            raise ContentInvalid(f"table '{table.name}', column '{field.name}', row {row}: null in a column that is NOT NULL")
        if array.type != field.type:
            if not _carries(array.type, field.type):
                raise SourceInvalid(
                    f"table '{table.name}', column '{field.name}' comes as {array.type}, but {column.type} is carried as {field.type}"
                )
            array = typed(column.type, array)
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=table.arrow)


def typed(type: SqlType, array: pa.Array) -> pa.Array:
    """Return `array`, as a Parquet file or a lenient source gives it, in the Arrow type that carries `type`."""
    target = type.arrow
    if array.type == target:
        return array
    stored = storage(type, array)
    if type.kind == "uuid":
        return pa.ExtensionArray.from_storage(target, stored)
    if type.kind == "array":
        assert type.item is not None
        return relisted(stored, typed(type.item, stored.flatten()))
    return stored if stored.type == target else stored.cast(target)


def encoded(table: Table, batch: pa.RecordBatch) -> pa.Buffer:
    """Return the Parquet file of a conformed batch."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.arrow, **_options(table)) as writer:
        writer.write_batch(batch, row_group_size=_GROUP_ROWS)
    return sink.getvalue()


def settings(table: Table) -> Mapping[str, Any]:
    """Return what the bytes of the table's files depend on, beside its values and the types and order of its columns."""
    return {"writer": f"Arrow C++ {pa.cpp_version}", "row group": _GROUP_ROWS, "revision": _REVISION, "options": _options(table)}


def _options(table: Table) -> dict[str, Any]:
    packed = [c.name for c in table.stored_columns if _is_packed(c.type)]
    return {
        "version": "2.6",
        "data_page_version": "1.0",
        "compression": {c.name: "none" if _is_packed(c.type) else "zstd" for c in table.stored_columns},
        "compression_level": {c.name: 1 for c in table.stored_columns if not _is_packed(c.type)},
        "use_dictionary": [c.name for c in table.stored_columns if _repeats(table, c.name, c.type)],
        "column_encoding": dict.fromkeys(packed, "DELTA_BINARY_PACKED"),
        "store_decimal_as_integer": True,
        "write_statistics": True,
        "store_schema": False,
    }


def decoded(table: Table, path: Path) -> Iterator[pa.RecordBatch]:
    """Read a chunk in batches of at most 65,536 rows; BundleDamaged where it is missing or cannot be read."""
    try:
        with pq.ParquetFile(path) as file:
            if file.schema_arrow.names != table.arrow.names:
                raise BundleDamaged(f"blob sha256:{path.name} does not have the columns of table '{table.name}'")
            for batch in file.iter_batches(BLOCK_ROWS):
                arrays = [typed(c.type, batch.column(i)) for i, c in enumerate(table.stored_columns)]
                yield pa.RecordBatch.from_arrays(arrays, schema=table.arrow)
    except FileNotFoundError:
        raise BundleDamaged(f"blob sha256:{path.name} with rows of table '{table.name}' is missing") from None
    except (pa.ArrowException, OSError) as error:
        raise BundleDamaged(
            f"blob sha256:{path.name} with rows of table '{table.name}' cannot be read ({type(error).__name__}); "
            "`companyos bundle verify` says more"
        ) from None


def _repeats(table: Table, name: str, type: SqlType) -> bool:
    """Whether a dictionary pays: the values are texts or uuids of others, and not all different."""
    return not table.is_unique(name) and (type.kind in _REPEATING or (type.kind == "uuid" and table.foreign_key_of(name) is not None))


def _is_packed(type: SqlType) -> bool:
    return type.kind in _WHOLE or (type.kind == "numeric" and type.precision is not None and type.precision <= 18)


def _carries(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether `given` is `wanted` but for dictionaries, run-ends and the width of offsets."""
    if given == wanted:
        return True
    if isinstance(given, (pa.DictionaryType, pa.RunEndEncodedType)):
        return _carries(given.value_type, wanted)
    if pa.types.is_large_string(given) or pa.types.is_large_binary(given):
        return bool(wanted == (pa.string() if pa.types.is_large_string(given) else pa.binary()))
    if pa.types.is_list(wanted) and (pa.types.is_list(given) or pa.types.is_large_list(given)):
        return _carries(given.value_type, wanted.value_type)
    return False
