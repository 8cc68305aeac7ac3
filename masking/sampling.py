"""A sample of a table, for those who look at values to say what they are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import pyarrow as pa

from masking.source.base import Source

_READ = 1_000_000


def sample(source: Source, table: str, rows: int, columns: Sequence[str] | None = None) -> pa.Table:
    """Return about `rows` rows of `table`, evenly spread over its first million, typed as `Table.arrow`; fewer where it has fewer."""
    step = max(1, min(source.count(table), _READ) // rows)
    found: list[pa.RecordBatch] = []
    first = 0
    reader = source.read(table, columns)
    with closing(reader):
        for batch in reader:
            places = range(-first % step, batch.num_rows, step)
            found.append(batch.take(pa.array(places, pa.int64())))
            first += batch.num_rows
            if first >= _READ:
                break
    return pa.Table.from_batches(found, reader.schema)
