"""One unit's strange values: they neither silence nor take the outcome of others, and settings cannot pay less than nothing."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from dpsql.accounting import Limit
from dpsql.binding import bind
from dpsql.compiling.measuring import unit_bounds
from dpsql.engines.base import DataFault
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.engines.postgresql import PostgresEngine
from dpsql.errors import EngineFailure, QueryInvalid
from dpsql.kept import renamed
from dpsql.ledger import open_ledger
from dpsql.measuring import Cells, Measured, clipped, measure
from dpsql.noise.ranges import LARGEST
from dpsql.planning import plan
from dpsql.planning.model import Plan, Settings, Shares
from dpsql.service import Service
from schemas.ddl import ddl
from tests.dpsql.shop import inserts, shop
from tests.dpsql.shop_databases import engine_over, tables


def made(sql: str) -> Plan:
    declaration = shop()
    (release,) = bind(sql, declaration).releases
    return plan(release, declaration, Settings(max_groups=3))


def counted(sql: str, changes: list[str]) -> Cells:
    """The clipped outcome over the shop after `changes` of its rows."""
    changed = duckdb.connect()
    for name, table in tables().items():
        changed.register("given", table)
        changed.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    for statement in changes:
        changed.execute(statement)
    engine = engine_over({name: changed.table(name).to_arrow_table() for name in tables()})
    query = made(sql)
    with engine.read() as reading:
        return clipped(query, shop().schema, engine, reading, {t.name: 2**10 for t in query.thresholds}, 1)


@pytest.mark.parametrize("join", ["JOIN plans p ON p.id = u.score", "JOIN (SELECT id FROM plans GROUP BY id) p ON p.id = u.score"])
def test_whole_numbers_that_are_one_double_are_not_one_row(join: str) -> None:
    sql = f"SELECT COUNT(*) FROM users u {join}"
    near = "INSERT INTO plans SELECT 9007199254740992 + range, 'p' || range, 1 FROM range(50)"
    changes = ["ALTER TABLE plans ALTER id TYPE BIGINT", near, "UPDATE users SET score = 9007199254740992 WHERE id = 7"]
    query = made(sql)
    ((name, found),) = counted(sql, changes).sums.items()
    ((_, without),) = counted(sql, changes[:2]).sums.items()
    limit = unit_bounds(query.part(name), {t.name: 2**10 for t in query.thresholds}).largest
    assert found.get((), 0) - without.get((), 0) <= limit


@pytest.mark.parametrize(
    "listed", ["shipped IN (placed_at, shipped)", "shipped NOT IN (placed_at)", "(shipped, id) IN ((placed_at, 3), (shipped, id))"]
)
def test_a_day_too_far_for_a_time_does_not_silence_the_others_in_a_list_beside_times(listed: str) -> None:
    sql = f"SELECT COUNT(CASE WHEN {listed} THEN 1 END) FROM orders"
    ((_, found),) = counted(sql, ["UPDATE orders SET shipped = DATE '5877642-06-25 (BC)' WHERE user_id = 7"]).sums.items()
    ((_, without),) = counted(sql, ["DELETE FROM orders WHERE user_id = 7"]).sums.items()
    assert 0 < without[()] <= found[()] <= without[()] + 2**10


LARGE = "10000000000000000 * 10000000000000000"
PADDED = "CAST(LPAD(CAST(parcels AS VARCHAR), 18, '9') AS DECIMAL(38, 9)) * 90000000000"


@pytest.mark.parametrize(
    "of_one",
    [
        f"SUM(CASE WHEN user_id = 7 THEN parcels * {LARGE} * 160000 ELSE 1 END)",
        f"SUM(DISTINCT CASE WHEN user_id = 7 THEN parcels * {LARGE} * 300000 ELSE 1 END)",
        f"AVG(CASE WHEN user_id = 7 THEN parcels * {LARGE} * 160000 ELSE 1 END)",
        f"SUM(CASE WHEN user_id = 7 THEN {PADDED} ELSE 1 END)",
        "EXTRACT(year FROM PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY shipped))",
    ],
)
def test_one_unit_whose_own_values_overflow_does_not_silence_the_others(of_one: str) -> None:
    sql = f"SELECT COUNT(*) FROM (SELECT user_id, {of_one} AS t FROM orders GROUP BY user_id UNION ALL SELECT id, 1 FROM users) x"
    far = ["UPDATE orders SET shipped = DATE '5877642-06-25 (BC)' WHERE user_id = 7"]
    (found,) = counted(f"{sql} WHERE t > 0 OR t IS NULL", far).sums.values()
    (without,) = counted(f"{sql} WHERE t > 0 OR t IS NULL", ["DELETE FROM orders WHERE user_id = 7"]).sums.values()
    assert found[()] - without[()] == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM ({whole}) x WHERE a > b OR a IS NOT NULL",
        "SELECT COUNT(*) FROM ({whole}) x WHERE a IN (b, 3) OR a IS NOT NULL",
        "SELECT COUNT(*) FROM ({whole}) x WHERE a > 1.5 OR a IS NOT NULL",
        "SELECT COUNT(CASE WHEN a > 0 THEN a ELSE b END) FROM ({whole}) x",
        "SELECT COUNT(*) FROM ({whole}) x WHERE a IS DISTINCT FROM b",
        "SELECT COUNT(*) FROM ({decimal}) x WHERE a > b OR a IS NOT NULL",
        "SELECT COUNT(*) FROM ({decimal}) x WHERE a > 0.0000000005 OR a IS NOT NULL",
        "SELECT COUNT(*) FROM ({whole}) x JOIN (VALUES (0.5)) AS y(c) ON y.c < x.a OR x.b IS NOT NULL",
        "SELECT COUNT(*) FROM (SELECT user_id, a FROM ({whole}) x UNION ALL SELECT id, balance FROM users) y WHERE a > -1000",
    ],
)
def test_a_large_number_of_a_subquery_beside_a_decimal_does_not_silence_the_others(sql: str) -> None:
    whole = f"MAX(CASE WHEN user_id = 7 THEN parcels * {LARGE} * 100000 ELSE 1 END) AS a, MAX(total) AS b"
    decimal = f"MAX(CASE WHEN user_id = 7 THEN {PADDED.replace('38, 9', '38, 2')} * 1000000 ELSE 1 END) AS a, MAX(CAST(note AS DECIMAL(38, 9))) AS b"
    of_units = {name: f"SELECT user_id, {made} FROM orders GROUP BY user_id" for name, made in (("whole", whole), ("decimal", decimal))}
    (found,) = counted(sql.format(**of_units), []).sums.values()
    (without,) = counted(sql.format(**of_units), ["DELETE FROM orders WHERE user_id = 7"]).sums.values()
    assert 0 <= found[()] - without[()] <= 2


@pytest.mark.parametrize("of_all", [f"SUM(id * {LARGE} * 160000)", f"AVG(id * {LARGE} * 160000)"])
def test_an_overflow_of_public_rows_is_no_sign_of_the_one_row_that_asks_for_them(of_all: str) -> None:
    sql = f"SELECT COUNT(*) FROM users u LEFT JOIN (SELECT {of_all} AS s FROM products) p ON u.name = 'name 7' AND p.s > u.id"
    ((_, found),) = counted(sql, []).sums.items()
    ((_, without),) = counted(sql, ["DELETE FROM users WHERE id = 7"]).sums.items()
    assert found[()] - without[()] == 1


@pytest.mark.parametrize(
    ("column", "ordinary", "strange", "kind"),
    [
        ("shipped", "DATE '9999-12-31'", "CAST('infinity' AS DATE)", "DATE"),
        ("placed_at", "TIMESTAMP_NS '2024-05-01 00:00:00.000001'", "TIMESTAMP_NS '2024-05-01 00:00:00.000001001'", "TIMESTAMP_NS"),
    ],
)
def test_a_key_that_a_driver_tells_as_another_does_not_take_its_group(column: str, ordinary: str, strange: str, kind: str) -> None:
    change = [
        f"ALTER TABLE orders ALTER {column} TYPE {kind}",
        f"UPDATE orders SET {column} = CASE WHEN id = 7 THEN {strange} ELSE {ordinary} END",
    ]
    cells = counted(f"SELECT {column}, COUNT(*) FROM orders GROUP BY {column}", change)
    assert sum(cells.sums["p0"].values()) == 300


def test_a_year_that_python_does_not_know_is_no_group_of_its_own() -> None:
    cells = counted(
        "SELECT shipped, COUNT(*) FROM orders GROUP BY shipped", ["UPDATE orders SET shipped = DATE '11095-02-28' WHERE id = 7"]
    )
    assert all(key is None or isinstance(key, datetime.date) for (key,) in cells.groups)


def test_a_key_of_many_digits_does_not_take_the_group_of_one_with_fewer() -> None:
    plain, near = "100000000000000000", "100000000000000000.000000000000000001"
    changes = [f"UPDATE orders SET note = CASE WHEN id = 7 THEN '{near}' ELSE '{plain}' END"]
    cells = counted("SELECT CAST(note AS NUMERIC(38, 18)), COUNT(*) FROM orders GROUP BY 1", changes)
    assert cells.sums["p0"] == {(10**17,): 299, (Decimal(near),): 1}


class _Huge:
    """A reading whose every sum is beyond what the samplers hold."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [(2**70,)]

    def hold(self, sql: str) -> None:
        return None


