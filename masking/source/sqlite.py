"""A snapshot of a SQLite database: read transactions, which see nothing of what others commit meanwhile.

The file is opened so that nothing can be written to it, and what SQLite must sort is sorted in memory, never in a temporary file.
Columns are read through ADBC where it is installed, and through Python's own module where values are not kept as their columns say.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa

from masking.errors import SourceFailure, ValueNotCarried
from masking.source.base import Progress
from masking.source.batches import arrow_schema, reported
from masking.source.conditions import as_flags, refused, with_condition, with_flags
from masking.source.rows import batch_of, gathered
from masking.source.sqlite_columns import SETTINGS, ByRows, ColumnReader, can_read, folded
from masking.source.streamed import Streamed, stored_names
from schemas.connecting import engine_of
from schemas.ddl_names import quoted
from schemas.ddl_sqlite import free_row_number
from schemas.errors import InputError
from schemas.model import Column, Schema, Table
from schemas.reflect import reflect_connection
from schemas.sqlite_values import decoded
from schemas.types import SqlType

_WAIT_SECONDS = 30
_INTERRUPT_STEPS = 100_000  # of SQLite's machine, between two looks whether Ctrl-C was pressed
_STEP_ROWS = 16_384
_STEP_BYTES = 16 << 20
_TRIES = 100
_MAYBE_NUMBERS = ("date", "time", "timestamp", "timestamptz", "uuid", "bytes")  # by words that are to SQLite those of numbers
_NUMBER = re.compile(r"[-+]?[0-9.]+")
_OF_INTERVALS = {"text": SqlType("text"), "real": SqlType("double")}  # whole numbers are those of microseconds that `load` keeps
_NOT_TEXT = re.compile(r"Could not decode to UTF-8 column '(.*?)' with text")


@contextmanager
def open_sqlite(target: sa.URL, progress: Progress) -> Iterator[SqliteSource]:
    """Open a source on a SQLite file; see `masking.source.opening.open_source`."""
    engine_of(target)  # the same checks of the file
    path = Path(str(target.database))
    with _failures(path, "the file"):
        connection = sqlite3.connect(_address(path), uri=True, isolation_level=None, check_same_thread=False, timeout=_WAIT_SECONDS)
    # of SQLAlchemy, which is to reflect within the same transaction; what opens or closes a connection of it ends one
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.pool.StaticPool)
    reader: ColumnReader | None = None
    try:
        with _failures(path, "the file"):
            reflecting = engine.connect()
            for setting in SETTINGS:
                connection.execute(f"PRAGMA {setting}")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reader = _column_reader(path)
            together = begin_together(path, connection, reader)
        yield SqliteSource(connection, reader if together else None, reflecting, target, path, progress)
    finally:
        # at the same time: what one library unlocks in a file is unlocked for the other too
        with suppress(Exception):
            reflecting.close()
        engine.dispose()
        connection.close()
        if reader is not None:
            reader.close()


def _column_reader(path: Path) -> ColumnReader | None:
    try:
        return ColumnReader(path)
    except ImportError:
        return None


def begin_together(path: Path, connection: sqlite3.Connection, reader: ColumnReader | None) -> bool:
    """Begin both transactions at one state of the database, which no other connection has changed between them.

    False where the reader has none, since there is no reader or the file is written to all the time.
    """
    watch = sqlite3.connect(_address(path), uri=True, isolation_level=None, timeout=_WAIT_SECONDS)
    try:
        for _ in range(_TRIES):
            before = watch.execute("PRAGMA data_version").fetchone()
            if reader is not None:
                reader.end()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if reader is None:
                return False
            reader.begin()
            if watch.execute("PRAGMA data_version").fetchone() == before:
                return True
        return False
    finally:
        watch.close()


def _address(path: Path) -> str:
    return f"file:{quote(str(path.absolute()))}?mode=ro"


class SqliteSource(Streamed):
    """A `Source` over one connection, on which any number of reads may go on at a time."""

    schema: Schema
    dialect = "sqlite"

    def __init__(
        self,
        connection: sqlite3.Connection,
        reader: ColumnReader | None,
        reflecting: sa.Connection,
        target: sa.URL,
        path: Path,
        progress: Progress,
    ) -> None:
        self._connection, self._reader, self._path, self._progress = connection, reader, path, progress
        self._steps: dict[str, int] = {}
        connection.set_progress_handler(lambda: 0, _INTERRUPT_STEPS)
        with _failures(path, "the file"):
            self._row_numbered = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            self._row_numbered -= {row[1] for row in connection.execute("PRAGMA table_list") if row[4]}
            self.schema = self._as_kept(reflect_connection(reflecting, target, unconstrained=SqlType("double")).schema)

    def count(self, table: str) -> int:
        """See `Source.count`."""
        return self.schema.table(table).rows.count or 0

    def sampled(self, table: str, share: float, columns: Sequence[str] | None = None) -> pa.RecordBatchReader | None:
        """See `Source.sampled`; rows are counted in the order of their numbers, or of their key where they have none."""
        found = self.schema.table(table)
        number = self._number(found)
        names = [number] if number is not None else [quoted(name) for name in found.key]
        if not names:
            return None
        listed, places = ", ".join(names), ", ".join(f"k{i}" for i in range(len(names)))
        keys = ", ".join(f"{name} AS k{i}" for i, name in enumerate(names))
        counted = f"SELECT {keys}, row_number() OVER (ORDER BY {listed}) AS n FROM {quoted(table)}"
        picked = f"SELECT {places} FROM ({counted}) WHERE n % {max(1, round(1 / share))} = 0"
        wanted = stored_names(found) if columns is None else columns
        return self._stream(found, wanted, None, (), f"({listed}) IN ({picked})")

    def check_unchanged(self) -> None:
        """See `Source.check_unchanged`; a transaction of SQLite sees no change of the structure either."""
        with _failures(self._path, "the snapshot at the end"):
            if not self._connection.in_transaction:
                raise SourceFailure(f"'{self._path}': the snapshot was lost; begin again")

    def _as_kept(self, schema: Schema) -> Schema:
        """The schema with types for what SQLite keeps: its integers have 64 bits, and some columns hold other than they declare."""
        longer = {name for table in schema.tables for name in self._longer_than_declared(table)}
        longer |= _referencing(schema, longer)
        tables = (
            replace(t, columns=tuple(self._column_as_kept(t, c, (t.name, c.name) in longer) for c in t.columns)) for t in schema.tables
        )
        return replace(schema, tables=tuple(tables))

    def _longer_than_declared(self, table: Table) -> list[tuple[str, str]]:
        """Columns with texts that are longer than their type says, which SQLite lets them be."""
        limited = [c for c in table.stored_columns if c.type.length is not None]
        if not limited:
            return []
        asked = ", ".join(f"max(length({quoted(c.name)}) > {c.type.length})" for c in limited)
        found = self._connection.execute(f"SELECT {asked} FROM {quoted(table.name)}").fetchone()
        return [(table.name, c.name) for c, is_longer in zip(limited, found, strict=True) if is_longer]

    def _column_as_kept(self, table: Table, column: Column, longer: bool) -> Column:
        type = SqlType("text") if longer else self._kept_type(table, column)
        is_default_kept = column.type.kind not in _MAYBE_NUMBERS or type == column.type or _NUMBER.fullmatch(column.default or "")
        return replace(column, type=type, default=column.default if is_default_kept else None)

    def _kept_type(self, table: Table, column: Column) -> SqlType:
        if column.type.kind == "integer":
            return SqlType("bigint")
        if column.type.kind not in (*_MAYBE_NUMBERS, "interval"):
            return column.type
        name, origin = quoted(column.name), quoted(table.name)
        query = f"SELECT typeof({name}) FROM {origin} WHERE {name} IS NOT NULL LIMIT 1"
        (first,) = self._connection.execute(query).fetchone() or ("null",)
        if column.type.kind == "interval":
            return _OF_INTERVALS.get(first, column.type)
        if first not in ("integer", "real"):
            return column.type
        (parts,) = self._connection.execute(f"SELECT EXISTS (SELECT 1 FROM {origin} WHERE typeof({name}) = 'real')").fetchone()
        return SqlType("double" if parts else "bigint")

    def _stream(
        self, table: Table, columns: Sequence[str], condition: str | None, flags: Sequence[str], picked: str | None = None
    ) -> pa.RecordBatchReader:
        wanted = [table.column(name) for name in columns]
        selected = ", ".join([*map(quoted, columns), *as_flags(flags)])
        index, order = self._order(table)
        origin = f"{quoted(table.name)}{index}" + ("" if picked is None else f" WHERE {picked}")
        query = with_condition(f"SELECT {selected or '1'} FROM {origin}", condition) + order
        batches = self._by_rows(table, wanted, len(flags), query, bool(flags) or condition is not None, 0)
        if self._reader is not None and condition is None and can_read(wanted):
            batches = self._by_columns(self._reader, table, wanted, flags, origin + order, query)
        told = reported(batches, self._progress, table.name, self.count(table.name))
        return pa.RecordBatchReader.from_batches(with_flags(arrow_schema(wanted), len(flags)), told)

    def _order(self, table: Table) -> tuple[str, str]:
        """What is said of the index, and the order: that of the key's own index, so that nothing is sorted, then of the row numbers."""
        number = self._number(table)
        terms = [*map(quoted, table.key), *([number] if number else [])]
        return ("", f" ORDER BY {', '.join(terms)}") if terms else (" NOT INDEXED", "")

    def _number(self, table: Table) -> str | None:
        """What the row numbers of a table are called, None where it has none."""
        return free_row_number(table) if table.name in self._row_numbered else None

    def _by_columns(
        self, reader: ColumnReader, table: Table, wanted: Sequence[Column], flags: Sequence[str], origin: str, query: str
    ) -> Iterator[pa.RecordBatch]:
        done = 0
        try:
            for batch in reader.batches(wanted, flags, origin, self._step(table)):
                yield batch
                done += batch.num_rows
        except ByRows:
            yield from self._by_rows(table, wanted, len(flags), query, bool(flags), done)

    def _by_rows(
        self, table: Table, wanted: Sequence[Column], flags: int, sql: str, conditional: bool, skipped: int
    ) -> Iterator[pa.RecordBatch]:
        with _failures(self._path, f"table '{table.name}'", table.name if conditional else None):
            step = self._step(table)
            cursor = self._connection.execute(sql)
            try:
                while skipped:
                    skipped -= len(cursor.fetchmany(min(step, skipped)))
                for rows in gathered(cursor.fetchmany, step):
                    yield batch_of(table.name, wanted, flags, rows, decoded)
            finally:
                cursor.close()

    def _step(self, table: Table) -> int:
        """How many rows may be fetched at once: as many of the longest as have room."""
        if table.name not in self._steps:
            lengths = [f"coalesce(length(CAST({quoted(c.name)} AS BLOB)), 0)" for c in table.stored_columns]
            longest = self._connection.execute(f"SELECT max({folded(lengths, '+')}) FROM {quoted(table.name)}").fetchone()[0]
            self._steps[table.name] = max(1, min(_STEP_ROWS, _STEP_BYTES // max(1, longest or 0)))
        return self._steps[table.name]


def _referencing(schema: Schema, columns: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The columns with a length that reference some columns, or are referenced by them, at any distance: they are of one type."""
    keys = [(table.name, key) for table in schema.tables for key in table.foreign_keys]
    pairs = [{(name, own), (key.table, target)} for name, key in keys for own, target in zip(key.columns, key.target, strict=True)]
    found = set(columns)
    while more := {place for pair in pairs if pair & found for place in pair} - found:
        found |= more
    return {(table, name) for table, name in found if schema.has(table) and schema.table(table).column(name).type.length is not None}


@contextmanager
def _failures(path: Path, doing: str, condition_on: str | None = None) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, sa.exc.DBAPIError) as found:
        raise _failure(found.orig if isinstance(found, sa.exc.DBAPIError) else found, path, doing, condition_on) from None


def _failure(error: BaseException | None, path: Path, doing: str, condition_on: str | None) -> BaseException:
    text = str(error)
    code = getattr(error, "sqlite_errorcode", 0)
    undecodable = _NOT_TEXT.search(text)
    if undecodable or "decode" in text:
        column = f", column '{undecodable[1]}'" if undecodable else ""
        return ValueNotCarried(f"'{path}', {doing}{column}: a text is no UTF-8; mend it there, or let the policy drop the column")
    if code == sqlite3.SQLITE_INTERRUPT:
        return KeyboardInterrupt()
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return SourceFailure(f"'{path}': another process has it locked; close it there and begin again")
    if code & 0xFF == sqlite3.SQLITE_NOTADB:
        return InputError(f"'{path}' is no SQLite database")
    if code & 0xFF == sqlite3.SQLITE_CORRUPT:
        return SourceFailure(f"'{path}', {doing}: the file is damaged; `PRAGMA integrity_check` tells where")
    if code & 0xFF == sqlite3.SQLITE_CANTOPEN:
        return SourceFailure(f"'{path}' cannot be opened; is it, and the folder that SQLite keeps its log in, readable?")
    if condition_on is not None and isinstance(error, sqlite3.OperationalError):
        return refused(condition_on, f"SQLite does not take it: {text}")
    return SourceFailure(f"'{path}', {doing}: {text}")
