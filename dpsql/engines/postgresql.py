"""PostgreSQL, read in one REPEATABLE READ, READ ONLY transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dpsql.compiling.dialects import Name, quoted
from dpsql.engines.base import DataFault, Reading
from dpsql.errors import EngineFailure, EngineStopped, QueryRefused
from schemas.ddl_names import literal
from schemas.errors import InputError

if TYPE_CHECKING:
    import psycopg
OF_STATEMENTS = ("54011", "54023")  # too many columns or arguments, whatever the data
# rows of tables that inherit from one are read with it, and not held by its index
_UNIQUE = """
SELECT EXISTS (
    SELECT FROM pg_class t JOIN pg_index i ON i.indrelid = t.oid
    WHERE t.oid = to_regclass({table}) AND (t.relkind = 'p' OR (t.relkind = 'r' AND NOT t.relhassubclass))
      AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
      AND (
          SELECT bool_and(a.attnotnull AND a.attname IN ({columns}))
          FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place) JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number
          WHERE k.place <= i.indnkeyatts
      )
)
"""


class PostgresEngine:
    """The tables of a schema in PostgreSQL at `url`; every statement ends after `timeout` seconds."""

    dialect: Name = "postgres"

    def __init__(self, url: str, timeout: float = 600.0) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://")
        self._timeout = timeout
        self._running: dict[psycopg.Connection[Any], int] = {}
        self._lock = Lock()

    @contextmanager
    def read(self) -> Iterator[_Reading]:
        """Open a snapshot."""
        try:
            import psycopg
        except ImportError as error:
            raise InputError("PostgreSQL needs a driver: pip install 'companyos-data[postgres]'") from error
        try:
            connection = psycopg.connect(
                self._url, autocommit=True, options=f"-c statement_timeout={int(self._timeout * 1000)} -c TimeZone=UTC"
            )
        except psycopg.Error as error:
            raise EngineFailure("the database cannot be reached") from error
        with self._lock:
            self._running[connection] = get_ident()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield _Reading(cursor)
        finally:
            with self._lock:
                del self._running[connection]
            connection.close()

    def public_table(self, name: str, columns: tuple[str, ...], most: int) -> pa.Table:
        """Return the columns of a public table."""
        target = ".".join(quoted(part) for part in name.split("."))
        with self.read() as reading:
            found = reading.rows(f"SELECT {', '.join(quoted(c) for c in columns)} FROM {target} LIMIT {most + 1}")
        if len(found) > most:
            raise QueryRefused(f"the public table '{name}' has more than {most:,} rows, too many to work with beside the answer")
        return pa.table({column: [row[n] for row in found] for n, column in enumerate(columns)})

    def unique(self, reading: Reading, table: str, columns: tuple[str, ...]) -> bool:
        """Whether an index of the table makes sure that no two rows have the same values in `columns`."""
        target = ".".join(quoted(part) for part in table.split("."))
        listed = ", ".join(literal(column) for column in columns)
        return bool(reading.rows(_UNIQUE.format(table=literal(target), columns=listed))[0][0])

    def cancel(self, thread: int) -> None:
        """Stop what a thread runs."""
        import psycopg

        with self._lock:
            running = [c for c, owner in self._running.items() if owner == thread]
        for connection in running:
            with suppress(psycopg.Error):  # it may have ended by itself in the meantime
                connection.cancel_safe()

    def close(self) -> None:
        """Nothing stays open from one question to the next."""


def _of_resources(error: psycopg.Error) -> bool:
    """Whether a statement came to a limit of memory, disk or size, as it can over the values that it meets."""
    state = error.sqlstate or ""
    if state == "XX000":
        return "invalid memory alloc" in (error.diag.message_primary or "")  # which PostgreSQL never translates
    return state[:2] in ("53", "54") and state not in OF_STATEMENTS


class _Reading:
    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        import psycopg

        try:
            return list(self._cursor.execute(sql.encode()))
        except psycopg.DataError as error:
            raise DataFault from error
        except psycopg.Error as error:
            if _of_resources(error):
                raise DataFault from error
            failure = EngineStopped if isinstance(error, psycopg.errors.QueryCanceled) else EngineFailure
            raise failure("the database could not answer; the query was charged") from error

    def hold(self, sql: str) -> str | None:
        return None
