"""Opening a ledger by its address."""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa
from platformdirs import user_data_path

from dpsql.errors import LedgerFailure
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.stored import StoredLedger
from schemas.errors import InputError, without_secrets


def default_path() -> Path:
    """Where the ledger is kept if nothing else is said: in COMPANYOS_LEDGER, else in the user's data folder."""
    said = os.environ.get("COMPANYOS_LEDGER")
    return Path(said) if said else user_data_path("companyos") / "ledger.db"


def open_ledger(address: str | os.PathLike[str] | None = None, anchor: str | os.PathLike[str] | None = None) -> StoredLedger:
    """Open the ledger at `address`: a file (SQLite), postgresql://..., or None for the default file; it is made where there is none.

    `anchor` is the anchor's file, beside the ledger's own by default; another disk or machine guards against restored backups better.
    Raises InputError for an address that is neither, LedgerFailure where it cannot be opened, LedgerBroken where it is behind its anchor.
    """
    text = str(address) if address is not None else str(default_path())
    if text.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        url = sa.make_url("postgresql+psycopg://" + text.partition("://")[2])
        mark = Path(anchor) if anchor is not None else user_data_path("companyos") / f"{url.host or 'local'}-{url.database}.anchor"
        _folder(mark.parent)
        try:
            engine = sa.create_engine(url, pool_pre_ping=True)
        except ImportError as error:
            raise InputError("PostgreSQL needs a driver: pip install 'companyos-data[postgres]'") from error
    elif "://" in text and not text.startswith("sqlite:///"):
        raise InputError(f"a ledger is a file or postgresql://..., not {without_secrets(text)[:80]}")
    else:
        path = Path(text.removeprefix("sqlite:///"))
        mark = Path(anchor) if anchor is not None else path.with_name(path.name + ".anchor")
        _folder(path.parent)
        _folder(mark.parent)
        _private_file(path)
        engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 60, "check_same_thread": False})
        sa.event.listen(engine, "connect", _durable)
    return StoredLedger(engine, Anchor(mark))


def _folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerFailure(f"the ledger's folder {path} cannot be made: {error.strerror}") from error


def _private_file(path: Path) -> None:
    """A new file that nobody else may read."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise LedgerFailure(f"the ledger {path} cannot be opened: {error.strerror}") from error


def _durable(connection: object, record: object) -> None:
    """SQLite with every commit on the disk before it returns, and transactions that begin where we say."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()
