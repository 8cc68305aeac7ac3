"""Transactions over a database of our own, in SQLite or PostgreSQL: of the only writer, and of a reader who sees one state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


def driven(connection: sa.Connection, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement as the driver takes it and return its rows, if it has any; errors are SQLAlchemy's.

    For the few statements that run with every question: what SQLAlchemy does around one takes several times as long as it runs.
    """
    database: Any = connection.connection.driver_connection
    cursor = database.cursor()
    try:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as error:
        raise sa.exc.DBAPIError(statement, None, error) from error
    finally:
        cursor.close()


@contextmanager
def of_the_only_writer(engine: sa.Engine, lock: int, *, durable: bool = True) -> Iterator[sa.Connection]:
    """A transaction of the only writer from its first statement on, on the disk when it ends; `lock` is PostgreSQL's advisory lock.

    Without `durable`, SQLite has it on the disk when the next durable one is there: a loss of power may take it back, a crash of this
    program does not. SQLite's connections must be in autocommit mode. Errors of the block undo what it did.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            with in_sqlite(connection, durable=durable):
                connection.begin()  # so that no one else who is handed the connection takes the transaction for theirs to end
                yield connection
        else:
            # each statement sees what others committed before the lock was had, whatever the server's defaults are
            connection = connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
                yield connection


@contextmanager
def in_sqlite(connection: sa.Connection, *, durable: bool = True) -> Iterator[None]:
    """The transaction of SQLite's only writer on `connection`, which is in autocommit mode; `durable` as of `of_the_only_writer`."""
    driven(connection, f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    driven(connection, "BEGIN IMMEDIATE")
    try:
        yield
        driven(connection, "COMMIT")
    except BaseException:
        if connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            driven(connection, "ROLLBACK")
        raise


@contextmanager
def of_a_reader(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees one state of the database throughout; SQLite's must be in autocommit mode."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection
