"""Opening a ledger by its address."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dpsql.errors import LedgerFailure
from dpsql.ledger import tables
from dpsql.ledger.chain import Chain
from dpsql.ledger.database import Database
from dpsql.ledger.stored import StoredLedger
from dpsql.ledger.terms import stamp
from schemas.anchor import Anchor
from schemas.errors import InputError, mistyped_url
from schemas.hash_chain import START
from schemas.home import data_folder, make_private, said_home, state_folder

LEDGER_VARIABLE = "COMPANYOS_LEDGER"
ANCHOR_VARIABLE = "COMPANYOS_LEDGER_ANCHOR"
DAMAGED = "put back the newest copy of it, or let `companyos dp audit --new-anchor` verify the ledger and write another"
NOWHERE = "nothing was asked yet, or it is elsewhere (--ledger, $COMPANYOS_LEDGER)"
PATIENCE = 60  # seconds that a writer waits for others
Address = str | os.PathLike[str]


def utc_now() -> datetime.datetime:
    """The clock of entries."""
    return datetime.datetime.now(datetime.UTC)


def open_ledger(
    address: Address | None = None,
    anchor: Address | None = None,
    *,
    create: bool = True,
    hold: bool = True,
    clock: Callable[[], datetime.datetime] = utc_now,
) -> StoredLedger:
    """Open the ledger at `address`: a file, sqlite:///FILE or postgresql://...; it is made where there is none, if `create` says so.

    Without an address it is the one of $COMPANYOS_LEDGER, else `ledger.db` in $COMPANYOS_HOME or the user's data folder. `anchor` is the
    anchor's file, else $COMPANYOS_LEDGER_ANCHOR; else it is beside a ledger that is a file, and in the user's state folder for the
    ledger of the data folder and for one in PostgreSQL. A disk of its own guards best against restored backups. `hold` false opens a
    ledger that its anchor does not know, to accept it as it is.
    Raises InputError for an address that is neither and where there is no ledger, LedgerFailure where it cannot be opened or is of a newer
    version, LedgerBroken where it is behind its anchor.
    """
    file: Callable[[], object] | None
    said = str(address) if address is not None else os.environ.get(LEDGER_VARIABLE) or str(_default())
    mark = anchor if anchor is not None else os.environ.get(ANCHOR_VARIABLE)
    if said.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        url = _url("postgresql+psycopg://" + said.partition("://")[2])
        place = (
            Path(mark)
            if mark
            else state_folder() / f"ledger-{_plain(url.host or 'local')}-{url.port or 5432}-{_plain(url.database or '')}.anchor"
        )
        engine, file = _server(url), None
    elif not said.startswith("sqlite:///") and ("://" in said or mistyped_url(said) != said):
        raise InputError(f"a ledger is a file, sqlite:///FILE or postgresql://..., not {mistyped_url(said)[:80]}")
    else:
        path = Path(said.removeprefix("sqlite:///")).expanduser().absolute()
        ours = said_home() is None and path == _default()
        place = Path(mark) if mark else state_folder() / "ledger.anchor" if ours else path.with_name(path.name + ".anchor")
        if not create and not path.exists():
            raise InputError(f"there is no ledger at {path}: {NOWHERE}")
        engine, file = _file(path), partial(_identity, path)
    _folder(place.parent)
    database = Database(engine, Anchor(place, "the ledger's anchor", DAMAGED, LedgerFailure), lambda: stamp(clock()), file)
    try:
        _prepare(database, create, hold)
    except BaseException:
        database.close()
        raise
    return StoredLedger(database)


def _prepare(database: Database, create: bool, hold: bool) -> None:
    """Make the tables of a new ledger; hold an old one to its version and its anchor."""
    if _held(database, hold):
        return
    if not create:
        raise InputError(f"there is no ledger in this database: {NOWHERE}")
    database.write_alone(lambda chain: _make(chain, database.anchor))


def _held(database: Database, hold: bool, made_meanwhile: bool = True) -> bool:
    """Whether there is a ledger, which is held to its version and its anchor then.

    An anchor that is not there before the tables are may be that of a ledger that another process makes just now: it is, before anybody
    sees the tables, so that it is looked for again.
    """
    mark = database.anchor.read()
    with database.reading() as connection:
        if not sa.inspect(connection).has_table(tables.version.name):
            return False
        _hold_version(connection)
        if not hold:
            return True
        if mark is not None or not made_meanwhile:
            Chain(connection, database.now()).hold(mark, database.anchor.path)
            return True
    return _held(database, hold, made_meanwhile=False)


def _make(chain: Chain, anchor: Anchor) -> None:
    tables.metadata.create_all(chain.connection)
    if chain.connection.scalar(sa.select(tables.version.c.version)) is None:
        chain.connection.execute(tables.version.insert().values(version=tables.VERSION))
    mark = anchor.read()
    chain.hold(mark, anchor.path)
    if mark is None:
        anchor.move(START)  # before the first entry, so that a ledger with entries and without an anchor has lost it


def _hold_version(connection: sa.Connection) -> None:
    found = connection.scalar(sa.select(tables.version.c.version))
    if found is None or found > tables.VERSION:
        raise LedgerFailure(f"the ledger is of version {found}, this program knows up to {tables.VERSION}: use a newer one")


def _server(url: sa.URL) -> sa.Engine:
    try:
        return sa.create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=0, pool_timeout=PATIENCE)
    except ImportError as error:
        raise InputError("a ledger in PostgreSQL needs a driver: pip install 'companyos-data[postgres]'") from error


def _file(path: Path) -> sa.Engine:
    _folder(path.parent)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # before SQLite makes it: nobody else may read it
    except OSError as error:
        raise LedgerFailure(f"the ledger {path} cannot be opened: {error.strerror}") from error
    url = sa.URL.create("sqlite", database=str(path))
    options = {"timeout": PATIENCE, "check_same_thread": False}
    engine = sa.create_engine(url, connect_args=options, poolclass=sa.pool.QueuePool, pool_size=8, max_overflow=0, pool_timeout=PATIENCE)

    def opened(connection: Any, record: Any) -> None:
        _durable(connection)
        record.info["file"] = _identity(path)

    def taken(connection: object, record: Any, proxy: object) -> None:
        if record.info["file"] != _identity(path):  # another file was put in its place, and this connection writes to the old one
            raise sa.exc.DisconnectionError

    sa.event.listen(engine, "connect", opened)
    sa.event.listen(engine, "checkout", taken)
    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _durable(connection: Any) -> None:
    """SQLite with every commit on the disk before it returns, and transactions that begin where we say."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "fullfsync = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _default() -> Path:
    return data_folder() / "ledger.db"


def _url(text: str) -> sa.URL:
    try:
        return sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise InputError(f"not the address of a database: {mistyped_url(text)[:80]}") from error


def _plain(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in text)


def _folder(path: Path) -> None:
    try:
        make_private(path)
    except OSError as error:
        raise LedgerFailure(f"the ledger's folder {path} cannot be made: {error.strerror}") from error
