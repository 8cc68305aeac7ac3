"""A source of tables in memory, for tests that need no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from schemas import parse_schema
from schemas.model import Schema


@dataclass
class MemorySource:
    """Rows of a schema by table, each a mapping; what a row does not name is null."""

    schema: Schema
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    dialect: str = "postgres"

    @classmethod
    def of(cls, schema: str, **rows: Sequence[Mapping[str, Any]]) -> MemorySource:
        return cls(parse_schema(schema), rows)

    def count(self, table: str) -> int:
        return len(self.rows.get(table, ()))

    def read(self, table: str, columns: Sequence[str] | None = None, conditions: Sequence[str] = ()) -> pa.RecordBatchReader:
        whole = pa.Table.from_pylist([dict(row) for row in self.rows.get(table, ())], self.schema.table(table).arrow)
        return (whole if columns is None else whole.select(list(columns))).to_reader(max_chunksize=100)

    def sampled(self, table: str, share: float, columns: Sequence[str] | None = None) -> pa.RecordBatchReader | None:
        return None

    def check_unchanged(self) -> None:
        """Nobody changes it."""
