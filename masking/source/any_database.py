"""A snapshot of any other database that SQLAlchemy reaches: one transaction over one connection, read through a cursor of the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from masking.errors import SourceFailure
from masking.source.base import Progress
from masking.source.batches import arrow_schema, reported
from masking.source.conditions import refused, with_flags
from masking.source.row_values import plain
from masking.source.rows import batch_of, gathered
from masking.source.streamed import Streamed
from schemas.connecting import engine_of
from schemas.ddl_names import split
from schemas.errors import InputError
from schemas.model import Column, Schema, Table
from schemas.reflect import reflect_connection
from schemas.types import SqlType

_OF_MYSQL = ("SET time_zone = '+00:00'", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
# how a database is told to give one consistent snapshot to a transaction, and sqlglot's name of its dialect
_SNAPSHOTS: dict[str, tuple[str | None, tuple[str, ...], str]] = {
    "mysql": ("REPEATABLE READ", _OF_MYSQL, "mysql"),
    "mariadb": ("REPEATABLE READ", _OF_MYSQL, "mysql"),
    "oracle": (None, ("SET TRANSACTION READ ONLY",), "oracle"),
    "mssql": ("SNAPSHOT", (), "tsql"),
}
_WITHOUT_SNAPSHOTS = (
    "SELECT t.table_name, t.engine FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine "
    "WHERE t.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' AND coalesce(e.transactions, 'NO') <> 'YES' ORDER BY 1"
)
_STEP_ROWS = 256
_HASHES = {"mysql": "crc32", "oracle": "ora_hash"}  # functions of a database that give whole numbers from 0 on, by sqlglot's dialect


@contextmanager
def open_any(target: sa.URL, progress: Progress) -> Iterator[AnyDatabaseSource]:
    """Open a source on a database that SQLAlchemy reaches; see `masking.source.opening.open_source`."""
    backend = target.get_backend_name()
    if backend not in _SNAPSHOTS:
        raise InputError(
            f"it is not known how {backend} gives a consistent snapshot; sources are postgresql, sqlite, {', '.join(_SNAPSHOTS)}"
        )
    isolation, begin, dialect = _SNAPSHOTS[backend]
    engine = engine_of(target)
    try:
        with _failures("connection to the source"):
            connection = engine.connect()
        try:
            with _failures("snapshot of the source"):
                if isolation is not None:
                    connection = connection.execution_options(isolation_level=isolation)
                for statement in begin:
                    connection.exec_driver_sql(statement)
                if dialect == "mysql":
                    _require_snapshots(connection)
            yield AnyDatabaseSource(connection, target, dialect, progress)
        finally:
            with suppress(Exception):
                connection.close()
    finally:
        engine.dispose()


def _require_snapshots(connection: sa.Connection) -> None:
    """Raise SourceFailure where a table of MySQL's is kept by an engine that shows what others write meanwhile."""
    for table, engine in connection.exec_driver_sql(_WITHOUT_SNAPSHOTS):
        raise SourceFailure(
            f"table '{table}' is kept by {engine}, which gives no snapshot; say ALTER TABLE {table} ENGINE = InnoDB, or mask a copy"
        )


