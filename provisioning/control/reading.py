"""A control database that is only read: of a file a copy that nobody may write is enough, in a folder that nobody may write."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from provisioning.control import migrating
from provisioning.control.database import PATIENCE, Control, engine_of, place_of
from provisioning.control.moments import utc_now
from provisioning.control.tables import installation
from provisioning.errors import ControlFailure
from schemas.errors import InputError


@contextmanager
def open_to_read(address: str | Path | None = None, *, clock: Callable[[], datetime] = utc_now) -> Iterator[Control]:
    """Open the control database at `address`, as `open_control` does, but neither make nor migrate nor write it.

    Raises InputError where there is none, ControlFailure where it cannot be read, is of another version, or changed while it was read.
    """
    place = place_of(address)
    if isinstance(place, Path):
        with _file(place) as engine:
            yield _opened(engine, clock)
    else:
        with _opened(engine_of(place), clock) as control:
            yield control


def can_only_be_read(address: str | Path | None = None) -> bool:
    """Whether the control database at `address` is a file that this account may not write, or may write nothing beside."""
    place = place_of(address)
    return isinstance(place, Path) and place.is_file() and not (os.access(place, os.W_OK) and os.access(place.parent, os.W_OK))


def _opened(engine: sa.Engine, clock: Callable[[], datetime]) -> Control:
    control = Control(engine, clock)
    try:
        with control.read() as connection:
            if not migrating.is_current(connection):
                found = migrating.version(connection)
                what = "is no control database" if found is None else f"is of version {found}, this program reads {migrating.HEAD} alone"
                raise ControlFailure(f"the database {what}; any command of `companyos sandbox` brings an older one up to date")
            control.id = connection.scalar(sa.select(installation.c.id)) or ""
    except BaseException:
        control.close()
        raise
    return control


@contextmanager
def _file(path: Path) -> Iterator[sa.Engine]:
    """The engine of a file that is only read, whose journal is left as SQLite leaves it.

    SQLite reads a file with a write-ahead log together with an index of that log, which it makes beside the file. Where it may not, and
    there is no log, the file is all there is: it is read as one that nobody changes, and held to that when all is read.
    """
    if not path.is_file():
        raise InputError(f"there is no control database '{path}'")
    # who can write moves a log into the file when done; who cannot leaves an empty one where there was none
    uri, frozen = f"{path.as_uri()}?mode={'ro' if _journals(path) else 'rw'}", None
    try:
        if not _can_be_read(uri):
            if _journals(path):
                said = "beside it is a journal with rows, for which something must be written; copy all of them to a folder of your own"
                raise ControlFailure(f"the control database '{path}' cannot be read where it is: {said}")
            uri, frozen = f"{path.as_uri()}?mode=ro&immutable=1", _state(path)
            _can_be_read(uri)
    except sqlite3.Error as error:
        raise ControlFailure(f"the control database '{path}' cannot be read: {error}") from error
    engine = sa.create_engine(f"sqlite:///{path}", creator=lambda: _connected(uri))
    try:
        yield engine
    finally:
        engine.dispose()
    if frozen is not None and _state(path) != frozen:
        raise ControlFailure(f"the control database '{path}' was changed while it was read; read it again, or a copy of it")


def _connected(uri: str) -> sqlite3.Connection:
    # transactions begin where we say so
    connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _can_be_read(uri: str) -> bool:
    """Whether the file can be read so; False where something would have to be written beside it; sqlite3.Error."""
    try:
        with closing(_connected(uri)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) and "immutable" not in uri:
            return False
        raise
    return True


def _journals(path: Path) -> int:
    """The bytes of what is beside the file and belongs to its present state."""
    found = [Path(f"{path}{end}") for end in ("-wal", "-journal")]
    return sum(p.stat().st_size for p in found if p.exists())


def _state(path: Path) -> tuple[int, int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, _journals(path)
