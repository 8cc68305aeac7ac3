"""The sizes of batches: small enough that several of them fit any budget of memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from masking.source.base import Progress
from schemas.model import Column

MAX_ROWS = 65_536
MAX_BYTES = 32 << 20


def cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch into ones of at most 65,536 rows and 32 MiB; a row that has more stands alone."""
    for start in range(0, batch.num_rows, MAX_ROWS):
        yield from _halved(batch.slice(start, MAX_ROWS))


def _halved(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if batch.num_rows < 2 or batch.nbytes <= MAX_BYTES:
        yield batch
        return
    middle = batch.num_rows // 2
    yield from _halved(batch.slice(0, middle))
    yield from _halved(batch.slice(middle))


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The Arrow schema that carries some columns of a table."""
    return pa.schema([pa.field(c.name, c.type.arrow, nullable=c.nullable) for c in columns])


def without_columns(rows: int) -> pa.RecordBatch:
    """A batch of so many rows of which nothing is wanted."""
    return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))


def reported(batches: Iterable[pa.RecordBatch], progress: Progress, table: str, of: int) -> Iterator[pa.RecordBatch]:
    """Cut batches, and tell of each when the next is asked for."""
    rows = 0
    for whole in batches:
        for batch in cut(whole):
            yield batch
            rows += batch.num_rows
            progress(table, rows, of)
