"""A snapshot of a PostgreSQL database: one session holds it, and others, which read by binary COPY, import it.

The first session locks the tables against changes of their structure (ACCESS SHARE, as `pg_dump` does) before it takes the
snapshot, so that catalogue and rows are of one moment, and stays so until the end. Readers and writers go on undisturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa

from masking.errors import SourceFailure
from masking.source.base import Progress
from masking.source.batches import arrow_schema, reported, without_columns
from masking.source.conditions import as_flags, with_condition, with_flags
from masking.source.losses import NotCarried, loss
from masking.source.postgresql_errors import postgresql_failures
from masking.source.postgresql_values import asked, carried, order
from masking.source.streamed import Streamed, stored_names
from schemas.connecting import engine_of
from schemas.ddl_names import literal, quoted
from schemas.errors import InputError
from schemas.model import Schema, Table
from schemas.prefetch import prefetched
from schemas.reflect import reflect_connection
from schemas.types import SqlType

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SETTINGS = {
    "row_security": "off",  # to fail where rows are hidden
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "'30s'",
    "jit": "off",
    "client_min_messages": "error",
    "TimeZone": "'UTC'",
}
# a table without a key is read as it lies, from the first page to the last
_IN_ORDER = {"synchronize_seqscans": "off", "max_parallel_workers_per_gather": "0"}
_AS_IT_LIES = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")
_BATCH_BYTES = 8 << 20
_OPTIONS = {"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)}
_USERS = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
_TABLES = (
    "SELECT n.nspname, c.relname, c.relkind = 'r' AND c.relhassubclass, "
    "has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    f"WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND {_USERS} ORDER BY 1, 2"
)
# the type of each column, beneath any domains
_TYPES = (
    "WITH RECURSIVE base(oid, of) AS (SELECT oid, oid FROM pg_type UNION ALL "
    "SELECT base.oid, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.of WHERE t.typtype = 'd') "
    "SELECT n.nspname, c.relname, a.attname, t.typname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN base ON base.oid = a.atttypid JOIN pg_type t ON t.oid = base.of "
    f"WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND t.typtype <> 'd' AND {_USERS}"
)


@dataclass(frozen=True)
class _Place:
    """Where a table is: what stands after FROM, and the names of its columns' types beneath their domains."""

    source: str
    bases: dict[str, str]
    rows: int


@contextmanager
def open_postgresql(target: sa.URL, progress: Progress) -> Iterator[PostgresqlSource]:
    """Open a source on a PostgreSQL database; see `masking.source.opening.open_source`."""
    try:
        import adbc_driver_postgresql  # noqa: F401
    except ImportError:
        raise InputError("reading from PostgreSQL needs its driver; `pip install 'companyos-data[postgres]'` brings it") from None
    engine = engine_of(target)
    try:
        with postgresql_failures("connection to PostgreSQL"):
            leader = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        source = PostgresqlSource(leader, target, progress)
        try:
            yield source
        finally:
            source.close()
    finally:
        engine.dispose()


