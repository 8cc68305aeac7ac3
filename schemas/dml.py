"""Changes of rows as SQL: one transaction of INSERT, UPDATE and DELETE for PostgreSQL, DuckDB or SQLite.

PostgreSQL checks a foreign key when a statement ends, unless it is deferrable; so rows that must reference rows of their own table
are inserted, and deleted, by one statement. SQLite is told to check at the end. DuckDB checks each row, counts rows that were deleted
in the transaction as still there, and takes an update of an indexed column for a delete: its tables must have no foreign keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from schemas.ddl_names import listed, qualified, quoted
from schemas.ddl_postgresql import counter
from schemas.errors import InputError
from schemas.model import Table
from schemas.sql_literals import Dialect, sql_literal

_ROWS = 500
_START = {
    "postgresql": "BEGIN;\nSET CONSTRAINTS ALL DEFERRED;\n",
    "duckdb": "BEGIN;\n",
    "sqlite": "BEGIN;\nPRAGMA defer_foreign_keys = ON;\n",
}

Row = Mapping[str, Any]


class Transaction:
    """Writes changes as the statements of one transaction; a row maps the names of columns to Python values.

    Raises InputError where SQLite holds no such value.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._inserted: dict[str, Table] = {}
        self._open: tuple[str, str] | None = None
        self._count = 0

    def begin(self) -> str:
        return _START[self._dialect]

    def insert(self, table: Table, rows: Iterable[Row]) -> Iterator[str]:
        self._inserted[table.name] = table
        columns = [c.name for c in table.stored_columns]
        head = f"INSERT INTO {self._name(table)} ({listed(columns)}) VALUES\n"
        for row in rows:
            yield from self._next(("insert", table.name), head, f"({self._values(table, row, columns)})", _whole(table))

    def update(self, table: Table, identity: Sequence[str], keys: Iterable[Row], values: Iterable[Row]) -> Iterator[str]:
        """Set the columns of each of `values` in the row that the same one of `keys` tells."""
        yield self._close()
        for key, row in zip(keys, values, strict=True):
            new = ", ".join(f"{quoted(name)} = {self._literal(table, name, value)}" for name, value in row.items())
            yield f"UPDATE {self._name(table)} SET {new} WHERE {self._where(table, key, identity)};\n"

    def delete(self, table: Table, identity: Sequence[str], keys: Iterable[Row]) -> Iterator[str]:
        if _whole(table) and self._dialect == "postgresql":
            head = f"DELETE FROM {self._name(table)} WHERE ({listed(identity)}) IN (\n"
            for key in keys:
                yield from self._next(("delete", table.name), head, f"({self._values(table, key, identity)})", True)
            return
        yield self._close()
        for key in keys:
            yield f"DELETE FROM {self._name(table)} WHERE {self._where(table, key, identity)};\n"

    def commit(self) -> Iterator[str]:
        """End what is open, let counters go on after the rows that came, and commit."""
        yield self._close()
        if self._dialect == "postgresql":
            for table in self._inserted.values():
                yield from (f"{counter(table, column)};\n" for column in table.database_columns if column.identity)
        yield "COMMIT;\n"

    def _next(self, what: tuple[str, str], head: str, item: str, whole: bool) -> Iterator[str]:
        """One more item of a statement, which is begun and ended as need be."""
        if self._open != what or (self._count >= _ROWS and not whole):
            yield self._close()
            yield head
            self._open, self._count = what, 0
        yield (",\n" if self._count else "") + item
        self._count += 1

    def _close(self) -> str:
        ended, self._open = self._open, None
        return "" if ended is None else ";\n" if ended[0] == "insert" else ");\n"

    def _name(self, table: Table) -> str:
        return quoted(table.name) if self._dialect == "sqlite" else qualified(table.name)

    def _literal(self, table: Table, column: str, value: Any) -> str:
        try:
            return sql_literal(table.column(column).type, value, self._dialect)
        except ValueError as error:
            raise InputError(f"table '{table.name}', column '{column}': {error}") from None

    def _values(self, table: Table, row: Row, columns: Sequence[str]) -> str:
        return ", ".join(self._literal(table, name, row[name]) for name in columns)

    def _where(self, table: Table, key: Row, identity: Sequence[str]) -> str:
        return " AND ".join(f"{quoted(name)} = {self._literal(table, name, key[name])}" for name in identity)


def _whole(table: Table) -> bool:
    """Whether rows must reference rows of their own table that may not come first."""
    return any(f.table == table.name and not f.acyclic and not any(table.column(c).nullable for c in f.columns) for f in table.foreign_keys)
