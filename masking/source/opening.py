"""Opening a source: the right kind of reader for a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from masking.source.base import Progress, Source, no_progress
from schemas.connecting import database_url


@contextmanager
def open_source(url: str, progress: Progress = no_progress) -> Iterator[Source]:
    """Open the database at `url` (as SQLAlchemy writes it) for reading one snapshot of it, which ends with the block.

    PostgreSQL is read through ADBC by any number of readers at a time, SQLite through Python's own module, other databases
    through SQLAlchemy, one reader at a time. Nothing is ever written. Raises InputError for a URL that cannot be used or a driver
    that is not installed, SourceFailure where the database cannot be reached or read.
    """
    target = database_url(url)
    if target.get_backend_name() == "postgresql":
        from masking.source.postgresql import open_postgresql

        with open_postgresql(target, progress) as source:
            yield source
    elif target.get_backend_name() == "sqlite":
        from masking.source.sqlite import open_sqlite

        with open_sqlite(target, progress) as sqlite:
            yield sqlite
    else:
        from masking.source.any_database import open_any

        with open_any(target, progress) as other:
            yield other
