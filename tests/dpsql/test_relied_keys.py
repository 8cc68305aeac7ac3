"""Keys of the schema that the data is not held to: a unit with many rows where it should have one changes no more than is claimed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from dpsql import measuring
from dpsql.binding import bind
from dpsql.compiling.measuring import unit_bounds
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.engines.postgresql import PostgresEngine
from dpsql.measuring import Cells, clipped
from dpsql.planning import Plan, plan
from dpsql.planning.model import Settings
from schemas.ddl import ddl
from tests.dpsql.shop import inserts, shop
from tests.dpsql.shop_databases import engine_over, tables, without

ONE_ROW = [
    "SELECT COUNT(*), SUM(balance), AVG(age), STDDEV(balance), COUNT(DISTINCT city) FROM users",
    "SELECT country, COUNT(*), SUM(balance), COUNT(DISTINCT city) FROM users GROUP BY country",
    "SELECT active, PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY age), COUNT(DISTINCT id) FROM users GROUP BY active",
    "SELECT country, SUM(height) FROM users u JOIN profiles p ON u.id = p.user_id WHERE age > 20 GROUP BY country",
    "SELECT p.name, COUNT(*) FROM users u JOIN plans p ON u.plan_id = p.id GROUP BY p.name",
    "SELECT COUNT(*) FROM users WHERE id IN (SELECT user_id FROM orders WHERE total > 100)",
    "SELECT country, COUNT(*) FROM users u JOIN orders o ON o.user_id = u.id GROUP BY country",
]
UNIT = 7


def made(sql: str) -> Plan:
    (release,) = bind(sql, shop()).releases
    return plan(release, shop(), Settings())


def cells(query: Plan, engine: DuckDBEngine) -> Cells:
    with engine.read() as reading:
        return clipped(query, shop().schema, engine, reading, {t.name: 4 for t in query.thresholds}, 1)


def repeated() -> DuckDBEngine:
    """The shop, in which one user stands thirty times among the users, each time in another country with another balance."""
    found = dict(tables())
    users = found["users"]
    own = users.filter(pa.array([u == UNIT for u in users["id"].to_pylist()])).to_pylist()
    others = [
        {
            **own[0],
            "country": ("DE", "FR", "JP")[n % 3],
            "balance": own[0]["balance"] + n,
            "city": f"city {n}",
            "age": 30 + n,
            "active": n % 2 == 0,
        }
        for n in range(30)
    ]
    found["users"] = pa.concat_tables([users, pa.Table.from_pylist(others, users.schema)])
    profile = found["profiles"].filter(pa.array([u == UNIT for u in found["profiles"]["user_id"].to_pylist()]))
    found["profiles"] = pa.concat_tables([found["profiles"], *[profile] * 5])
    return engine_over(found)


def moved(one: dict[Any, int], other: dict[Any, int]) -> list[int]:
    return [change for key in {*one, *other} if (change := abs(one.get(key, 0) - other.get(key, 0)))]


@pytest.mark.parametrize("sql", ONE_ROW)
def test_a_unit_with_many_rows_against_its_key_changes_no_more_than_is_claimed(sql: str) -> None:
    query = made(sql)
    one, other = cells(query, repeated()), cells(query, engine_over(without(UNIT)))
    assert query.groups is not None
    for part in query.parts:
        if part.kind == "quantile":
            found = [one.bins.get(part.name, {}), other.bins.get(part.name, {})]
            changes = [sum(moved(found[0].get(g, {}), found[1].get(g, {}))) for g in {*found[0], *found[1]}]
            changes = [change for change in changes if change]
        else:
            changes = moved(one.sums.get(part.name, {}), other.sums.get(part.name, {}))
        assert len(changes) <= query.groups, sql
        assert max(changes, default=0) <= unit_bounds(part, {t.name: 4 for t in query.thresholds}).largest, (sql, part.kind)


def test_the_key_is_what_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "keys_hold", lambda *_: True)
    query = made(ONE_ROW[0])
    one, other = cells(query, repeated()), cells(query, engine_over(without(UNIT)))
    assert max(moved(one.sums["p0"], other.sums["p0"])) > unit_bounds(query.parts[0], {}).largest


@pytest.mark.parametrize("sql", ONE_ROW)
def test_where_the_key_holds_both_ways_come_to_the_same(sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    query, engine = made(sql), engine_over(tables())
    trusting = cells(query, engine)
    monkeypatch.setattr(measuring, "keys_hold", lambda *_: False)
    clipping = cells(query, engine)
    assert (trusting.sums, trusting.bins) == (clipping.sums, clipping.bins)
    assert set(trusting.groups) == set(clipping.groups)


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ([3, 1, 2], True),
        ([3, 1, 3], False),
        ([1, 1], False),
        ([None, 1, 2], True),
        ([None, None, 2], False),
        ([0, 2**62, -(2**62)], True),
        ([2**62, 2**62], False),
        ([0, 10, 10, 3, 4], False),
        ([5], True),
        ([], True),
        (["a", "b"], True),
        (["a", "a"], False),
        ([True, False], True),
        ([1.5, 1.5], False),
        ([datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)], True),
    ],
)
def test_duckdb_finds_out_what_is_there_twice(values: list[Any], known: bool) -> None:
    engine = engine_over({"t": pa.table({"x": values, "y": [1] * len(values)})})
    with engine.read() as reading:
        assert engine.unique(reading, "t", ("x",)) is known
        assert engine.unique(reading, "t", ("y", "x")) is known
        assert engine.unique(reading, "t", ("y",)) is (len(values) < 2)


@pytest.fixture(scope="module")
def in_postgres(postgres: str) -> Iterator[str]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS keys")
        connection.execute("CREATE DATABASE keys")
    url = postgres.replace("/postgres?", "/keys?")
    with psycopg.connect(url) as connection:
        for statement in ddl(shop().schema, "postgresql").statements:
            connection.execute(statement.sql)
        for inserted, rows in inserts("%s"):
            connection.cursor().executemany(inserted, rows)
        connection.execute("CREATE VIEW seen AS SELECT * FROM users")
        connection.execute("CREATE TABLE loose (id bigint UNIQUE, name text NOT NULL, part int NOT NULL)")
        connection.execute("CREATE UNIQUE INDEX ON loose (name) WHERE part > 3")
        connection.execute("CREATE UNIQUE INDEX ON loose (part, name)")
        connection.execute("CREATE TABLE parent (id bigint PRIMARY KEY)")
        connection.execute("CREATE TABLE child () INHERITS (parent)")
        connection.execute("CREATE TABLE split (id bigint PRIMARY KEY) PARTITION BY HASH (id)")
    yield url
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE keys WITH (FORCE)")


@pytest.mark.parametrize(
    ("table", "columns", "known"),
    [
        ("users", ("id",), True),
        ("users", ("id", "name"), True),
        ("users", ("name",), False),
        ("items", ("order_id", "line"), True),
        ("items", ("order_id",), False),
        ("seen", ("id",), False),
        ("nowhere", ("id",), False),
        ("loose", ("id",), False),  # nulls may repeat
        ("loose", ("name",), False),
        ("loose", ("name", "part"), True),
        ("parent", ("id",), False),
        ("split", ("id",), True),
    ],
)
def test_postgresql_is_taken_at_the_word_of_its_indexes(in_postgres: str, table: str, columns: tuple[str, ...], known: bool) -> None:
    engine = PostgresEngine(in_postgres)
    with engine.read() as reading:
        assert engine.unique(reading, table, columns) is known
