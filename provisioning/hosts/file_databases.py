"""What is asked of, and written into, a sandbox's database file: its marker, flags and settings, the rows of its tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb

from provisioning.control.moments import moment, stamp
from provisioning.errors import NotASandbox, TargetFailure
from schemas.ddl_names import qualified, quoted

SCHEMA = "companyos_sandbox"
_PATIENCE = 5.0  # seconds that SQLite waits for a lock

Ask = Callable[..., Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Mark:
    """The marker row of a database file; the name of its folder says in which phase it is."""

    sandbox: str
    control: str
    bundle_digest: str
    made_at: datetime


class CannotOpen(Exception):
    """A database file that cannot be read now: another process has it locked, or it is damaged. Its text says which."""


class FileDatabase(Protocol):
    """A kind of database file; `journals` are the files beside it that writing changes."""

    kind: str
    journals: tuple[str, ...]

    def own(self, name: str) -> str:
        """Return the place of our own table of this name, for SQL."""

    def table(self, name: str) -> str:
        """Return the place of a bundle's table, for SQL."""

    def read(self, path: Path, work: Callable[[Ask], Any]) -> Any:
        """Do `work` on the present state, without changing the file; CannotOpen."""

    def write(self, path: Path, work: Callable[[Ask], Any]) -> Any:
        """Do `work` in one transaction; CannotOpen."""


class DuckDB:
    """DuckDB, whose file one process at a time may write."""

    kind: str = "duckdb"
    journals: tuple[str, ...] = (".wal",)

    def own(self, name: str) -> str:
        return f"{SCHEMA}.{name}"

    def table(self, name: str) -> str:
        return qualified(name)

    def read(self, path: Path, work: Callable[[Ask], Any]) -> Any:
        return self._with(path, True, work)

    def write(self, path: Path, work: Callable[[Ask], Any]) -> Any:
        def transaction(ask: Ask) -> Any:
            ask("BEGIN TRANSACTION")
            ask(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            result = work(ask)
            ask("COMMIT")
            return result

        return self._with(path, False, transaction)

    def _with(self, path: Path, read_only: bool, work: Callable[[Ask], Any]) -> Any:
        try:
            # our own few rows take no second thread, and no settings of the user's
            connection = duckdb.connect(str(path), read_only=read_only, config={"threads": 1})
        except duckdb.Error as error:
            locked = "Could not set lock" in str(error) or "different configuration" in str(error)
            raise CannotOpen("is open elsewhere" if locked else f"cannot be read: {str(error).partition(chr(10))[0]}") from None
        with closing(connection):
            return work(lambda sql, *values: connection.execute(sql, values).fetchall())


class SQLite:
    """SQLite, whose file one connection at a time may write while others read."""

    kind: str = "sqlite"
    journals: tuple[str, ...] = ("-wal", "-journal")

    def own(self, name: str) -> str:
        return f"{SCHEMA}_{name}"

    def table(self, name: str) -> str:
        return quoted(name)

    def read(self, path: Path, work: Callable[[Ask], Any]) -> Any:
        return self._with(path, "ro", "BEGIN", work)

    def write(self, path: Path, work: Callable[[Ask], Any]) -> Any:
        return self._with(path, "rw", "BEGIN IMMEDIATE", work)

    def _with(self, path: Path, mode: str, begin: str, work: Callable[[Ask], Any]) -> Any:
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=_PATIENCE)) as connection:
                connection.execute(begin)
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
                result = work(lambda sql, *values: connection.execute(sql, values).fetchall())
                connection.execute("COMMIT")
                return result
        except sqlite3.DatabaseError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise CannotOpen("is locked elsewhere") from None
            if isinstance(error, sqlite3.OperationalError) and "unable to open" not in str(error) and "disk" not in str(error):
                raise
            raise CannotOpen(f"cannot be read: {error}") from None


DATABASES: Mapping[str, FileDatabase] = {"duckdb": DuckDB(), "sqlite": SQLite()}


def read_mark(database: FileDatabase, path: Path) -> Mark:
    """Return the marker row of the file; NotASandbox where it has none, CannotOpen."""
    place = database.own("marker")
    try:
        rows = database.read(path, lambda ask: ask(f"SELECT sandbox, control, bundle_digest, made_at FROM {place}"))
    except (duckdb.Error, sqlite3.Error):
        rows = []
    if len(rows) != 1:
        raise NotASandbox(f"'{path}' has no marker of a sandbox in it ({place}); nothing of it is touched")
    sandbox, control, digest, made_at = rows[0]
    return Mark(str(sandbox), str(control), str(digest), moment(str(made_at)))


def write_mark(database: FileDatabase, path: Path, mark: Mark, tables: Iterable[str]) -> dict[str, int]:
    """Write the marker row into a new copy, and return how many rows its tables have."""

    def work(ask: Ask) -> dict[str, int]:
        place = database.own("marker")
        ask(f"CREATE TABLE {place} (sandbox VARCHAR NOT NULL, control VARCHAR NOT NULL, bundle_digest VARCHAR NOT NULL, made_at VARCHAR)")
        ask(f"INSERT INTO {place} VALUES (?, ?, ?, ?)", mark.sandbox, mark.control, mark.bundle_digest, stamp(mark.made_at))
        return {name: int(ask(f"SELECT count(*) FROM {database.table(name)}")[0][0]) for name in tables}

    return dict(_written(database, path, work))


def write_settings(database: FileDatabase, path: Path, flags: Mapping[str, bool], settings: Mapping[str, Any]) -> None:
    """Write feature flags (name, enabled) and settings (name, value as JSON) in place of those that are there."""

    def work(ask: Ask) -> None:
        for table, column in (("feature_flags", "enabled BOOLEAN"), ("settings", "value VARCHAR")):
            ask(f"CREATE TABLE IF NOT EXISTS {database.own(table)} (name VARCHAR PRIMARY KEY, {column} NOT NULL)")
            ask(f"DELETE FROM {database.own(table)}")
        for name, enabled in flags.items():
            ask(f"INSERT INTO {database.own('feature_flags')} VALUES (?, ?)", name, bool(enabled))
        for name, value in settings.items():
            ask(f"INSERT INTO {database.own('settings')} VALUES (?, ?)", name, json.dumps(value, sort_keys=True))

    _written(database, path, work)


def read_flags(database: FileDatabase, path: Path) -> dict[str, bool]:
    """Return the feature flags of the file, none where somebody has removed their table; TargetFailure where the file cannot be read."""
    try:
        rows = database.read(path, lambda ask: ask(f"SELECT name, enabled FROM {database.own('feature_flags')} ORDER BY name"))
    except CannotOpen as error:
        raise TargetFailure(f"the sandbox's file '{path}' {error}; close it there and try again") from None
    except (duckdb.Error, sqlite3.Error):
        rows = []
    return {str(name): bool(enabled) for name, enabled in rows}


def _written(database: FileDatabase, path: Path, work: Callable[[Ask], Any]) -> Any:
    try:
        return database.write(path, work)
    except CannotOpen as error:
        raise TargetFailure(f"the sandbox's file '{path}' {error}; close it there and try again") from None
    except (duckdb.Error, sqlite3.Error) as error:
        raise TargetFailure(f"the sandbox's file '{path}' cannot be written: {str(error).partition(chr(10))[0]}") from None
