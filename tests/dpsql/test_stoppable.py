"""Cursors that are stopped while they run, and left alone once they are done."""

from __future__ import annotations

from threading import Event, Thread

import duckdb
import pytest

from dpsql.stoppable import stoppable

LONG = "SELECT sum(a.range * b.range) FROM range(10_000_000) a, range(10_000_000) b"


def test_a_query_is_stopped_when_its_time_is_over() -> None:
    with duckdb.connect() as database:
        cursor = database.cursor()
        with pytest.raises(duckdb.InterruptException), stoppable(cursor, 0.2):
            cursor.sql(LONG).fetchall()


def test_another_thread_stops_a_query() -> None:
    with duckdb.connect() as database:
        cursor, over = database.cursor(), Event()
        with pytest.raises(duckdb.InterruptException), stoppable(cursor, 600) as stop:

            def insist() -> None:
                while not over.wait(0.05):
                    stop()

            thread = Thread(target=insist)
            thread.start()
            try:
                cursor.sql(LONG).fetchall()
            finally:
                over.set()
                thread.join()


def test_a_stop_that_comes_after_the_end_does_nothing() -> None:
    with duckdb.connect() as database:
        with stoppable(database.cursor(), 600) as stop:
            pass
        stop()  # the cursor alone would say that it is closed
