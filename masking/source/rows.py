"""Rows as drivers give them to Python, gathered into batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from masking.source.losses import NotCarried, loss
from masking.source.row_values import Decoder, array_of
from schemas.model import Column

_ROWS = 16_384
_BYTES = 16 << 20


def gathered(fetch: Callable[[int], Sequence[Any]], step: int) -> Iterator[list[Any]]:
    """Fetch rows, `step` at a time, and hand over as many as make a batch: at most 16,384 and, but for one step, 16 MiB."""
    held: list[Any] = []
    size = 0
    while rows := fetch(min(step, _ROWS)):
        held += rows
        if step < _ROWS:
            size += sum(len(value) for row in rows for value in row if isinstance(value, (str, bytes)))
        if len(held) + step > _ROWS or size >= _BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def batch_of(table: str, columns: Sequence[Column], rows: Sequence[Any], decode: Decoder) -> pa.RecordBatch:
    """Return rows as a batch typed as the columns are carried; SourceFailure where a value cannot be."""
    schema = arrow_schema(columns)
    if not columns:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(rows), pa.struct([])))
    arrays = []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        try:
            arrays.append(array_of(column, values, decode))
        except NotCarried as error:
            raise loss(table, column, error) from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema that carries some columns of a table."""
    return pa.schema([pa.field(c.name, c.type.arrow, nullable=c.nullable) for c in columns])
