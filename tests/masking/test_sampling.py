"""A sample is spread over the whole of a table, however large it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from masking.planning import plan
from masking.sampling import sample
from masking.source import Source, open_source

ROWS = 1_200_000
LATE = 1_000_000  # the rows before hold nothing
_ROWS_OF_SQLITE = f"WITH RECURSIVE rows(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM rows WHERE i < {ROWS})"


def large(path: Path, definition: str, key: str = "i") -> str:
    """A table of a key and of values of which only the last sixth is there; returns the URL."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"CREATE TABLE t {definition}")
    late = f"CASE WHEN i > {LATE} THEN 'person.' || i || '@mail.example' END"
    connection.execute(f"{_ROWS_OF_SQLITE} INSERT INTO t SELECT {key}, {late} FROM rows")
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def tenths(source: Source, rows: int, tenth: Callable[[object], int]) -> list[int]:
    """How many of a sample's rows are from each tenth of the table; the same at every call, whatever the columns."""
    found = sample(source, "t", rows)
    assert sample(source, "t", rows, ["late", "id"]).select(["id", "late"]) == found.select(["id", "late"])
    ids = found.column("id").to_pylist()
    assert len(set(ids)) == len(ids)
    places = [tenth(i) for i in ids]
    return [places.count(t) for t in range(10)]


def by_number(key: object) -> int:
    return (int(str(key).rpartition("-")[2]) - 1) * 10 // ROWS


@pytest.mark.parametrize(
    ("definition", "key"),
    [
        ("(id INTEGER PRIMARY KEY, late TEXT)", "i"),
        pytest.param(
            "(id INTEGER PRIMARY KEY, late TEXT)",
            f"CASE WHEN i > {LATE} THEN (i << 30) + i ELSE i END",  # the numbers leap far
            marks=pytest.mark.slow,
        ),
        ("(id TEXT PRIMARY KEY, late TEXT) WITHOUT ROWID", "printf('k-%09d', i)"),
        pytest.param("(id INTEGER, late TEXT)", "i", marks=pytest.mark.slow),
    ],
)
def test_all_parts_of_a_large_sqlite_table_are_in_a_sample(tmp_path: Path, definition: str, key: str) -> None:
    with open_source(large(tmp_path / "source.db", definition, key)) as source:
        found = tenths(source, 1000, lambda i: by_number(i % (1 << 30) if isinstance(i, int) else i))
    assert all(95 <= n <= 105 for n in found)


def test_all_parts_of_a_large_postgresql_table_are_in_a_sample(postgres_url: str) -> None:
    """Some 90 pages of 6,000 are drawn, always the same: of a tenth of the table none would be with a probability of 10^-4."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, late text)")
        late = f"CASE WHEN i > {LATE} THEN 'person.' || i || '@mail.example' END"
        connection.execute(f"INSERT INTO t SELECT i, {late} FROM generate_series(1, {ROWS}) i")
    with open_source(postgres_url) as source:
        found = tenths(source, 1000, by_number)
    assert 600 < sum(found) < 1600
    assert all(found)


def test_what_comes_late_in_a_large_table_is_classified(tmp_path: Path) -> None:
    with open_source(large(tmp_path / "source.db", "(id INTEGER PRIMARY KEY, late TEXT)")) as source:
        proposed = plan(source).tables["t"].columns["late"]
    assert (proposed.klass, proposed.entity) == ("direct", "email")
