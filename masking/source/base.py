"""What the rest of the room may ask of a source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import pyarrow as pa

from schemas.model import Schema

# told after each batch that is handed out: the table, the rows of this read until now, the rows of the table
Progress = Callable[[str, int, int], None]


def no_progress(table: str, rows: int, of: int) -> None:
    """Heed no progress."""


class Source(Protocol):
    """A consistent, read-only snapshot of a database: every read sees the same rows, whatever others write meanwhile.

    `schema` is the reflected schema; tables and columns are called as it calls them. `dialect` is sqlglot's name of the dialect that
    conditions are written in.
    """

    schema: Schema
    dialect: str

    def count(self, table: str) -> int:
        """The rows of `table` in the snapshot."""
        ...

    def read(self, table: str, columns: Sequence[str] | None = None, conditions: Sequence[str] = ()) -> pa.RecordBatchReader:
        """Stream all rows of `table` in a fixed order (its key, else as they lie), typed as `Table.arrow`.

        `columns` are those wanted, in the order wanted, ones that the database computes too; None for all stored columns. For each of
        `conditions` (as `where` takes them) a column `condition_0`, `condition_1`, ... follows, which says whether it accepts the row.
        Every call gives the same rows in the same order, whatever the columns. Batches have at most 65,536 rows and, unless one row
        alone has more, 32 MiB. Raises SourceFailure, which also says where a value cannot be carried exactly, and PolicyInvalid.
        """
        ...

    def sampled(self, table: str, share: float, columns: Sequence[str] | None = None) -> pa.RecordBatchReader | None:
        """The same as `read` for about a `share` (above 0, to 1) of the rows, from all over the table; None where there is no way to.

        It does not read the values of the others. Every call gives the same rows, whatever the columns, as long as the table lies as it is.
        """
        ...

    def where(self, table: str, condition: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        """The same for the rows that a SQL condition in the source's dialect accepts; raises PolicyInvalid where it is no condition."""
        ...

    def check_unchanged(self) -> None:
        """Raise SourceFailure where the snapshot was lost, or the structure of what was read has changed meanwhile."""
        ...
