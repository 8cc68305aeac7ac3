"""Parquet files: one chunk of one table each.

The writer's options are fixed here and depend on the table alone, so that one version of pyarrow always writes the same
bytes. The Arrow schema is not stored in the file: the bundle's own schema says how to read it. All types but one have a
Parquet type of their own; an interval is an INT64 of microseconds.

Whole numbers of 32 or 64 bits, as which numerics of up to 18 digits and times are stored too, are delta-packed: that is smaller
than zstd makes them, at a third of the time. Texts that repeat in the first rows of a file get a dictionary; texts and floats are
compressed. Statistics stand where they help a reader to skip rows: at numbers and times.

A dictionary that a source hands over is written as it is, but for the order of its values (that of their first rows), so that
the file is the one that plain texts would give.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bundles.conforming import typed
from bundles.dictionaries import in_order_of_appearance
from bundles.digest import BLOCK_ROWS
from bundles.errors import BundleDamaged
from bundles.layout import missing
from schemas.model import Table
from schemas.types import FLOATS, INTEGERS, TEXTS, SqlType

_GROUP_ROWS = 2 * BLOCK_ROWS
# to be stepped where the bytes of files change by anything but `_options`, so that builds do not take over files of the old kind
_REVISION = 1
_SAMPLE = 4096
_BATCH_ROWS = 4096
_PAGE_BYTES = 3 << 17  # texts are compressed while they are in the processor's cache; codes of a whole group take less
_REPEATING = (*TEXTS, "enum", "json")
_WHOLE = (*INTEGERS, "date", "time", "timestamp", "timestamptz", "interval")


def encoded(table: Table, batch: pa.RecordBatch) -> pa.Buffer:
    """Return the Parquet file of a conformed batch."""
    sink = pa.BufferOutputStream()
    file = ChunkFile(table, sink)
    file.add(batch)
    file.finish()
    return sink.getvalue()


class ChunkFile:
    """The Parquet file of one chunk, written into `sink` while its conformed batches come."""

    def __init__(self, table: Table, sink: pa.NativeFile) -> None:
        self._table = table
        self._sink = sink
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the next rows."""
        while True:
            taken = batch.slice(0, _GROUP_ROWS - self._waiting_rows)
            batch = batch.slice(taken.num_rows)
            self._waiting.append(taken)
            self._waiting_rows += taken.num_rows
            if self._waiting_rows == _GROUP_ROWS:
                self._write_group()
            if not batch.num_rows:
                return

    def finish(self) -> None:
        """Write the end of the file; the sink stays open."""
        if self._waiting_rows or self._writer is None:
            self._write_group()
        assert self._writer is not None
        self._writer.close()

    def _write_group(self) -> None:
        columns = [[batch.column(i) for batch in self._waiting] for i in range(len(self._table.stored_columns))]
        self._waiting, self._waiting_rows = [], 0
        if self._writer is None:
            self._open(columns)
            assert self._writer is not None
        written = [_written(arrays, field.type) for arrays, field in zip(columns, self._writer.schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(written, schema=self._writer.schema), row_group_size=_GROUP_ROWS)

    def _open(self, columns: list[list[pa.Array]]) -> None:
        """Choose how each column is stored, by its type and its first rows."""
        table = self._table
        repeating = {c.name for c, arrays in zip(table.stored_columns, columns, strict=True) if _repeats(table, c.name, c.type, arrays[0])}
        fields = [
            pa.field(c.name, _written_type(c.type, arrays[0].type, c.name in repeating), c.nullable)
            for c, arrays in zip(table.stored_columns, columns, strict=True)
        ]
        self._writer = pq.ParquetWriter(self._sink, pa.schema(fields), **_options(table, repeating))


def _codec(type: SqlType, repeats: bool) -> str:
    """Nothing for what is packed; for texts that do not repeat the codec that takes two thirds of the time of zstd."""
    if _is_packed(type):
        return "none"
    return "snappy" if type.kind in TEXTS and not repeats else "zstd"


def _written_type(type: SqlType, given: pa.DataType, repeats: bool) -> pa.DataType:
    """The Arrow type in which the writer takes a column fastest; it has no trace in the file."""
    if repeats and pa.types.is_dictionary(given):
        return pa.dictionary(pa.int32(), given.value_type)
    if type.kind == "numeric" and _is_packed(type):
        return pa.decimal64(type.arrow.precision, type.arrow.scale)
    return type.arrow


def _written(arrays: list[pa.Array], type: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_dictionary(type):
        return pa.chunked_array([in_order_of_appearance(arrays)], type)
    if pa.types.is_decimal64(type):
        return pa.chunked_array([_narrowed(array, type) for array in arrays], type)
    return pa.chunked_array([a.dictionary_decode() if pa.types.is_dictionary(a.type) else a for a in arrays], type)


def _narrowed(array: pa.Array, type: pa.DataType) -> pa.Array:
    """Decimals of up to 18 digits in half their width."""
    if not len(array):
        return pa.array([], type)
    halves = np.frombuffer(array.buffers()[1], "<i8")[2 * array.offset :][: 2 * len(array) : 2]
    validity = array.is_valid().buffers()[1] if array.null_count else None
    return pa.Array.from_buffers(type, len(array), [validity, pa.py_buffer(np.ascontiguousarray(halves))])


def settings(table: Table) -> Mapping[str, Any]:
    """Return what the bytes of the table's files depend on, beside its values and the types and order of its columns."""
    return {"writer": f"Arrow C++ {pa.cpp_version}", "row group": _GROUP_ROWS, "revision": _REVISION, "options": _options(table, ())}


def _options(table: Table, repeating: Collection[str]) -> dict[str, Any]:
    """How the writer stores the columns of a table, of which those in `repeating` get a dictionary."""
    codecs = {c.name: _codec(c.type, c.name in repeating) for c in table.stored_columns}
    return {
        "version": "2.6",
        "data_page_version": "1.0",
        "compression": codecs,
        "compression_level": {name: 1 for name, codec in codecs.items() if codec == "zstd"},
        "use_dictionary": [c.name for c in table.stored_columns if c.name in repeating],
        "column_encoding": {c.name: "DELTA_BINARY_PACKED" for c in table.stored_columns if _is_packed(c.type)},
        "store_decimal_as_integer": True,
        "write_statistics": [c.name for c in table.stored_columns if c.type.kind in (*_WHOLE, *FLOATS, "numeric")],
        "store_schema": False,
        "write_batch_size": _BATCH_ROWS,
        "data_page_size": _PAGE_BYTES,
        "max_rows_per_page": _GROUP_ROWS,  # a dictionary that grows from page to page would show in them
    }


def decoded(table: Table, path: Path) -> Iterator[pa.RecordBatch]:
    """Read a chunk in batches of at most 65,536 rows; BundleDamaged where it is missing or cannot be read."""
    if absent := missing(path):
        raise BundleDamaged(f"blob sha256:{path.name} with rows of table '{table.name}' {absent}")
    try:
        with pq.ParquetFile(path) as file:
            if file.schema_arrow.names != table.arrow.names:
                raise BundleDamaged(f"blob sha256:{path.name} does not have the columns of table '{table.name}'")
            for batch in file.iter_batches(BLOCK_ROWS):
                arrays = [typed(c.type, batch.column(i)) for i, c in enumerate(table.stored_columns)]
                yield pa.RecordBatch.from_arrays(arrays, schema=table.arrow)
    except (pa.ArrowException, OSError) as error:
        raise BundleDamaged(
            f"blob sha256:{path.name} with rows of table '{table.name}' cannot be read ({type(error).__name__}); "
            "`companyos bundle verify` says more"
        ) from None


def _repeats(table: Table, name: str, type: SqlType, first: pa.Array) -> bool:
    """Whether a dictionary pays: the values are texts or uuids of others, and the first rows hold each twice or more."""
    if type.kind == "uuid":
        return table.foreign_key_of(name) is not None and not table.is_unique(name)
    if type.kind not in _REPEATING or table.is_unique(name):
        return False
    sample = first.slice(0, _SAMPLE)
    distinct: int = pc.count_distinct(sample.indices if pa.types.is_dictionary(sample.type) else sample).as_py()
    return 2 * distinct <= len(sample)


def _is_packed(type: SqlType) -> bool:
    return type.kind in _WHOLE or (type.kind == "numeric" and type.precision is not None and type.precision <= 18)
