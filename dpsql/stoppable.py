"""A cursor of DuckDB that can be stopped, by others or after a time, and that is closed only when nobody is about to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import duckdb

from dpsql.deadlines import DEADLINES


@contextmanager
def stoppable(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[Callable[[], None]]:
    """Yield a function that interrupts what `cursor` runs, from any thread; it is called by itself after `seconds`.

    When the block ends the cursor is closed, and the function does nothing any more.
    """
    lock = Lock()
    over = False

    def stop() -> None:
        with lock:
            if not over:
                cursor.interrupt()

    try:
        with DEADLINES.within(seconds, stop):
            yield stop
    finally:
        with lock:
            over = True
        cursor.close()
