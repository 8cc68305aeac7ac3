"""The present state of a DuckDB file, opened for reading alone: for that time no other process writes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from provisioning.errors import TargetFailure
from provisioning.hosts.file_databases import SCHEMA
from provisioning.interrupts import interruptible
from provisioning.loaders.duckdb_errors import duckdb_errors
from provisioning.loaders.duckdb_values import read_back_query
from provisioning.snapshots.live import LiveColumn, LiveReference, LiveTable, Place, in_order
from provisioning.target import Target
from schemas.ddl_duckdb import duckdb_type
from schemas.ddl_expressions import for_duckdb
from schemas.ddl_names import quoted, split
from schemas.model import Column, Table
from schemas.type_reader import type_of
from schemas.types import SqlType

T = TypeVar("T")

_BATCH_ROWS = 65_536
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_WORDS = {
    "TINYINT": "smallint", "UTINYINT": "smallint", "USMALLINT": "integer", "UINTEGER": "bigint", "UBIGINT": "numeric(20,0)",
    "FLOAT": "real", "TIMESTAMP_S": "timestamp", "TIMESTAMP_MS": "timestamp", "TIMESTAMP_NS": "timestamp",
}  # fmt: skip


@contextmanager
def opened(target: Target) -> Iterator[DuckDBLive]:
    """Open a file; TargetFailure where another process has it open for writing."""
    assert target.path is not None
    try:
        connection = duckdb.connect(str(target.path), read_only=True)
    except duckdb.Error as error:
        if "Could not set lock" in str(error) or "different configuration" in str(error):
            raise TargetFailure(f"another process has '{target.path}' open; close it there and try again") from None
        raise TargetFailure(f"'{target.path}' cannot be read: {str(error).partition(chr(10))[0]}") from None
    try:
        with duckdb_errors(target.path):
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET arrow_lossless_conversion = true")
            connection.execute("SET default_null_order = 'nulls_last'")
            connection.execute("BEGIN TRANSACTION")
        yield DuckDBLive(connection, target)
    finally:
        connection.close()


class DuckDBLive:
    """See `provisioning.snapshots.live.Live`."""

    default: str | None = "main"
    folds = True

    def __init__(self, connection: duckdb.DuckDBPyConnection, target: Target) -> None:
        assert target.path is not None
        self._connection, self._path = connection, target.path
        self.shown = f"'{target.path}'"

    def tables(self) -> Sequence[LiveTable]:
        """Return all tables but ours."""
        columns: dict[Place, list[LiveColumn]] = {}
        for schema, table, name, type, nullable, computed in self._rows(
            "SELECT c.schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable, c.is_generated FROM duckdb_columns() c "
            "JOIN duckdb_tables() t USING (database_name, schema_name, table_name) "
            f"WHERE c.database_name = current_database() AND NOT t.internal AND c.schema_name <> '{SCHEMA}' "
            "ORDER BY c.schema_name, c.table_name, c.column_index"
        ):
            columns.setdefault((schema, table), []).append(LiveColumn(name, type, bool(nullable), bool(computed)))
        keys: dict[Place, tuple[str, ...]] = {}
        unique: dict[Place, list[tuple[str, ...]]] = {}
        references: dict[Place, list[LiveReference]] = {}
        for schema, table, kind, names, parent, target in self._rows(
            "SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names "
            "FROM duckdb_constraints() WHERE database_name = current_database() ORDER BY constraint_index"
        ):
            place = (schema, table)
            if kind == "PRIMARY KEY":
                keys[place] = tuple(names)
            elif kind == "UNIQUE":
                unique.setdefault(place, []).append(tuple(names))
            elif kind == "FOREIGN KEY":
                references.setdefault(place, []).append(LiveReference(tuple(names), (schema, parent), tuple(target)))
        return [
            LiveTable(place, tuple(found), keys.get(place, ()), tuple(unique.get(place, ())), tuple(references.get(place, ())))
            for place, found in columns.items()
        ]

    def place(self, table: str) -> Place:
        """Return where a table of a bundle lives."""
        namespace, name = split(table)
        return namespace or "main", name

    def sql(self, place: Place) -> str:
        """Return a place for SQL."""
        return f"{quoted(place[0] or 'main')}.{quoted(place[1])}"

    def carries(self, column: Column, found: LiveColumn, table: Table) -> bool:
        """Whether the column has the type that the loader gives it."""
        return bool(self._rows(f"SELECT typeof(CAST(NULL AS {duckdb_type(column.type)}))")[0][0] == found.type)

    def type(self, found: LiveColumn) -> SqlType:
        """Return the type that carries a column; ValueError where there is none."""
        if found.type.endswith("[]"):
            return SqlType("array", item=self.type(LiveColumn(found.name, found.type[:-2], True)))
        if found.type.startswith("ENUM("):
            return SqlType("enum", values=tuple(label.replace("''", "'") for label in _LABEL.findall(found.type)))
        return type_of(_WORDS.get(found.type, found.type.lower()), {})

    def expression(self, sql: str, table: Table) -> str:
        """Return a check in DuckDB's words."""
        return for_duckdb(sql, table)

    def is_kept(self, query: str) -> bool:
        """Whether nothing breaks what the query counts."""
        try:
            return not self._asked(query)[0][0]
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException, duckdb.InvalidInputException):
            return False

    def strays(self, column: Column, place: Place) -> SqlType | None:
        """DuckDB does not hold texts to their lengths."""
        if column.type.kind not in ("varchar", "char") or column.type.length is None:
            return None
        longer = f"SELECT count(*) FROM {self.sql(place)} WHERE length({quoted(column.name)}) > {column.type.length}"
        return None if self.is_kept(longer) else SqlType("text")

    def read(self, table: Table, place: Place, *, ordered: bool = True) -> Iterator[pa.RecordBatch]:
        """Read all rows."""
        cast = ", ".join(f"CAST({quoted(c.name)} AS {duckdb_type(c.type)}) AS {quoted(c.name)}" for c in table.stored_columns)
        order = f" ORDER BY {', '.join(map(_order, in_order(table)))}" if ordered else ""
        query = read_back_query(table, f"(SELECT {cast} FROM {self.sql(place)}) t{order}")
        with duckdb_errors(self._path, f"table '{table.name}'"):
            reader = self._interruptible(lambda: self._connection.sql(query).to_arrow_reader(_BATCH_ROWS))
            while (batch := self._interruptible(lambda: next(reader, None))) is not None:
                yield batch

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb_errors(self._path, "catalogue"):
            return self._asked(sql)

    def _asked(self, sql: str) -> list[tuple[Any, ...]]:
        return self._interruptible(lambda: self._connection.execute(sql).fetchall())

    def _interruptible(self, work: Callable[[], T]) -> T:
        return interruptible(work, self._connection.interrupt)


def _order(column: Column) -> str:
    name = f"t.{quoted(column.name)}"
    return f"CAST({name} AS VARCHAR)" if column.type.kind == "enum" else name