class AnyDatabaseSource(Streamed):
    """A `Source` over a connection in a transaction that is one snapshot; a read that begins ends the one before."""

    schema: Schema
    dialect: str

    def __init__(self, connection: sa.Connection, target: sa.URL, dialect: str, progress: Progress) -> None:
        self._connection, self._target, self.dialect, self._progress = connection, target, dialect, progress
        self._open: sa.CursorResult[Any] | None = None
        with _failures("structure of the source"):
            self.schema = self._reflected()

    def count(self, table: str) -> int:
        """See `Source.count`."""
        return self.schema.table(table).rows.count or 0

    def sampled(self, table: str, share: float, columns: Sequence[str] | None = None) -> pa.RecordBatchReader | None:
        """See `Source.sampled`; rows are drawn by a hash of their keys, and of SQL Server's tables pages."""
        found = self.schema.table(table)
        if not found.key and self.dialect != "tsql":
            return None
        wanted = [found.column(c) for c in columns] if columns is not None else list(found.stored_columns)
        batches = reported(self._batches(found, wanted, None, (), share), self._progress, table, self.count(table))
        return pa.RecordBatchReader.from_batches(arrow_schema(wanted), batches)

    def check_unchanged(self) -> None:
        """See `Source.check_unchanged`."""
        with _failures("the snapshot at the end"):
            self._end_read()
            now = self._reflected()
        for table in self.schema.tables:
            if not now.has(table.name) or now.table(table.name).columns != table.columns:
                raise SourceFailure(f"the source changed under us: the table '{table.name}' was dropped or altered; begin again")

    def _reflected(self) -> Schema:
        return reflect_connection(self._connection, self._target, unconstrained=SqlType("numeric")).schema

    def _stream(self, table: Table, columns: Sequence[str], condition: str | None, flags: Sequence[str]) -> pa.RecordBatchReader:
        wanted = [table.column(name) for name in columns]
        batches = reported(self._batches(table, wanted, condition, flags), self._progress, table.name, self.count(table.name))
        return pa.RecordBatchReader.from_batches(with_flags(arrow_schema(wanted), len(flags)), batches)

    def _batches(
        self, table: Table, wanted: Sequence[Column], condition: str | None, flags: Sequence[str], share: float | None = None
    ) -> Iterator[pa.RecordBatch]:
        with _failures(f"table '{table.name}'", table.name if flags or condition is not None else None):
            self._end_read()
            namespace, name = split(table.name)
            held = sa.Table(name, sa.MetaData(), schema=namespace, autoload_with=self._connection, resolve_fks=False)
            query = query_of(held, table, wanted, condition, flags)
            if share is not None:
                query = sampled_query(held, table, wanted, share, self.dialect)
            result = self._open = self._connection.execute(query, execution_options={"stream_results": True, "max_row_buffer": _STEP_ROWS})
            for rows in gathered(lambda n: self._fetched(result, n, table), _STEP_ROWS):
                yield batch_of(table.name, wanted, len(flags), rows, plain)

    def _fetched(self, result: sa.CursorResult[Any], rows: int, table: Table) -> Sequence[Any]:
        if result is not self._open:
            raise SourceFailure(f"table '{table.name}': another read of the source began before this one had ended")
        return result.fetchmany(rows)

    def _end_read(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def query_of(held: sa.Table, table: Table, wanted: Sequence[Column], condition: str | None, flags: Sequence[str]) -> sa.Select[Any]:
    """Return the query for columns and flags of the rows of `table`, as the database has it (`held`), in the order of its key."""
    selected = [_asked(held.c[c.name]) for c in wanted]
    selected += [sa.case((_text(flag), 1), else_=0).label(f"condition_{i}") for i, flag in enumerate(flags)]
    query = sa.select(*(selected or [sa.literal(1)])).select_from(held)
    if condition is not None:
        query = query.where(_text(condition))
    return query.order_by(*(held.c[key] for key in table.key))


def sampled_query(held: sa.Table, table: Table, wanted: Sequence[Column], share: float, dialect: str) -> sa.Select[Any]:
    """Return the query for about a `share` of the rows of `table`, the same ones each time."""
    if dialect == "tsql":
        pages = sa.tablesample(held, sa.func.system(sa.text(f"{100 * share:.9f} PERCENT")), seed=sa.text("1"))
        return sa.select(*(_asked(pages.c[c.name]) for c in wanted))
    hashed = getattr(sa.func, _HASHES[dialect])
    total = sum((hashed(held.c[key]) for key in table.key[1:]), hashed(held.c[table.key[0]]))
    drawn = sa.func.mod(total, max(1, round(1 / share))) == 0
    return sa.select(*(_asked(held.c[c.name]) for c in wanted)).where(drawn).order_by(*(held.c[key] for key in table.key))


def _asked(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    # of MySQL's types, SET would come as a set of Python's, in any order, and TIME without its days
    if column.type.__visit_name__ == "SET":
        return sa.type_coerce(column, sa.String())
    return sa.type_coerce(column, sa.types.NullType()) if isinstance(column.type, mysql.TIME) else column


def _text(condition: str) -> sa.TextClause:
    # a line of its own, so that no comment in the condition hides what follows
    return sa.text("(\n" + condition.replace(":", "\\:") + "\n)")


@contextmanager
def _failures(doing: str, condition_on: str | None = None) -> Iterator[None]:
    try:
        yield
    except sa.exc.DBAPIError as error:
        # drivers put values into their messages, so that only the kind of error is told
        kind = type(error.orig).__name__ if error.orig is not None else type(error).__name__
        if condition_on is not None and isinstance(error, (sa.exc.ProgrammingError, sa.exc.OperationalError, sa.exc.DataError)):
            raise refused(condition_on, f"the database does not take it ({kind})") from None
        raise SourceFailure(f"{doing}: the database or its driver failed ({kind}, code {_code(error.orig)})") from None
    except sa.exc.SQLAlchemyError as error:
        raise SourceFailure(f"{doing}: {type(error).__name__}") from None


def _code(error: BaseException | None) -> object:
    found = error.args[0] if error is not None and error.args else None
    return found if isinstance(found, int) else "unknown"
