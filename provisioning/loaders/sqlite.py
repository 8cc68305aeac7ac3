"""Loading into SQLite, in one transaction, with the database's own check of foreign keys before it ends.

A new database is made beside its place and appears there when it is complete.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from provisioning.database_file import check_place, disk_full, new_file, sqlite_full
from provisioning.errors import ConstraintBroken, ReadBackDiffers, SchemaRefused, TargetFailure, TargetInUse, TargetInvalid
from provisioning.interrupts import last_step
from provisioning.loaders.base import already_there
from provisioning.loaders.sqlite_values import encoded
from provisioning.read_back import ReadBack
from provisioning.shipment import Shipment
from provisioning.target import Target
from schemas.ddl import Ddl, NotEnforced, Statement, ddl
from schemas.ddl_names import listed, quoted
from schemas.ddl_sqlite import free_row_number, row_id_column
from schemas.model import Schema, Table
from schemas.sqlite_values import decoded

_BATCH_ROWS = 16_384
_CACHE_KIB = 65_536


def load(target: Target, shipment: Shipment, *, replace: bool) -> Sequence[NotEnforced]:
    """Load a shipment into a SQLite file; see `provisioning.loaders.base.Loader`."""
    assert target.path is not None
    path = target.path
    check_place(path)
    if path.exists():
        with _open(path) as connection, _transaction(connection):
            existing = _existing(connection, shipment.schema)
            if existing and not replace:
                raise already_there(f"'{path}'", existing)
            outside = _referring(connection, shipment.schema)
            for table in existing:
                connection.execute(f"DROP TABLE {quoted(table)}")
            return _Load(connection, shipment).run(outside)
    with new_file(path) as unfinished, _open(unfinished, shown=path) as connection:
        # nobody sees this file before it is complete, so that it needs no journal
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        with _transaction(connection):
            return _Load(connection, shipment).run([])


class _Load:
    def __init__(self, connection: sqlite3.Connection, shipment: Shipment) -> None:
        self._connection, self._shipment = connection, shipment
        self._places: dict[str, str] = {}

    def run(self, outside: Sequence[str]) -> Sequence[NotEnforced]:
        plan = _plan(self._shipment.schema)
        tables = [self._shipment.schema.table(name) for name in plan.order]
        for statement in plan.phase("tables"):
            self._create(statement)
        for table in tables:
            self._fill(table)
        for statement in plan.phase("indexes"):
            self._create(statement)
        for table in tables:
            self._check_references(table)
        for name in outside:
            if self._orphan(name):
                raise TargetInUse(f"the table '{name}', which is not of the bundle, refers to rows that the bundle does not have")
        with ReadBack(self._shipment, self._read_back) as read_back:
            for table in tables:
                read_back.take(table)
            read_back.compare()
        return plan.not_enforced

    def _create(self, statement: Statement) -> None:
        try:
            self._connection.execute(statement.sql)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            raise SchemaRefused(f"table '{statement.subject}': SQLite does not take it: {error}") from None

    def _fill(self, table: Table) -> None:
        columns = table.stored_columns
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {quoted(table.name)} ({listed(c.name for c in columns)}) VALUES ({marks})"
        order = _Order(self._connection, table, len(self._places))
        for batch in self._shipment.batches(table):
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                part = batch.slice(start, _BATCH_ROWS)
                values = [encoded(table, column, array) for column, array in zip(columns, part.columns, strict=True)]
                order.before(part)
                self._connection.executemany(insert, zip(*values, strict=True))
                self._shipment.progress("load", table.name, part.num_rows)
        self._places[table.name] = order.source

    def _orphan(self, table: str) -> tuple[str, int] | None:
        """The table and the number of the foreign key that the first row without a parent breaks."""
        row = self._connection.execute(f"PRAGMA foreign_key_check({quoted(table)})").fetchone()
        return None if row is None else (row[2], row[3])

    def _check_references(self, table: Table) -> None:
        broken = self._orphan(table.name)
        if broken:
            keys = self._connection.execute(f"PRAGMA foreign_key_list({quoted(table.name)})").fetchall()
            columns = ", ".join(str(k[3]) for k in keys if k[0] == broken[1])
            raise ConstraintBroken(f"table '{table.name}': rows of foreign key ({columns}) find no row in '{broken[0]}'")

    def _read_back(self, table: Table) -> Iterator[pa.RecordBatch]:
        columns = table.stored_columns
        names = ", ".join(f"t.{quoted(c.name)}" for c in columns)
        cursor = self._connection.execute(f"SELECT {names} FROM {self._places[table.name]}")
        while rows := cursor.fetchmany(_BATCH_ROWS):
            arrays = []
            for column, values in zip(columns, zip(*rows, strict=True), strict=True):
                try:
                    arrays.append(decoded(column.type, values))
                except (pa.ArrowException, ValueError, TypeError):
                    raise ReadBackDiffers(
                        f"table '{table.name}', column '{column.name}': SQLite gives back a value that is no {column.type}"
                    ) from None
            yield pa.RecordBatch.from_arrays(arrays, names=[c.name for c in columns])


class _Order:
    """The order of a bundle's rows in a table. Where the key is SQLite's row number and does not rise, it is kept apart."""

    def __init__(self, connection: sqlite3.Connection, table: Table, number: int) -> None:
        self._connection, self._table, self._number = connection, table, number
        self._key = row_id_column(table)
        self._last: int | None = None
        self._apart = False

    @property
    def source(self) -> str:
        """What to read the rows from, called `t`, with the order."""
        name = quoted(self._table.name)
        if self._apart:
            return f"temp.places_{self._number} p CROSS JOIN {name} t ON t.{quoted(self._key or '')} = p.key ORDER BY p.place"
        row_number = quoted(self._key) if self._key else _free_row_number(self._table)
        return f"{name} t ORDER BY t.{row_number}"

    def before(self, batch: pa.RecordBatch) -> None:
        """Take note of rows that are added next."""
        if self._key is None or not batch.num_rows:
            return
        keys = batch.column(self._key)
        if not self._apart:
            rising = batch.num_rows < 2 or pc.all(pc.greater(keys[1:], keys[:-1])).as_py()
            if rising and (self._last is None or keys[0].as_py() > self._last):
                self._last = keys[-1].as_py()
                return
            self._apart = True
            places = f"temp.places_{self._number}"
            self._connection.execute(f"CREATE TABLE {places} (place INTEGER PRIMARY KEY, key INTEGER NOT NULL)")
            key = quoted(self._key)
            self._connection.execute(f"INSERT INTO {places} (key) SELECT {key} FROM {quoted(self._table.name)} ORDER BY {key}")
        insert = f"INSERT INTO temp.places_{self._number} (key) VALUES (?)"
        self._connection.executemany(insert, ((key,) for key in keys.to_pylist()))


def _free_row_number(table: Table) -> str:
    name = free_row_number(table)
    if name is None:
        raise TargetInvalid(f"table '{table.name}' has columns 'rowid', 'oid' and '_rowid_'; SQLite then hides the order of its rows")
    return name


def _plan(schema: Schema) -> Ddl:
    scratch = sqlite3.connect(":memory:")

    def probe(sql: str) -> str | None:
        try:
            scratch.execute(sql)
            scratch.execute("DROP TABLE probe")
        except sqlite3.Error as error:
            return str(error)
        return None

    try:
        return ddl(schema, "sqlite", probe=probe)
    finally:
        scratch.close()


@contextmanager
def _open(path: Path, *, shown: Path | None = None) -> Iterator[sqlite3.Connection]:
    with _errors(shown or path):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            # keys are checked all at once at the end; the pragma is without effect inside a transaction
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("PRAGMA temp_store = FILE")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            yield connection
        finally:
            connection.close()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
        with last_step():
            connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConstraintBroken(f"'{path}' refused rows of the bundle: {error}") from None
    except sqlite3.Error as error:
        text = str(error)
        if sqlite_full(error):
            raise disk_full(path) from None
        if "locked" in text:
            raise TargetFailure(f"another process has '{path}' locked; close it there and load again") from None
        if "not a database" in text:
            raise TargetInvalid(f"'{path}' is no SQLite database") from None
        raise TargetFailure(f"SQLite failed on '{path}': {text}") from None


def _existing(connection: sqlite3.Connection, schema: Schema) -> list[str]:
    """The tables that have a name of the bundle's tables."""
    kinds = {name.lower(): (name, kind) for name, kind in connection.execute("SELECT name, type FROM sqlite_master")}
    found = []
    for table in schema.tables:
        name, kind = kinds.get(table.name.lower(), ("", ""))
        if kind == "table":
            found.append(name)
        elif kind:
            raise TargetInUse(f"the database has the {kind} '{name}', where the bundle has a table; drop it first")
    return found


def _referring(connection: sqlite3.Connection, schema: Schema) -> list[str]:
    """The tables outside the bundle that refer to tables of the bundle."""
    ours = {t.name.lower() for t in schema.tables}
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [
        name
        for name in names
        if name.lower() not in ours
        and any(str(key[2]).lower() in ours for key in connection.execute(f"PRAGMA foreign_key_list({quoted(name)})"))
    ]
