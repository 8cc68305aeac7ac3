"""A connection to a ledger in a file that is kept open between questions: to take one from a pool each time takes longer than to use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa


class KeptConnection:
    """A connection that one thread uses at a time. `file` tells which file is there now.

    Another in its place, as a backup that was put back, is seen by that, and read and written from then on.
    """

    def __init__(self, engine: sa.Engine, file: Callable[[], object]) -> None:
        self._engine = engine
        self._file = file
        self._kept: sa.Connection | None = None
        self._of: object = None

    @contextmanager
    def used(self) -> Iterator[sa.Connection]:
        """The connection, in autocommit mode; after an error of the block it is another next time."""
        there = self._file()
        if self._of != there:
            self.close()
        connection, self._kept = self._kept or self._engine.connect(), None
        try:
            yield connection
            if connection.in_transaction():  # SQLAlchemy's own idea of one, which it has after statements that it ran itself
                connection.rollback()
        except BaseException:
            connection.close()
            raise
        self._kept, self._of = connection, there

    def close(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
