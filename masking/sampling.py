"""A sample of a table, for those who look at values to say what they are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import pyarrow as pa

from masking.classify import Finding
from masking.errors import ValueNotCarried
from masking.source.base import Source

MOST_ROWS = 1_000_000
_OVER = 20  # a database samples pages, and rows of one page are alike often: of many pages few rows are taken


def sample(source: Source, table: str, rows: int, columns: Sequence[str] | None = None) -> pa.Table:
    """Return about `rows` rows of `table`, evenly spread over it, typed as `Table.arrow`; fewer where it has fewer.

    Of more than a million rows the database samples some; of a table that it cannot sample, they are from the first million.
    """
    count = source.count(table)
    read, reader = min(count, MOST_ROWS), None
    if count > MOST_ROWS and _OVER * rows < count:
        read, reader = _OVER * rows, source.sampled(table, _OVER * rows / count, columns)
    if reader is None:
        read, reader = min(count, MOST_ROWS), source.read(table, columns)
    step = max(1, read // rows)
    found: list[pa.RecordBatch] = []
    first = 0
    with closing(reader):
        for batch in reader:
            places = range(-first % step, batch.num_rows, step)
            found.append(batch.take(pa.array(places, pa.int64())))
            first += batch.num_rows
            if first >= MOST_ROWS:
                break
    return pa.Table.from_batches(found, reader.schema)


def readable_sample(source: Source, table: str, rows: int, unreadable: dict[tuple[str, str], Finding]) -> pa.Table:
    """Return a `sample` with nulls for the columns that hold a value which no type here can carry, and tell these to `unreadable`."""
    try:
        return sample(source, table, rows)
    except ValueNotCarried:
        read: dict[str, pa.ChunkedArray] = {}
        stored = source.schema.table(table).stored_columns
        for column in stored:
            try:
                read[column.name] = sample(source, table, rows, [column.name]).column(0)
            except ValueNotCarried:
                unreadable[table, column.name] = Finding("public", None, 0.0, (f"it holds values that no {column.type} can carry",))
        length = max(map(len, read.values()), default=0)
        whole = [read[c.name] if c.name in read else pa.nulls(length, c.type.arrow) for c in stored]
        return pa.table(whole, names=[c.name for c in stored])
