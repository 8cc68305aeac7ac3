"""DuckDB over the Parquet files of a bundle, or over a database file that is opened read-only."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

import duckdb
import pyarrow as pa

from dpsql.compiling.dialects import Name, quoted
from dpsql.engines.base import DataFault, Reading
from dpsql.errors import EngineFailure, EngineStopped, QueryRefused
from schemas.errors import CompanyOSError, InputError

# what a statement can fail with because of the values it meets
OF_DATA = (duckdb.DataError, duckdb.InvalidInputException, duckdb.ConstraintException, duckdb.OutOfMemoryException)
SPARSEST, MOST_BITS = 16, 10**9  # bits for a row, and in all, up to which a key is looked at bit by bit
HELD = "held_in_memory"
FINDING_HELD = f"SET search_path = 'memory,{HELD}'"  # what is held is found by its own name: a view over it would be read each time
PIECE = 122_880  # rows that one thread of DuckDB scans alone
MOST_READ = 256  # statements whose text is read once
MOST_IDLE = 8  # cursors that wait for the next question


class DuckDBEngine:
    """The tables of a schema in DuckDB.

    `files` maps every table to its Parquet files, and `unique` names columns of them that somebody else has found to have no values
    twice; with `database`, the tables are those of that file. Nothing is ever spilled to disk: a temporary file would hold raw rows. Nor is
    an extension downloaded, as DuckDB does to read a file of SQLite.
    Raises InputError where that file is none of DuckDB's, EngineFailure where it cannot be opened.
    """

    dialect: Name = "duckdb"

    def __init__(
        self,
        files: Mapping[str, Sequence[Path]] | None = None,
        database: Path | None = None,
        unique: Iterable[tuple[str, tuple[str, ...]]] = (),
    ) -> None:
        if database is not None and not database.is_file():
            raise InputError(f"{database}: there is no such database file")
        try:
            self._connection = duckdb.connect(
                str(database) if database else ":memory:", read_only=database is not None, config={"autoinstall_known_extensions": False}
            )
        except duckdb.Error as error:
            raise _cannot_open(database, str(error)) from error
        self._running: dict[duckdb.DuckDBPyConnection, int] = {}
        self._idle: list[duckdb.DuckDBPyConnection] = []
        # a statement that was read before runs in half the time, on any cursor; the tables it names are still looked up each time
        self._statement = lru_cache(MOST_READ)(partial(_statement, self._connection))
        self._unique = dict.fromkeys(unique, True)
        self._listed: list[str] = []
        self._counted = False
        self._holds = False
        self._lock = Lock()
        self._connection.execute("SET temp_directory = ''")
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute("SET parquet_metadata_cache = true")
        self._connection.execute("SET GLOBAL perfect_ht_threshold = 16")  # bits; units whose ids lie close together need no hashing
        self._connection.execute("SET GLOBAL python_enable_replacements = false")  # a name never means a variable of this program
        for table, paths in (files or {}).items():
            self._view(table, paths)

    def _view(self, table: str, paths: Sequence[Path]) -> None:
        *schema, name = table.split(".")
        for part in schema:
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(part)}")
        listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        target = ".".join(quoted(part) for part in (*schema, name))
        try:
            self._connection.execute(f"CREATE VIEW {target} AS SELECT * FROM read_parquet([{listed}], hive_partitioning = false)")
        except duckdb.Error as error:
            raise EngineFailure(
                f"the files of table '{table}' cannot be read; `companyos bundle verify` says more of a bundle's"
            ) from error
        self._listed.append(listed)

    def add(self, name: str, table: pa.Table) -> None:
        """Hold `table` under `name`, its texts as places in a dictionary, by which they are grouped faster than by themselves."""
        self._unique.clear()
        self._counted = False
        self._close_idle()  # none of them looks for names where tables are held
        if not self._holds:
            self._connection.execute(f"ATTACH ':memory:' AS {HELD} (COMPRESS)")
            self._connection.execute("SET GLOBAL disabled_compression_methods = 'bitpacking'")  # numbers are read faster as they are
            self._connection.execute(FINDING_HELD)
            self._holds = True
        self._connection.register(f"_{name}", table)
        self._connection.execute(f"CREATE TABLE {HELD}.{quoted(name)} AS SELECT * FROM {quoted(f'_{name}')}")
        self._connection.unregister(f"_{name}")
        self._connection.execute(f"CHECKPOINT {HELD}")

    def read(self) -> AbstractContextManager[_Reading]:
        """Open a snapshot."""
        return self._opened()

    @contextmanager
    def _opened(self) -> Iterator[_Reading]:
        """A reading by a cursor that nobody else uses: one that waits, if there is one, since to make another takes long.

        Each statement of it is a transaction of its own, and `cancel` reaches a cursor only while it is somebody's. One whose reading ended
        by an error is closed.
        """
        with self._lock:
            if not self._counted:
                self._count()
            cursor = self._idle.pop() if self._idle else self._new_cursor()
            self._running[cursor] = get_ident()
        reading = _Reading(cursor, self._statement)
        try:
            yield reading
            reading.let_go()
        except BaseException:
            self._release(cursor, usable=False)
            raise
        self._release(cursor, usable=True)

    def _release(self, cursor: duckdb.DuckDBPyConnection, *, usable: bool) -> None:
        with self._lock:
            del self._running[cursor]
            if usable and len(self._idle) < MOST_IDLE:
                self._idle.append(cursor)
                return
        cursor.close()  # and with it what it held

    def _new_cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        if self._holds:
            cursor.execute(FINDING_HELD)
        return cursor

    def _close_idle(self) -> None:
        with self._lock:
            for cursor in self._idle:
                cursor.close()
            self._idle.clear()

    def _count(self) -> None:
        """Keep to the asker's own thread where no table has more rows than one thread scans: to wake others takes longer than they save."""
        with suppress(duckdb.Error):
            ((most,),) = self._connection.execute("SELECT COALESCE(MAX(estimated_size), 0) FROM duckdb_tables()").fetchall()
            for listed in self._listed:
                ((rows,),) = self._connection.execute(f"SELECT SUM(num_rows) FROM parquet_file_metadata([{listed}])").fetchall()
                most = max(most, rows or 0)
            if most <= PIECE:
                self._connection.execute("SET threads = 1")
            else:
                self._connection.execute("RESET threads")
        self._counted = True

    def public_table(self, name: str, columns: tuple[str, ...], most: int) -> pa.Table:
        """Return the columns of a public table."""
        target = ".".join(quoted(part) for part in name.split("."))
        with self.read() as reading:
            found = reading.table(f"SELECT {', '.join(quoted(c) for c in columns)} FROM {target} LIMIT {most + 1}")
        if found.num_rows > most:
            raise QueryRefused(f"the public table '{name}' has more than {most:,} rows, too many to work with beside the answer")
        return found

    def unique(self, reading: Reading, table: str, columns: tuple[str, ...]) -> bool:
        """Whether no two rows have the same values in `columns`: found out once, since the data stays as it is."""
        known = self._unique.get((table, columns))
        if known is None:
            try:
                with self._opened() as own:
                    known = own.unique(".".join(quoted(part) for part in table.split(".")), [quoted(column) for column in columns])
            except DataFault:  # too many to find out
                known = False
            except EngineFailure:
                return False  # it was stopped perhaps, and may be asked again
            self._unique[table, columns] = known
        return known

    def cancel(self, thread: int) -> None:
        """Stop what a thread runs."""
        with self._lock:
            for cursor in [c for c, owner in self._running.items() if owner == thread]:
                cursor.interrupt()

    def close(self) -> None:
        """Close the database."""
        self._close_idle()
        self._connection.close()


