"""Loading into PostgreSQL through ADBC, which speaks binary COPY; everything happens in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa

from provisioning.errors import TargetFailure, TargetInUse, TargetInvalid
from provisioning.interrupts import interruptible, last_step
from provisioning.loaders.base import already_there
from provisioning.loaders.postgresql_errors import postgresql_errors
from provisioning.loaders.postgresql_values import given_back, pieces, read_back_query, sent, sent_schema
from provisioning.read_back import ReadBack
from provisioning.shipment import Shipment
from provisioning.target import Target
from schemas.ddl import AFTER_DATA, Ddl, NotEnforced, ddl
from schemas.ddl_names import literal, quoted, split
from schemas.errors import InputError
from schemas.model import Schema, Table
from schemas.prefetch import prefetched

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

# keys are sorted in memory, and a lock that another session holds is not waited for without end
SETTINGS = {
    "TimeZone": "'UTC'",
    "maintenance_work_mem": "'256MB'",
    "jit": "off",
    "lock_timeout": "'30s'",
    "statement_timeout": "0",
    "client_min_messages": "error",
}
# a plain scan of the pages from the first to the last gives the rows as they were sent
_IN_ORDER = {"synchronize_seqscans": "off", "max_parallel_workers_per_gather": "0"}
_PAST_INDEXES = {"enable_indexscan": "off", "enable_indexonlyscan": "off", "enable_bitmapscan": "off"}
_LOCK = 0x636F6D70616E796F  # one load at a time in a database
_PASSWORD = re.compile(r"[?&]password=([^&]*)")
_KINDS = {"v": "view", "m": "materialized view", "S": "sequence", "f": "foreign table", "i": "index", "c": "type"}

Places = dict[str, tuple[str, str]]


def load(target: Target, shipment: Shipment, *, replace: bool) -> Sequence[NotEnforced]:
    """Load a shipment into a PostgreSQL database; see `provisioning.loaders.base.Loader`."""
    assert target.url is not None
    with connected(target.url) as connection, connection.cursor() as cursor:
        plan = ddl(shipment.schema, "postgresql", version=_version(cursor))
        try:
            load = _Load(cursor, shipment, plan)
            interruptible(lambda: load.run(replace), load.cancel)
            with postgresql_errors("commit", _secrets(target.url)), last_step():
                connection.commit()
        except BaseException:
            with suppress(Exception):
                connection.rollback()
            raise
    return plan.not_enforced


def compare(target: Target, shipment: Shipment) -> None:
    """Read a database back that holds a shipment, in the order in which it was loaded; ReadBackDiffers where it is not the same."""
    assert target.url is not None
    with connected(target.url) as connection, connection.cursor() as cursor:
        load = _Load(cursor, shipment, ddl(shipment.schema, "postgresql", version=_version(cursor)))
        interruptible(load.compare, load.cancel)


class _Load:
    def __init__(self, cursor: Cursor, shipment: Shipment, plan: Ddl) -> None:
        self._cursor, self._shipment, self._plan = cursor, shipment, plan
        self._cancelled = Event()

    def cancel(self) -> None:
        """Stop `run`, from another thread."""
        self._cancelled.set()
        self._cursor.adbc_cancel()

    def _go_on(self) -> None:
        if self._cancelled.is_set():
            raise KeyboardInterrupt

    def run(self, replace: bool) -> None:
        schema = self._shipment.schema
        self._set(SETTINGS)
        if not self._rows(f"SELECT pg_try_advisory_xact_lock({_LOCK})", "lock of the load")[0][0]:
            raise TargetFailure("another load into this database is running; wait for it to end")
        places = self._places(schema)
        self._clear(places, replace)
        self._create(replace)
        with prefetched(self._batches(schema.tables)) as batches:
            for table in schema.tables:
                self._fill(table, places[table.name], batches)
        self._set(_IN_ORDER)
        # what is read is digested here while the server, which no longer changes a row, builds keys and indexes
        with ReadBack(self._shipment, partial(self._read_back, places), given_back) as read_back:
            for table in schema.tables:
                read_back.take(table)
            for statement in self._plan.phase(*AFTER_DATA):
                self._execute(statement.sql, f"table '{statement.subject}', {statement.phase}")
            self._set(_PAST_INDEXES)
            read_back.compare()

    def compare(self) -> None:
        """Hold what is there against the shipment."""
        self._set(SETTINGS | _IN_ORDER | _PAST_INDEXES)
        places = self._places(self._shipment.schema)
        with ReadBack(self._shipment, partial(self._read_back, places), given_back) as read_back:
            for table in self._shipment.schema.tables:
                read_back.take(table)
            read_back.compare()

    def _execute(self, sql: str, doing: str) -> None:
        self._go_on()
        with postgresql_errors(doing):
            self._cursor.execute(sql)

    def _rows(self, sql: str, doing: str) -> list[tuple[Any, ...]]:
        with postgresql_errors(doing):
            self._cursor.execute(sql)
            found: list[tuple[Any, ...]] = self._cursor.fetchall()
            return found

    def _set(self, settings: Mapping[str, str]) -> None:
        for name, value in settings.items():
            self._execute(f"SET LOCAL {name} TO {value}", "settings of the session")

    def _places(self, schema: Schema) -> Places:
        """The schema and name of each table in the database."""
        current = self._rows("SELECT current_schema()", "current schema")[0][0]
        if current is None:
            raise TargetInvalid("the database has no schema in its search_path to make tables in")
        return {t.name: (split(t.name)[0] or current, split(t.name)[1]) for t in schema.tables}

    def _clear(self, places: Places, replace: bool) -> None:
        names = ", ".join(f"({literal(namespace)}, {literal(name)})" for namespace, name in places.values())
        held = self._rows(
            "SELECT n.nspname, c.relname, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            f"WHERE (n.nspname, c.relname) IN ({names}) ORDER BY 1, 2",
            "tables of the database",
        )
        for namespace, name, kind in held:
            if kind not in ("r", "p"):
                what = _KINDS.get(kind, "relation")
                raise TargetInUse(f"the database has the {what} '{namespace}.{name}', where the bundle has a table; drop it first")
        if held and not replace:
            raise already_there("the database", [f"{namespace}.{name}" for namespace, name, _ in held])
        if held:
            dropped = ", ".join(f"{quoted(namespace)}.{quoted(name)}" for namespace, name, _ in held)
            self._execute(f"DROP TABLE {dropped}", "tables to replace")

    def _create(self, replace: bool) -> None:
        namespaces = {row[0] for row in self._rows("SELECT nspname FROM pg_namespace", "schemas of the database")}
        for statement in self._plan.phase("namespaces"):
            # even with IF NOT EXISTS, this takes a privilege that the owner of a ready-made schema may lack
            if statement.subject not in namespaces:
                self._execute(statement.sql, f"schema '{statement.subject}'")
        for statement in self._plan.phase("types"):
            if not self._has_type(statement.subject, statement.sql, replace):
                self._execute(statement.sql, f"type {statement.subject}")
        for statement in self._plan.phase("tables"):
            self._execute(statement.sql, f"table '{statement.subject}'")

    def _has_type(self, name: str, create: str, replace: bool) -> bool:
        """Whether the database has the enum type with the same values; one with others is in the way."""
        labels = self._rows(
            f"SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum "
            f"WHERE enumtypid = to_regtype({literal(name)})",
            f"type {name}",
        )[0][0]
        if labels is None:
            return False
        if create.endswith(f"({labels})"):
            return True
        if not replace:
            raise TargetInUse(f"the database has the type {name} with other values; --replace drops it, if no other table uses it")
        self._execute(f"DROP TYPE {name}", f"type {name}")
        return False

    def _batches(self, tables: Sequence[Table]) -> Iterator[pa.RecordBatch | None]:
        """The rows of all tables as ADBC is to send them, and None after each table."""
        for table in tables:
            for batch in self._shipment.batches(table):
                yield sent(table, batch)
            yield None

    def _fill(self, table: Table, place: tuple[str, str], batches: Iterator[pa.RecordBatch | None]) -> None:
        failed: list[BaseException] = []

        def rows() -> Iterator[pa.RecordBatch]:
            try:
                while (batch := next(batches)) is not None:
                    yield from pieces(batch)
                    self._go_on()
                    self._shipment.progress("load", table.name, batch.num_rows)
            except BaseException as error:
                failed.append(error)
                raise

        reader = pa.RecordBatchReader.from_batches(sent_schema(table), rows())
        try:
            with postgresql_errors(f"table '{table.name}'"):
                self._cursor.adbc_ingest(place[1], reader, mode="append", db_schema_name=place[0])
        except Exception:
            if failed:  # the driver has wrapped our own error
                raise failed[0] from None
            raise

    def _read_back(self, places: Places, table: Table) -> Iterator[pa.RecordBatch]:
        namespace, name = places[table.name]
        with postgresql_errors(f"table '{table.name}'"):
            self._cursor.execute(read_back_query(table, f"{quoted(namespace)}.{quoted(name)}"))
            for batch in self._cursor.fetch_record_batch():
                yield batch
                self._go_on()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection of ADBC, whose transaction is undone unless it is committed; InputError without the driver, TargetFailure."""
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise InputError("loading into PostgreSQL needs its driver; `pip install 'companyos-data[postgres]'` brings it") from None
    with postgresql_errors("connection to PostgreSQL", _secrets(url)):
        connection = dbapi.connect(url)
    try:
        yield connection
    finally:
        connection.close()


def _version(cursor: Cursor) -> int:
    """The major version of the server."""
    with postgresql_errors("version of the server"):
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        return int(cursor.fetchall()[0][0])


def _secrets(url: str) -> tuple[str, ...]:
    """The passwords in a URL, as written and as meant."""
    authority = url.partition("://")[2].rpartition("@")[0]
    found = [authority.partition(":")[2], *_PASSWORD.findall(url)]
    return tuple(sorted({s for f in found for s in (f, unquote(f)) if s}, key=len, reverse=True))
