"""The present state of a SQLite file, in one transaction that only reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import pyarrow as pa

from provisioning.errors import TargetFailure
from provisioning.hosts.file_databases import SCHEMA
from provisioning.interrupts import interruptible
from provisioning.snapshots.live import LiveColumn, LiveReference, LiveTable, Place, in_order
from provisioning.target import Target
from schemas.ddl_expressions import for_sqlite
from schemas.ddl_names import literal, quoted
from schemas.ddl_sqlite import row_id_column, sqlite_type
from schemas.ddl_sqlite_expressions import keeps_as_text
from schemas.model import Column, Table
from schemas.sqlite_values import decoded
from schemas.type_reader import type_of
from schemas.types import INTEGER_RANGE, SqlType

T = TypeVar("T")

_BATCH_ROWS = 16_384
_GENERATED = (2, 3)  # what PRAGMA table_xinfo says of computed columns, virtual and stored
_AFFINITIES = (("INT", "bigint"), ("CHAR", "text"), ("CLOB", "text"), ("TEXT", "text"), ("REAL", "double"), ("FLOA", "double"),
               ("DOUB", "double"))  # fmt: skip


@contextmanager
def opened(target: Target) -> Iterator[SQLiteLive]:
    """Open a file; TargetFailure where it cannot be read."""
    assert target.path is not None
    try:
        place = f"{target.path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False)) as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            yield SQLiteLive(connection, target)
    except sqlite3.Error as error:
        if "locked" in str(error) or "busy" in str(error):
            raise TargetFailure(f"another process has '{target.path}' locked; close it there and try again") from None
        raise TargetFailure(f"'{target.path}' cannot be read: {error}") from None


class SQLiteLive:
    """See `provisioning.snapshots.live.Live`."""

    default: str | None = None
    folds = True

    def __init__(self, connection: sqlite3.Connection, target: Target) -> None:
        self._connection = connection
        self.shown = f"'{target.path}'"

    def tables(self) -> Sequence[LiveTable]:
        """Return all tables but ours."""
        names = [str(name) for (name,) in self._asked("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return [self._table(n) for n in names if not n.lower().startswith(("sqlite_", f"{SCHEMA}_"))]

    def place(self, table: str) -> Place:
        """Return where a table of a bundle lives."""
        return None, table

    def sql(self, place: Place) -> str:
        """Return a place for SQL."""
        return quoted(place[1])

    def carries(self, column: Column, found: LiveColumn, table: Table) -> bool:
        """Whether the column is declared as the loader does it."""
        made = "INTEGER" if column.name == row_id_column(table) else sqlite_type(column.type)
        return found.type.upper() == made.upper()

    def type(self, found: LiveColumn) -> SqlType:
        """Return the type that carries a column: the one it names, else that of its affinity."""
        try:
            type = type_of(found.type.lower(), {})
            return SqlType("bigint") if type.kind == "integer" else type  # which is what SQLite's INTEGER holds
        except ValueError:
            affinity = next((kind for word, kind in _AFFINITIES if word in found.type.upper()), None)
            if affinity is None:
                raise
            return SqlType(affinity)

    def expression(self, sql: str, table: Table) -> str:
        """Return a check in SQLite's words."""
        return for_sqlite(sql, table)

    def is_kept(self, query: str) -> bool:
        """Whether nothing breaks what the query counts."""
        try:
            return not self._asked(query)[0][0]
        except sqlite3.OperationalError:
            return False

    def strays(self, column: Column, place: Place) -> SqlType | None:
        """SQLite holds neither texts to their lengths nor whole numbers to their ranges."""
        name, type = quoted(column.name), column.type
        if type.kind in ("varchar", "char") and type.length is not None:
            beyond, wider = f"length({name}) > {type.length}", SqlType("text")
        elif type.kind in ("smallint", "integer"):
            most = INTEGER_RANGE[type.kind]
            beyond, wider = f"{name} NOT BETWEEN {-most - 1} AND {most}", SqlType("bigint")
        elif type.kind == "enum":
            beyond, wider = f"{name} NOT IN ({', '.join(map(literal, type.values))})", SqlType("text")
        else:
            return None
        return None if self.is_kept(f"SELECT count(*) FROM {self.sql(place)} WHERE {beyond}") else wider

    def read(self, table: Table, place: Place, *, ordered: bool = True) -> Iterator[pa.RecordBatch]:
        """Read all rows."""
        columns = table.stored_columns
        names = ", ".join(f"t.{quoted(c.name)}" for c in columns)
        order = f" ORDER BY {', '.join(part for c in in_order(table) for part in _order(c))}" if ordered else ""
        query = f"SELECT {names} FROM {self.sql(place)} t{order}"
        cursor = self._interruptible(lambda: self._connection.execute(query))
        while rows := self._interruptible(lambda: cursor.fetchmany(_BATCH_ROWS)):
            arrays = []
            for column, values in zip(columns, zip(*rows, strict=True), strict=True):
                try:
                    arrays.append(decoded(column.type, values))
                except (pa.ArrowException, ValueError, TypeError, AttributeError):
                    raise TargetFailure(
                        f"{self.shown}, table '{table.name}', column '{column.name}': SQLite holds a value that is no {column.type}; "
                        "correct it, or drop the column, before a snapshot is taken"
                    ) from None
            yield pa.RecordBatch.from_arrays(arrays, names=[c.name for c in columns])

    def _table(self, name: str) -> LiveTable:
        columns, key = [], {}
        for _, column, type, not_null, _, in_key, hidden in self._asked(f"PRAGMA table_xinfo({quoted(name)})"):
            columns.append(LiveColumn(column, type, not not_null and not in_key, hidden in _GENERATED))
            if in_key:
                key[in_key] = column
        references: dict[int, list[tuple[str, str, str | None]]] = {}
        for number, _, parent, column, target, *_ in self._asked(f"PRAGMA foreign_key_list({quoted(name)})"):
            references.setdefault(number, []).append((parent, column, target))
        return LiveTable(
            (None, name),
            tuple(columns),
            tuple(key[n] for n in sorted(key)),
            tuple(self._unique(name)),
            tuple(self._reference(found) for _, found in sorted(references.items(), reverse=True)),
        )

    def _unique(self, name: str) -> Iterator[tuple[str, ...]]:
        for _, index, unique, origin, partial in self._asked(f"PRAGMA index_list({quoted(name)})"):
            names = [row[2] for row in self._asked(f"PRAGMA index_info({quoted(index)})")]
            if unique and not partial and origin != "pk" and None not in names:
                yield tuple(names)

    def _reference(self, found: list[tuple[str, str, str | None]]) -> LiveReference:
        parent = found[0][0]
        target = [t for _, _, t in found if t is not None]
        if not target:
            key = {row[5]: row[1] for row in self._asked(f"PRAGMA table_info({quoted(parent)})") if row[5]}
            target = [key[n] for n in sorted(key)]
        return LiveReference(tuple(c for _, c, _ in found), (None, parent), tuple(target))

    def _asked(self, sql: str) -> list[tuple[Any, ...]]:
        return self._interruptible(lambda: self._connection.execute(sql).fetchall())

    def _interruptible(self, work: Callable[[], T]) -> T:
        return interruptible(work, self._connection.interrupt)


def _order(column: Column) -> list[str]:
    name = f"t.{quoted(column.name)}"
    parts = [f"CAST({name} AS REAL)", name] if keeps_as_text(column.type) else [name]
    return [f"{part} COLLATE BINARY NULLS LAST" for part in parts]
