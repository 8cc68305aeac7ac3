"""The present state of a PostgreSQL database, in one transaction that only reads and that sees no later change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from provisioning.errors import TargetInvalid
from provisioning.hosts.file_databases import SCHEMA
from provisioning.interrupts import interruptible
from provisioning.loaders.postgresql import SETTINGS, connected
from provisioning.loaders.postgresql_errors import postgresql_errors
from provisioning.loaders.postgresql_values import given_back, read_back_query
from provisioning.snapshots.live import LiveColumn, LiveReference, LiveTable, Place, in_order
from provisioning.target import Target
from schemas.ddl_expressions import for_postgresql
from schemas.ddl_names import quoted, split
from schemas.model import Column, Table
from schemas.type_reader import type_of
from schemas.types import SqlType

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Cursor

T = TypeVar("T")

_TIME_DIGITS = re.compile(r"^(timestamp|time|interval)\(\d\)")
_NOTHING_HIDDEN = {"row_security": "off"}  # to fail where a policy hides rows, and not to leave them out
_OURS = f"n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', '{SCHEMA}') AND n.nspname NOT LIKE 'pg\\_temp%'"


@contextmanager
def opened(target: Target) -> Iterator[PostgreSQLLive]:
    """Open a database; TargetFailure where it cannot be reached."""
    assert target.url is not None
    with connected(target.url) as connection, connection.cursor() as cursor:
        with postgresql_errors("transaction"):
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for name, value in (SETTINGS | _NOTHING_HIDDEN).items():
            with postgresql_errors("settings of the session"):
                cursor.execute(f"SET LOCAL {name} TO {value}")
        try:
            yield PostgreSQLLive(cursor)
        finally:
            connection.rollback()


class PostgreSQLLive:
    """See `provisioning.snapshots.live.Live`."""

    default: str | None
    folds = False
    shown = "the database"

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.default = self._rows("SELECT current_schema()")[0][0]
        if self.default is None:
            raise TargetInvalid("the database has no schema in its search_path to read tables from")

    def tables(self) -> Sequence[LiveTable]:
        """Return all tables but ours; those that are partitioned as one."""
        enums: dict[str, tuple[str, ...]] = {}
        for oid, label in self._rows("SELECT enumtypid::text, enumlabel::text FROM pg_enum ORDER BY enumtypid, enumsortorder"):
            enums[oid] = (*enums.get(oid, ()), label)
        columns: dict[str, list[LiveColumn]] = {}
        places: dict[str, Place] = {}
        names: dict[tuple[str, int], str] = {}
        for oid, space, table, number, name, type, enum, not_null, computed in self._rows(
            "SELECT c.oid::text, n.nspname::text, c.relname::text, a.attnum::int, a.attname::text, "
            "format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, "
            "CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END), "
            "(CASE WHEN t.typelem <> 0 THEN t.typelem ELSE t.oid END)::oid::text, a.attnotnull, a.attgenerated <> '' "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid "
            f"WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {_OURS} "
            'ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum'
        ):
            places[oid] = (space, table)
            names[oid, number] = name
            columns.setdefault(oid, []).append(LiveColumn(name, type, not not_null, bool(computed), enums.get(enum, ())))
        keys: dict[str, tuple[str, ...]] = {}
        unique: dict[str, list[tuple[str, ...]]] = {}
        references: dict[str, list[LiveReference]] = {}
        for oid, numbers, primary in self._rows(
            "SELECT indrelid::text, indkey::text, indisprimary FROM pg_index WHERE indisunique AND indisvalid AND indpred IS NULL "
            "AND indexprs IS NULL AND indnatts = indnkeyatts ORDER BY indexrelid"
        ):
            if oid in columns:
                members = tuple(names[oid, int(n)] for n in numbers.split())
                if primary:
                    keys[oid] = members
                else:
                    unique.setdefault(oid, []).append(members)
        for oid, parent, child_numbers, parent_numbers in self._rows(
            "SELECT conrelid::text, confrelid::text, array_to_string(conkey, ' '), array_to_string(confkey, ' ') FROM pg_constraint "
            "WHERE contype = 'f' AND conparentid = 0 AND convalidated ORDER BY oid"
        ):
            if oid in columns and parent in columns:
                own = tuple(names[oid, int(n)] for n in child_numbers.split())
                target = tuple(names[parent, int(n)] for n in parent_numbers.split())
                references.setdefault(oid, []).append(LiveReference(own, places[parent], target))
        return [
            LiveTable(places[oid], tuple(found), keys.get(oid, ()), tuple(unique.get(oid, ())), tuple(references.get(oid, ())))
            for oid, found in columns.items()
        ]

    def place(self, table: str) -> Place:
        """Return where a table of a bundle lives."""
        namespace, name = split(table)
        return namespace or self.default, name

    def sql(self, place: Place) -> str:
        """Return a place for SQL."""
        return f"{quoted(place[0] or '')}.{quoted(place[1])}"

    def carries(self, column: Column, found: LiveColumn, table: Table) -> bool:
        """Whether the column has the bundle's type; the name of an enum does not count."""
        try:
            return _plain(self.type(found)) == _plain(column.type)
        except ValueError:
            return False

    def type(self, found: LiveColumn) -> SqlType:
        """Return the type that carries a column; ValueError where there is none."""
        if found.type.endswith("[]"):
            return SqlType("array", item=self.type(LiveColumn(found.name, found.type[:-2], True, values=found.values)))
        if found.values:
            return SqlType("enum", values=found.values)
        return type_of(_TIME_DIGITS.sub(r"\1", found.type).replace("time without time zone", "time"), {})

    def expression(self, sql: str, table: Table) -> str:
        """Return a check in PostgreSQL's words."""
        return for_postgresql(sql, table, "check")

    def is_kept(self, query: str) -> bool:
        """Whether nothing breaks what the query counts; what the server cannot answer is undone to a savepoint."""
        import adbc_driver_manager

        self._cursor.execute("SAVEPOINT asked")
        try:
            kept = not self._asked(query)[0][0]
        except adbc_driver_manager.Error:
            self._cursor.execute("ROLLBACK TO SAVEPOINT asked")
            return False
        self._cursor.execute("RELEASE SAVEPOINT asked")
        return kept

    def strays(self, column: Column, place: Place) -> SqlType | None:
        """PostgreSQL holds values to their types."""
        return None

    def read(self, table: Table, place: Place, *, ordered: bool = True) -> Iterator[pa.RecordBatch]:
        """Read all rows."""
        order = f" ORDER BY {', '.join(map(_order, in_order(table)))}" if ordered else ""
        query = read_back_query(table, f"{self.sql(place)} t{order}")
        with postgresql_errors(f"table '{table.name}'"):
            self._interruptible(lambda: self._cursor.execute(query))
            reader = self._cursor.fetch_record_batch()
            while (batch := self._interruptible(lambda: next(reader, None))) is not None:
                yield given_back(table, batch)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with postgresql_errors("catalogue"):
            return self._asked(sql)

    def _asked(self, sql: str) -> list[tuple[Any, ...]]:
        def rows() -> list[tuple[Any, ...]]:
            self._cursor.execute(sql)
            found: list[tuple[Any, ...]] = self._cursor.fetchall()
            return found

        return self._interruptible(rows)

    def _interruptible(self, work: Callable[[], T]) -> T:
        return interruptible(work, self._cursor.adbc_cancel)


def _plain(type: SqlType) -> SqlType:
    """A type without the name of its enum, and with the length that the database adds."""
    if type.kind == "array" and type.item is not None:
        return SqlType("array", item=_plain(type.item))
    if type.kind == "enum":
        return SqlType("enum", values=type.values)
    return type


def _order(column: Column) -> str:
    name = f"t.{quoted(column.name)}"
    if column.type.kind in ("text", "varchar", "char", "enum", "json", "array"):
        return f'{name}::text COLLATE "C"'
    return name
