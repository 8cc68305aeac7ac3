"""What the rest of the room may ask of a source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from schemas.model import Schema


class Source(Protocol):
    """A consistent, read-only snapshot of a database: every read sees the same rows, whatever others write meanwhile.

    `schema` is the reflected schema; tables and columns are called as it calls them.
    """

    schema: Schema

    def count(self, table: str) -> int:
        """The rows of `table` in the snapshot."""
        ...

    def read(self, table: str, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """Stream all rows of `table` in a fixed order (its key, else as they lie), typed as `Table.arrow`.

        `columns` are those wanted, in the order wanted; None for all stored columns. Every call gives the same rows in the same
        order, whatever the columns. Raises SourceFailure.
        """
        ...

    def where(self, table: str, condition: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        """The same for the rows that a SQL condition in the source's dialect accepts; raises PolicyInvalid where it is no condition."""
        ...
