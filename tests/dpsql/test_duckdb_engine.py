"""Readings of DuckDB: cursors and statements serve one question after another, and nothing of one reaches the next."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event, get_ident

import pyarrow as pa
import pytest

from dpsql.engines.base import DataFault
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.errors import EngineFailure
from schemas.errors import InputError

SUMS = 'SELECT "k", SUM("v") FROM "t" GROUP BY 1 ORDER BY 1'


def engine(rows: int = 1_000) -> DuckDBEngine:
    made = DuckDBEngine()
    made.add("t", pa.table({"k": [n % 3 for n in range(rows)], "v": list(range(rows)), "text": ["x"] * rows}))
    return made


def asked(of: DuckDBEngine, sql: str = SUMS) -> list[tuple[object, ...]]:
    with of.read() as reading:
        return reading.rows(sql)


def test_what_a_reading_held_is_gone_with_it() -> None:
    held = engine()
    with held.read() as reading:
        name = reading.hold('SELECT "v" FROM "t"')
        assert reading.rows(f"SELECT COUNT(*) FROM {name}") == [(1_000,)]
    with pytest.raises(EngineFailure):
        asked(held, f"SELECT COUNT(*) FROM {name}")
    with pytest.raises(DataFault), held.read() as reading:
        name = reading.hold('SELECT "v" FROM "t"')
        reading.rows('SELECT CAST("text" AS INTEGER) FROM "t"')
    with pytest.raises(EngineFailure):
        asked(held, f"SELECT COUNT(*) FROM {name}")


def test_what_cannot_be_let_go_is_told_without_the_words_of_the_database() -> None:
    engine = DuckDBEngine()
    with pytest.raises(EngineFailure, match="^the database could not answer"), engine.read() as reading:
        reading.hold("SELECT 1 AS x")
        reading._cursor.close()


def test_a_file_that_is_not_there_or_no_database_is_told_from_one_that_another_process_has_open(tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("this is no database, but long enough to be looked at as one " * 20)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE t (a)")
    for name, words in (("text.duckdb", "no DuckDB database"), ("other.db", "no DuckDB database"), ("nowhere", "no such"), ("", "no such")):
        with pytest.raises(InputError, match=words) as raised:
            DuckDBEngine(database=tmp_path / name)
        assert "download" not in str(raised.value.__cause__)  # an extension that reads it
    program = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    holding = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "held.duckdb")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holding.stdout is not None
    holding.stdout.readline()
    with pytest.raises(EngineFailure, match="another process has .* open"):
        DuckDBEngine(database=tmp_path / "held.duckdb")
    holding.communicate("\n")


def test_a_question_is_answered_after_one_that_failed() -> None:
    failing = engine()
    before = asked(failing)
    for _ in range(3):
        with pytest.raises(DataFault):
            asked(failing, 'SELECT CAST("text" AS INTEGER) FROM "t"')
        assert asked(failing) == before


def test_a_stop_that_comes_too_late_stops_nothing_else() -> None:
    stopped = engine()
    before = asked(stopped)
    stopped.cancel(get_ident())
    assert asked(stopped) == before


def test_a_stop_reaches_the_question_of_its_thread_alone() -> None:
    stopped = engine()
    before, reading = asked(stopped), Event()
    threads: list[int] = []

    def endless() -> None:
        with stopped.read() as one:
            threads.append(get_ident())
            reading.set()
            one.rows('SELECT COUNT(*) FROM "t" a, range(100000000000) r WHERE (a."v" * r.range) % 7 = 3')

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(endless)
        reading.wait()
        with stopped.read() as other:
            while not running.done():
                stopped.cancel(threads[0])
                assert other.rows(SUMS) == before
        with pytest.raises(EngineFailure):
            running.result()
    assert asked(stopped) == before


def test_many_threads_run_one_statement_at_once() -> None:
    shared = engine(50_000)
    before = asked(shared)
    with ThreadPoolExecutor(16) as pool:
        assert all(found == before for found in pool.map(lambda _: asked(shared), range(200)))


def test_a_statement_that_was_read_before_sees_the_tables_as_they_are() -> None:
    changed = engine()
    asked(changed)
    changed._connection.execute("ALTER TABLE t RENAME TO few")
    changed._connection.execute("CREATE VIEW t AS SELECT k, v + 1 AS v FROM few WHERE k = 1")
    assert asked(changed) == [(1, sum(n + 1 for n in range(1_000) if n % 3 == 1))]
    changed.add("more", pa.table({"v": [1, 2]}))
    assert asked(changed, 'SELECT SUM("v") FROM "more"') == [(3,)]
    changed.close()


@pytest.mark.parametrize("content", [b"PAR1" + bytes(40), None], ids=["forged", "none"])
def test_files_that_cannot_be_read_are_told_with_their_table(tmp_path, content):
    if content is not None:
        (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(EngineFailure, match="the files of table 'people' cannot be read"):
        DuckDBEngine({"people": list(tmp_path.glob("*.parquet"))})
