"""Rows as drivers give them to Python, gathered into batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from masking.source.batches import arrow_schema, without_columns
from masking.source.conditions import with_flags
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


def batch_of(table: str, columns: Sequence[Column], flags: int, rows: Sequence[Any], decode: Decoder) -> pa.RecordBatch:
    """Return rows as a batch typed as the columns are carried, and `flags` truth values after them; SourceFailure where one cannot be."""
    if not columns and not flags:
        return without_columns(len(rows))
    values = list(zip(*rows, strict=True))
    arrays = []
    for column, found in zip(columns, values, strict=False):
        try:
            arrays.append(array_of(column, found, decode))
        except NotCarried as error:
            raise loss(table, column, error) from None
    arrays += [pa.array(map(bool, found), pa.bool_()) for found in values[len(columns) :]]
    return pa.RecordBatch.from_arrays(arrays, schema=with_flags(arrow_schema(columns), flags))
