"""Transactions over a database of our own, in SQLite or PostgreSQL: of the only writer, and of a reader who sees one state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa


@contextmanager
def of_the_only_writer(engine: sa.Engine, lock: int) -> Iterator[sa.Connection]:
    """A transaction of the only writer from its first statement on, on the disk when it ends; `lock` is PostgreSQL's advisory lock.

    SQLite's connections must be in autocommit mode. Errors of the block undo what it did.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                if connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
                    connection.exec_driver_sql("ROLLBACK")
                raise
        else:
            # each statement sees what others committed before the lock was had, whatever the server's defaults are
            connection = connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
                yield connection


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