class PostgresqlSource(Streamed):
    """A `Source`; the session that holds its snapshot is `leader`, and each read that goes on at the time has one of its own."""

    schema: Schema
    dialect = "postgres"

    def __init__(self, leader: sa.Connection, target: sa.URL, progress: Progress) -> None:
        self._leader, self._progress = leader, progress
        self._url = target.set(drivername="postgresql").render_as_string(hide_password=False)
        self._idle: list[Connection] = []
        with postgresql_failures("snapshot of the source"):
            locked = self._lock()
            self._snapshot = str(self._rows("SELECT pg_export_snapshot()")[0][0])
            self.schema = reflect_connection(leader, target, unconstrained=SqlType("numeric")).schema
            self._places = self._located(locked)

    def count(self, table: str) -> int:
        """See `Source.count`."""
        return self._places[table].rows

    def sampled(self, table: str, share: float, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """See `Source.sampled`; whole pages are drawn."""
        found = self.schema.table(table)
        pages = f"TABLESAMPLE SYSTEM ({100 * share:.9f}) REPEATABLE (1)"
        return self._stream(found, stored_names(found) if columns is None else columns, None, (), pages)

    def check_unchanged(self) -> None:
        """See `Source.check_unchanged`; that the structure does not change, the locks see to."""
        with postgresql_failures("the snapshot at the end"):
            self._rows("SELECT 1")

    def close(self) -> None:
        """End all sessions, and with them the snapshot."""
        for connection in self._idle:
            with suppress(Exception):
                connection.close()
        self._idle.clear()
        with suppress(Exception):
            self._leader.exec_driver_sql("ROLLBACK")
        with suppress(Exception):
            self._leader.close()

    def _rows(self, sql: str) -> Sequence[Any]:
        return self._leader.exec_driver_sql(sql.replace("%", "%%")).fetchall()

    def _lock(self) -> set[tuple[str, str]]:
        """Begin the transaction with locks, before which it sees nothing, so that its snapshot is later than they are."""
        tables = self._rows(_TABLES)
        barred = [f"{quoted(namespace)}.{quoted(name)}" for namespace, name, _, may in tables if not may]
        if barred:
            user, listed = self._rows("SELECT current_user")[0][0], ", ".join(barred)
            raise SourceFailure(f"the user '{user}' may not read {listed}; the owner can say: GRANT SELECT ON {listed} TO {quoted(user)}")
        self._leader.exec_driver_sql(_BEGIN)
        for name, value in _SETTINGS.items():
            self._leader.exec_driver_sql(f"SET LOCAL {name} TO {value}")
        if tables:
            names = [("ONLY " if has_heirs else "") + f"{quoted(namespace)}.{quoted(name)}" for namespace, name, has_heirs, _ in tables]
            self._leader.exec_driver_sql(f"LOCK TABLE {', '.join(names).replace('%', '%%')} IN ACCESS SHARE MODE")
        return {(namespace, name) for namespace, name, _, _ in tables}

    def _located(self, locked: set[tuple[str, str]]) -> dict[str, _Place]:
        current = self._rows("SELECT current_schema()")[0][0]
        bases: dict[tuple[str, str], dict[str, str]] = {}
        for namespace, name, column, base in self._rows(_TYPES):
            bases.setdefault((namespace, name), {})[column] = base
        places = {}
        for namespace, name, has_heirs, _ in self._rows(_TABLES):
            table = name if namespace == current else f"{namespace}.{name}"
            if not self.schema.has(table):
                continue
            if (namespace, name) not in locked:
                raise SourceFailure(f"the table '{table}' was made while the source was opened; begin again")
            whole = f"{quoted(namespace)}.{quoted(name)}"
            source = f"ONLY {whole}" if has_heirs else whole
            # the reflection has counted the rows of heirs too
            rows = self._rows(f"SELECT count(*) FROM {source}")[0][0] if has_heirs else self.schema.table(table).rows.count
            places[table] = _Place(source, bases.get((namespace, name), {}), int(rows or 0))
        gone = [t.name for t in self.schema.tables if t.name not in places]
        if gone:
            raise SourceFailure(f"the table '{gone[0]}' cannot be found again in the source; begin again")
        return places

    def _stream(
        self, table: Table, columns: Sequence[str], condition: str | None, flags: Sequence[str], pages: str = ""
    ) -> pa.RecordBatchReader:
        place = self._places[table.name]
        wanted = [table.column(name) for name in columns]
        expressions = [asked(column, place.bases[column.name]) for column in wanted]
        selected = [f"{sql} AS c{i}" for i, sql in enumerate(s for found in expressions for s in found)] + as_flags(flags)
        query = with_condition(f"SELECT {', '.join(selected) or '1'} FROM {place.source} t {pages}", condition)
        if not pages:
            query += order(table, [place.bases[name] for name in table.key])
        schema = with_flags(arrow_schema(wanted), len(flags))

        def given(batch: pa.RecordBatch) -> pa.RecordBatch:
            arrays, position = [], 0
            for column, found in zip(wanted, expressions, strict=True):
                try:
                    arrays.append(carried(column, batch.columns[position : position + len(found)]))
                except NotCarried as error:
                    raise loss(table.name, column, error) from None
                position += len(found)
            arrays += [array.cast(pa.bool_()) for array in batch.columns[position : position + len(flags)]]
            return pa.RecordBatch.from_arrays(arrays, schema=schema) if arrays else without_columns(batch.num_rows)

        batches = self._batches(table, query, given, bool(flags) or condition is not None)
        return pa.RecordBatchReader.from_batches(schema, reported(batches, self._progress, table.name, place.rows))

    def _batches(
        self, table: Table, sql: str, given: Callable[[pa.RecordBatch], pa.RecordBatch], conditional: bool
    ) -> Iterator[pa.RecordBatch]:
        cursors: list[Cursor] = []

        # all that waits for the server is done in the thread: called from the main one, the driver would keep Ctrl-C to itself
        def rows() -> Generator[pa.RecordBatch]:
            doing = f"table '{table.name}'"
            with self._session() as connection, connection.cursor(adbc_stmt_kwargs=_OPTIONS) as cursor:
                cursors.append(cursor)
                for setting in _AS_IT_LIES:
                    _execute(cursor, f"SET LOCAL {setting} TO {'on' if table.key else 'off'}", doing)
                with postgresql_failures(doing, table.name if conditional else None):
                    cursor.execute(sql)
                    for batch in cursor.fetch_record_batch():
                        yield given(batch)

        reading = rows()
        try:
            with prefetched(reading, lambda: cursors[0].adbc_cancel()) as batches:
                yield from batches
        finally:
            reading.close()

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """A connection in the snapshot; it is kept for the next read only if all was read."""
        connection = self._idle.pop() if self._idle else self._follower()
        try:
            yield connection
        except BaseException:
            with suppress(Exception):
                connection.close()
            raise
        self._idle.append(connection)

    def _follower(self) -> Connection:
        from adbc_driver_postgresql import dbapi

        with postgresql_failures("connection to PostgreSQL"):
            connection = dbapi.connect(self._url, autocommit=True)
        try:
            with connection.cursor() as cursor:
                _execute(cursor, _BEGIN, "snapshot of the source")
                _execute(cursor, f"SET TRANSACTION SNAPSHOT {literal(self._snapshot)}", "snapshot of the source")
                for name, value in (_SETTINGS | _IN_ORDER).items():
                    _execute(cursor, f"SET LOCAL {name} TO {value}", "settings of the session")
        except BaseException:
            connection.close()
            raise
        return connection


def _execute(cursor: Cursor, sql: str, doing: str) -> None:
    with postgresql_failures(doing):
        cursor.execute(sql)
