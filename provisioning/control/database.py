"""The control database: opened by its address, migrated, read in snapshots and written by one at a time."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import sqlalchemy as sa

from provisioning.control import migrating
from provisioning.control.moments import utc_now
from provisioning.control.tables import installation
from provisioning.database_file import sqlite_full
from provisioning.errors import ControlFailure
from schemas.errors import InputError, mistyped_url, without_secrets
from schemas.home import data_folder, make_private
from schemas.transactions import of_a_reader, of_the_only_writer

CONTROL_VARIABLE = "COMPANYOS_CONTROL"
PATIENCE = 60  # seconds that a writer waits for others
ONE_WRITER = 7_240_991_253_310_228  # the advisory lock of writers in PostgreSQL


class Control:
    """Where the record of all sandboxes lives. `id` names this control database on hosts that serve several, `clock` tells the time."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self.clock = clock
        self.dialect = engine.dialect.name
        self.id = ""
        self.closed = Event()

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction of the only writer, from its first statement on; ControlFailure where the database fails."""
        with _failures(self._engine), of_the_only_writer(self._engine, ONE_WRITER) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database throughout; ControlFailure where the database fails."""
        with _failures(self._engine), of_a_reader(self._engine) as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.closed.set()
        self._engine.dispose()

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_control(address: str | Path | None = None, *, clock: Callable[[], datetime] = utc_now) -> Control:
    """Open the control database at `address`: a file, sqlite:///FILE or postgresql://...; it is made or migrated where needed.

    Without an address it is the one of $COMPANYOS_CONTROL, else `control.db` in $COMPANYOS_HOME or the user's data folder.
    Raises InputError for an address that is neither, ControlFailure where it cannot be opened or is of a newer version.
    """
    place = place_of(address)
    control = Control(_file(place) if isinstance(place, Path) else engine_of(place), clock)
    try:
        with control.read() as connection:
            ready = migrating.is_current(connection)
        if not ready:
            with control.write() as connection:
                migrating.migrate(connection)
        with control.read() as connection:
            found = connection.scalar(sa.select(installation.c.id))
        if found is None:
            with control.write() as connection:
                found = connection.scalar(sa.select(installation.c.id))
                if found is None:
                    found = secrets.token_hex(8)
                    connection.execute(installation.insert().values(id=found))
        control.id = found
    except BaseException:
        control.close()
        raise
    return control


def place_of(address: str | Path | None) -> Path | sa.URL:
    """Return the file or the URL of PostgreSQL that an address, or where there is none the environment, means; InputError."""
    said = str(address) if address is not None else os.environ.get(CONTROL_VARIABLE) or str(data_folder() / "control.db")
    if said.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        try:
            return sa.make_url("postgresql+psycopg://" + said.partition("://")[2])
        except (sa.exc.ArgumentError, ValueError) as error:
            raise InputError(f"the control database's address {mistyped_url(said)[:80]} cannot be read") from error
    if not said.startswith("sqlite:///") and ("://" in said or mistyped_url(said) != said):
        raise InputError(f"a control database is a file, sqlite:///FILE or postgresql://..., not {mistyped_url(said)[:80]}")
    return Path(said.removeprefix("sqlite:///")).expanduser().absolute()


def engine_of(url: sa.URL) -> sa.Engine:
    """Return the engine of a database in PostgreSQL; InputError where its driver is not installed."""
    try:
        return sa.create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10, pool_timeout=PATIENCE)
    except ImportError as error:
        raise InputError("a control database in PostgreSQL needs a driver: pip install 'companyos-data[postgres]'") from error
    except (sa.exc.ArgumentError, ValueError) as error:
        raise InputError(f"the control database's address {url.render_as_string()[:80]} cannot be read") from error


def _file(path: Path) -> sa.Engine:
    try:
        make_private(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        why = f"'{error.filename}' is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise ControlFailure(f"the control database '{path}' cannot be opened: {why}") from error
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": PATIENCE, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    return engine


@contextmanager
def _failures(engine: sa.Engine) -> Iterator[None]:
    """Errors of the database as ControlFailure, without the statement and its values."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        place = f" '{engine.url.database}'" if engine.dialect.name == "sqlite" else ""
        if isinstance(cause, sqlite3.Error) and sqlite_full(cause):
            raise ControlFailure(f"no space is left on the disk of the control database{place}; free some, and do it again") from error
        raise ControlFailure(f"the control database{place} failed: {without_secrets(str(cause)).splitlines()[0][:200]}") from error
