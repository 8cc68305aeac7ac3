"""What sources share that stream the rows of a statement: which columns are asked for, and that conditions are conditions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pyarrow as pa

from masking.source.conditions import check_condition
from schemas.model import Schema, Table


class Streamed(ABC):
    """The reads of a `Source` over a stream of some columns."""

    schema: Schema
    dialect: str

    def read(self, table: str, columns: Sequence[str] | None = None, conditions: Sequence[str] = ()) -> pa.RecordBatchReader:
        """See `Source.read`."""
        found = self.schema.table(table)
        for condition in conditions:
            check_condition(found, condition, self.dialect)
        return self._stream(found, stored_names(found) if columns is None else columns, None, conditions)

    def where(self, table: str, condition: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        """See `Source.where`."""
        found = self.schema.table(table)
        check_condition(found, condition, self.dialect)
        return self._stream(found, columns, condition, ())

    @abstractmethod
    def _stream(self, table: Table, columns: Sequence[str], condition: str | None, flags: Sequence[str]) -> pa.RecordBatchReader:
        """The rows that `condition` accepts, and whether each of the conditions `flags` does."""


def stored_names(table: Table) -> list[str]:
    """The columns that are read where none are named."""
    return [c.name for c in table.stored_columns]