class _Reading:
    def __init__(self, cursor: duckdb.DuckDBPyConnection, statement: Callable[[str], duckdb.Statement]) -> None:
        self._cursor = cursor
        self._statement = statement
        self._held: list[str] = []

    def table(self, sql: str) -> pa.Table:
        with _told_apart():
            return self._cursor.sql(sql).to_arrow_table()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with _told_apart():
            found = self._cursor.execute(self._statement(sql))
            if all(str(kind) != "TIMESTAMP WITH TIME ZONE" for _, kind, *_ in found.description or ()):
                return found.fetchall()
            found.abort()
            # only Arrow makes Python values of it without a further library
            return list(zip(*(column.to_pylist() for column in self._cursor.sql(sql).to_arrow_table().columns)))

    def hold(self, sql: str) -> str | None:
        name = quoted(f"contributions_{secrets.token_hex(8)}")
        with _told_apart():
            self._cursor.execute(f"CREATE TEMP TABLE {name} AS {sql}")
        self._held.append(name)
        return name

    def unique(self, target: str, columns: Sequence[str]) -> bool:
        """Whether no two rows have the same values in `columns`; for whole numbers close together, by a bit for each."""
        if len(columns) == 1:
            (column,) = columns
            ((rows, there, least, most),) = self.rows(f"SELECT COUNT(*), COUNT({column}), MIN({column}), MAX({column}) FROM {target}")
            if rows == there and isinstance(least, int) and not isinstance(least, bool):
                if most - least < rows - 1:
                    return False
                if most - least < min(SPARSEST * rows, MOST_BITS):
                    ((different,),) = self.rows(f"SELECT BIT_COUNT(BITSTRING_AGG({column}, {least}, {most})) FROM {target}")
                    return bool(different == rows)
        return not self.rows(f"SELECT 1 FROM {target} GROUP BY {', '.join(columns)} HAVING COUNT(*) > 1 LIMIT 1")

    def let_go(self) -> None:
        """Drop what the reading held."""
        with _told_apart():
            for name in self._held:
                self._cursor.execute(f"DROP TABLE IF EXISTS {name}")


def _cannot_open(database: Path | None, said: str) -> CompanyOSError:
    if "Could not set lock" in said:
        return EngineFailure(f"another process has '{database}' open; close it there and ask again")
    if "not a valid DuckDB database" in said or "sqlite" in said:
        return InputError(f"'{database}' is no DuckDB database")
    return EngineFailure(f"the database {database} cannot be opened")


def _statement(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    (statement,) = connection.extract_statements(sql)
    return statement


@contextmanager
def _told_apart() -> Iterator[None]:
    """What the data makes fail as DataFault, all else as EngineFailure; neither with the database's own message."""
    try:
        yield
    except OF_DATA as error:
        raise DataFault from error
    except duckdb.InterruptException as error:
        raise EngineStopped("the database could not answer; the query was charged") from error
    except duckdb.Error as error:
        raise EngineFailure("the database could not answer; the query was charged") from error
