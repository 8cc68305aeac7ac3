"""Databases to reflect, as SQLAlchemy reaches them: their URLs, engines and failures."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import URL

from schemas.errors import InputError, SystemFailure, mistyped_url, without_secrets

_PACKAGES = {"psycopg": "'companyos-data[postgres]'", "MySQLdb": "mysqlclient"}  # of drivers whose packages have other names
_NOT_ALLOWED = "42501"  # insufficient_privilege


def database_url(url: str) -> URL:
    """Read the URL of a database as SQLAlchemy writes it; InputError where it is none."""
    try:
        target = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise InputError(
            f"'{mistyped_url(url)}' is no database URL; write it like sqlite:///shop.db or postgresql://user@host/name"
        ) from None
    if target.host and "@" in target.host:
        raise InputError("the URL's host cannot be read; in a password '@' is written %40, '/' %2F, ':' %3A, '%' %25 and a space %20")
    if target.get_backend_name() == "duckdb":
        raise InputError(
            "DuckDB files have no SQLAlchemy dialect here; reflect SQLite, PostgreSQL or another database that SQLAlchemy reaches"
        )
    if target.drivername in ("postgresql", "postgres"):
        target = target.set(drivername="postgresql+psycopg")
    return target


def engine_of(target: URL) -> sa.Engine:
    """Return an engine that keeps no connections; InputError where there is no such database file, or no driver."""
    if target.get_backend_name() == "sqlite":
        _require_sqlite_file(target)
    try:
        return sa.create_engine(target, poolclass=sa.pool.NullPool)
    except sa.exc.NoSuchModuleError:
        raise InputError(f"SQLAlchemy knows no dialect '{target.drivername}'; known are sqlite, postgresql, mysql, mssql, oracle") from None
    except ModuleNotFoundError as error:
        package = _PACKAGES.get(str(error.name), error.name)
        raise InputError(f"the driver {error.name} for {target.drivername} is not installed; pip install {package}") from None


def _require_sqlite_file(target: URL) -> None:
    from pathlib import Path

    if target.database in (None, "", ":memory:"):
        raise InputError("sqlite needs a file, such as sqlite:///shop.db")
    if Path(str(target.database)).is_dir():
        raise InputError(f"{target.database} is a folder; name a database file in it")
    if not Path(str(target.database)).is_file():
        raise InputError(f"{target.database}: there is no such database file")


@contextmanager
def reflection_failures(target: URL) -> Iterator[None]:
    """Turn SQLAlchemy's errors into SystemFailure, without the password; InputError where the file is no database."""
    shown = without_secrets(target.render_as_string(hide_password=True))
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        if getattr(getattr(error, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            raise InputError(f"'{target.database}' is no SQLite database") from None
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        if target.password:
            reason = reason.replace(str(target.password), "***")
        if getattr(error.orig if isinstance(error, sa.exc.DBAPIError) else None, "sqlstate", None) == _NOT_ALLOWED:
            reason += "; every table's rows are counted: the owner can say GRANT USAGE ON SCHEMA, and GRANT SELECT ON ALL TABLES IN SCHEMA"
        raise SystemFailure(f"{shown} cannot be read: {without_secrets(reason)}") from None