class _HugeEngine(DuckDBEngine):
    def read(self) -> Any:
        return nullcontext(_Huge())


def test_a_sum_beyond_the_samplers_is_held_at_their_end_and_not_refused() -> None:
    query = replace(made("SELECT SUM(age) FROM users"), shares=Shares(part=1.0))
    measured = measure(query, shop().schema, _HugeEngine(), [()], Measured({}, {}))
    (value,) = measured.parts["p0"].values
    assert value > LARGEST * 0.9


@pytest.fixture(scope="module")
def strange_postgres(postgres: str) -> Iterator[PostgresEngine]:
    """The shop in PostgreSQL with one order of values at the ends of their types."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS holes")
        connection.execute("CREATE DATABASE holes")
    url = postgres.replace("/postgres?", "/holes?")
    with psycopg.connect(url) as connection:
        for statement in ddl(shop().schema, "postgresql").statements:
            connection.execute(statement.sql)
        for inserted, rows in inserts("%s"):
            connection.cursor().executemany(inserted, rows)
        connection.execute("UPDATE orders SET weight = 1.7e308, shipped = 'infinity', placed_at = 'infinity' WHERE id = 7")
        connection.execute("UPDATE events SET happened = '-infinity', value = 'NaN' WHERE id = 7")
    yield PostgresEngine(url)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE holes WITH (FORCE)")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT AVG(weight), SUM(weight) FROM orders",
        "SELECT MAX(shipped), MIN(placed_at) FROM orders",
        "SELECT shipped, COUNT(*) FROM orders GROUP BY shipped",
        "SELECT placed_at, SUM(weight) FROM orders GROUP BY placed_at",
        "SELECT weight, COUNT(*) FROM orders GROUP BY weight",
        "SELECT happened, value, COUNT(*) FROM events GROUP BY happened, value",
        "SELECT SUM(weight * 2), COUNT(DISTINCT weight), STDDEV(weight) FROM orders",
        "SELECT AVG(LEAST(GREATEST(w, 0), 1000)) FROM (SELECT user_id, SUM(weight * 2) AS w FROM orders GROUP BY user_id) AS x WHERE w > 3",
        "SELECT EXTRACT(year FROM shipped), COUNT(*) FROM orders GROUP BY EXTRACT(year FROM shipped)",
        "SELECT DATE_TRUNC('month', placed_at), COUNT(*) FROM orders GROUP BY DATE_TRUNC('month', placed_at)",
        "SELECT COUNT(*) FROM orders WHERE shipped - DATE '2024-01-01' > 3",
        "SELECT COUNT(*) FROM orders WHERE shipped + INTERVAL '1 day' > placed_at",
        "SELECT COUNT(*) FROM orders WHERE CAST(weight AS INTEGER) > 3",
        "SELECT COUNT(*) FROM orders WHERE EXP(weight) > 3 OR POWER(weight, 3) > 3 OR ROUND(weight) > 3",
    ],
)
def test_one_row_at_the_ends_of_types_does_not_silence_the_others(strange_postgres: PostgresEngine, sql: str) -> None:
    query = made(sql)
    with strange_postgres.read() as reading:
        cells = clipped(query, shop().schema, strange_postgres, reading, {t.name: 2**10 for t in query.thresholds}, 1)
    assert cells.groups


@pytest.mark.parametrize(
    "raised",
    [
        "SELECT LENGTH(REPEAT('a', 1000000) || REPEAT(REPEAT('b', 1000), 1100000)) FROM plans",  # more than PostgreSQL can hold
        "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53200'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '54000'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION 'invalid memory alloc request size 1195200020' USING ERRCODE = 'XX000'; END $$",
    ],
)
def test_where_postgresql_comes_to_its_limits_over_the_data_no_error_tells(strange_postgres: PostgresEngine, raised: str) -> None:
    with strange_postgres.read() as reading, pytest.raises(DataFault):
        reading.rows(raised)


@pytest.mark.parametrize(
    "raised", [f"SELECT {', '.join(['1'] * 1700)}", "DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = 'XX000'; END $$"]
)
def test_what_fails_whatever_the_data_is_an_error(strange_postgres: PostgresEngine, raised: str) -> None:
    with strange_postgres.read() as reading, pytest.raises(EngineFailure):
        reading.rows(raised)


@pytest.mark.parametrize("settings", [Settings(max_groups=-5), Settings(max_groups=0), Settings(min_units=-1), Settings(max_groups=2**40)])
def test_settings_that_would_pay_less_than_nothing_are_refused(settings: Settings, tmp_path: Path) -> None:
    service = Service(shop(), engine_over(tables()), open_ledger(tmp_path / "ledger.db"), "shop", Limit(10.0, 1e-6))
    with pytest.raises(QueryInvalid, match="must be a whole number from 1"):
        service.ask("SELECT parcels, COUNT(*) FROM orders GROUP BY parcels", analyst="ada", settings=settings)


def test_a_text_that_looks_like_an_inner_name_keeps_its_own_digest() -> None:
    names = {"u_id_1", "u_id_2"}
    one, other = (renamed(f'\'"{name}"\' = "u_id_1"', names) for name in ("u_id_1", "u_id_2"))
    assert one != other
    assert renamed("'u_id_1'", names) == "'u_id_1'"


def test_the_edges_of_keys_leave_ordinary_values_alone() -> None:
    cells = counted("SELECT shipped, COUNT(*) FROM orders WHERE shipped IS NOT NULL GROUP BY shipped", [])
    assert all(isinstance(key, datetime.date) for (key,) in cells.groups)
    assert sum(cells.sums["p0"].values()) > 100
