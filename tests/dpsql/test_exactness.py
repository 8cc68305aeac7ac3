"""At an epsilon of a billion every accepted query gives what the database itself gives, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from dpsql.accounting import Limit
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.engines.postgresql import PostgresEngine
from dpsql.errors import QueryRefused
from dpsql.ledger import open_ledger
from dpsql.planning.model import Settings
from dpsql.service import Service
from schemas.ddl import ddl
from tests.dpsql.shop import inserts, shop
from tests.dpsql.shop_databases import engine_over, tables
from tests.spread import one_in

ACCEPTED = yaml.safe_load((Path(__file__).parent / "binding" / "accepted.yaml").read_text("utf-8"))


def accepted() -> Iterator[tuple[str, str, bool]]:
    """Each accepted query with its dialect, and whether its groups are private."""
    for queries in ACCEPTED.values():
        for one in queries:
            said = one if isinstance(one, dict) else {"sql": one}
            for dialect in [said["dialect"]] if "dialect" in said else ["postgres", "duckdb"]:
                yield said["sql"], dialect, bool(said.get("private"))


def service(engine: Any, dialect: str, folder: Path) -> Service:
    return Service(shop(), engine, open_ledger(folder / f"{dialect}.db"), "shop", Limit(1e12, 0.01), dialect=dialect)


@pytest.fixture(scope="module")
def in_duckdb(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Service]:
    engine = engine_over(tables())
    return {dialect: service(engine, dialect, tmp_path_factory.mktemp("duckdb")) for dialect in ("postgres", "duckdb")}


@pytest.fixture(scope="module")
def in_postgres(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, Service]]]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS exactness")
        connection.execute("CREATE DATABASE exactness")
    url = postgres.replace("/postgres?", "/exactness?")
    with psycopg.connect(url) as connection:
        for made in ddl(shop().schema, "postgresql").statements:
            connection.execute(made.sql)
        for statement, rows in inserts("%s"):
            connection.cursor().executemany(statement, rows)
    engine = PostgresEngine(url)
    yield url, {dialect: service(engine, dialect, tmp_path_factory.mktemp("postgres")) for dialect in ("postgres", "duckdb")}
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE exactness WITH (FORCE)")


def comparable(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def near(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-5, abs_tol=2e-3)
    if isinstance(one, datetime.datetime) and isinstance(other, datetime.datetime):
        return abs(one - other) < datetime.timedelta(hours=1)
    return bool(one == other)


def differences(answered: list[tuple], plain: list[tuple], private: bool) -> list[tuple]:
    """Rows of the plain outcome that the answer lacks; of private groups, rows of the answer that the plain outcome lacks."""
    mine, its = ([tuple(map(comparable, row)) for row in rows] for rows in (answered, plain))
    if private:
        mine, its = its, mine
    return [row for row in its if not any(len(row) == len(other) and all(map(near, row, other)) for other in mine)]


def plainly(sql: str, dialect: str, in_duckdb: dict[str, Service], in_postgres: Any) -> list[tuple]:
    """What the database of the dialect itself gives."""
    if dialect == "postgres":
        with psycopg.connect(in_postgres[0]) as connection:
            return connection.execute(sql).fetchall()
    engine = in_duckdb[dialect].engine
    assert isinstance(engine, DuckDBEngine)
    return engine._connection.execute(sql).fetchall()


@pytest.mark.xdist_group("exactness")
@pytest.mark.parametrize(("sql", "dialect", "private"), one_in(12, accepted()))
def test_every_accepted_query_is_exact_on_both_databases(
    sql: str, dialect: str, private: bool, in_duckdb: dict[str, Service], in_postgres: Any
) -> None:
    plain = plainly(sql, dialect, in_duckdb, in_postgres)
    for services in (in_duckdb, in_postgres[1]):
        answer = services[dialect].ask(sql, analyst="tester", settings=Settings(epsilon=1e9))
        assert differences(answer.rows(), plain, private) == []


@pytest.mark.parametrize("factor", ["1e12", "1e30", str(2**40)])
def test_a_double_that_is_clamped_is_as_fine_as_its_new_range(factor: str, in_duckdb: dict[str, Service]) -> None:
    sql = f"SELECT SUM(LEAST(GREATEST(score * {factor}, 0), 1)) FROM users"
    answer = in_duckdb["duckdb"].ask(sql, analyst="tester", settings=Settings(epsilon=1e9))
    ((plain,),) = plainly(sql, "duckdb", in_duckdb, None)
    assert plain > 20
    assert answer.rows()[0][0] == pytest.approx(plain, abs=1e-6)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM users u WHERE NOT (active AND u.id IN (SELECT user_id FROM orders WHERE total > 500))",
        "SELECT COUNT(*) FROM users WHERE active OR id NOT IN (SELECT user_id FROM orders WHERE total > 500)",
        "SELECT COUNT(*) FROM users WHERE (id IN (SELECT user_id FROM orders WHERE total > 500)) = active",
    ],
)
def test_what_is_offered_in_place_of_a_subquery_for_each_row_is_the_same(sql: str, in_duckdb: dict[str, Service]) -> None:
    plain = in_duckdb["duckdb"].engine._connection.execute(sql).fetchall()  # type: ignore[attr-defined]
    with pytest.raises(QueryRefused) as refused:
        in_duckdb["duckdb"].prepare(sql)
    assert refused.value.instead is not None
    answer = in_duckdb["duckdb"].ask(refused.value.instead, analyst="tester", settings=Settings(epsilon=1e9))
    assert differences(answer.rows(), plain, False) == []


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM users a JOIN users b ON a.id <> b.id",
        "SELECT COUNT(*) FROM users a CROSS JOIN users b",
        "SELECT COUNT(*) FROM users a, users b WHERE b.id > a.id AND a.city = b.city",
        "SELECT pairs + 1 FROM (SELECT COUNT(*) AS pairs FROM users a JOIN users b ON a.city = b.city AND b.city = a.city AND a.id < b.id) t",
        "SELECT COUNT(*) FROM users a JOIN users b ON a.country = b.country AND a.plan_id = b.plan_id WHERE a.id <> b.id",
    ],
)
def test_the_pairs_that_are_offered_for_a_join_with_itself_are_as_many(sql: str, dialect: str, in_duckdb: dict[str, Service]) -> None:
    plain = plainly(sql, "duckdb", in_duckdb, None)
    with pytest.raises(QueryRefused, match="work with the noisy counts") as refused:
        in_duckdb[dialect].prepare(sql)
    assert refused.value.instead is not None
    answer = in_duckdb[dialect].ask(refused.value.instead, analyst="tester", settings=Settings(epsilon=1e9))
    assert differences(answer.rows(), plain, False) == []


@pytest.mark.xdist_group("exactness")
@pytest.mark.parametrize("sql", [sql for sql in ACCEPTED["groups_of_null"] if isinstance(sql, str) and "GROUP BY" in sql])
def test_there_is_a_group_of_nulls_where_the_database_has_one(sql: str, in_duckdb: dict[str, Service], in_postgres: Any) -> None:
    answer = in_duckdb["duckdb"].ask(sql, analyst="tester", settings=Settings(epsilon=1e9))
    both = [[row for row in rows if row[0] is None] for rows in (answer.rows(), plainly(sql, "duckdb", in_duckdb, in_postgres))]
    assert len(both[0]) == len(both[1])


@pytest.mark.parametrize(
    ("sql", "nulls"), [("MONTHNAME(placed_at)", 0), ("DAYNAME(placed_at)", 0), ("MONTHNAME(shipped)", 1), ("LAST_DAY(placed_at)", 0)]
)
def test_names_of_months_and_days_have_a_group_of_nulls_only_where_a_date_may_be_null(
    sql: str, nulls: int, in_duckdb: dict[str, Service]
) -> None:
    whole = f"SELECT {sql} AS k, COUNT(*) FROM orders GROUP BY k"
    answer = in_duckdb["duckdb"].ask(whole, analyst="tester", settings=Settings(epsilon=1e9))
    assert sum(key is None for key, _ in answer.rows()) == nulls


@pytest.mark.parametrize(
    "sql",
    [
        "((SELECT country, COUNT(*) FROM users GROUP BY country)) ORDER BY 2 LIMIT 1",
        "SELECT * FROM ((SELECT country, COUNT(*) AS n FROM users GROUP BY country) ORDER BY 2 LIMIT 1) AS x",
        "SELECT country, COUNT(*) FROM users GROUP BY DISTINCT ROLLUP (country), ROLLUP (Country)",
        "SELECT country, active, COUNT(*) FROM users GROUP BY DISTINCT ROLLUP (country, active), CUBE (users.country, active)",
    ],
)
def test_there_are_no_more_rows_than_the_database_gives(sql: str, in_duckdb: dict[str, Service], in_postgres: Any) -> None:
    plain = plainly(sql, "postgres", in_duckdb, in_postgres)
    answer = in_duckdb["postgres"].ask(sql, analyst="tester", settings=Settings(epsilon=1e9))
    assert len(answer.rows()) == len(plain)
    assert differences(answer.rows(), plain, False) == []


@pytest.mark.parametrize("keys", ["p.id, p.title", "p.id, p.title, p.category", "p.title, i.product_id"])
def test_a_public_row_is_one_group_however_many_of_its_columns_are_named(keys: str, in_duckdb: dict[str, Service]) -> None:
    sql = f"SELECT p.title, COUNT(*) FROM items i JOIN products p ON p.id = i.product_id GROUP BY {keys}"
    answer = in_duckdb["duckdb"].ask(sql, analyst="tester", settings=Settings(epsilon=1e9))
    assert len(answer.rows()) == 6
    assert all(error is not None for error in answer.errors[1])


def test_a_duckdb_file_is_read_like_a_bundle(tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        for name, table in tables().items():
            connection.register("t", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM t")
    engine = DuckDBEngine(database=tmp_path / "shop.duckdb")
    answer = service(engine, "postgres", tmp_path).ask("SELECT COUNT(*) FROM users", analyst="tester", settings=Settings(epsilon=1e9))
    assert answer.rows() == [(60,)]


def test_a_key_of_many_digits_is_told_with_all_of_them(in_duckdb: dict[str, Service]) -> None:
    sql = "SELECT CAST('123456789012345678.123456789012345678' || LEFT(status, 0) AS NUMERIC(38, 18)), COUNT(*) FROM orders GROUP BY 1"
    found = in_duckdb["postgres"].ask(sql, analyst="ada", settings=Settings(epsilon=1e9)).rows()
    assert found == [(Decimal("123456789012345678.123456789012345678"), 300)]


@pytest.mark.parametrize(("sign", "counted"), [("=", 300), ("<>", 0)])
def test_a_constant_of_many_digits_is_compared_with_all_of_them(sign: str, counted: int, in_duckdb: dict[str, Service]) -> None:
    text = "CAST('123456789012345678.123456789012345678' || LEFT(status, 0) AS NUMERIC(38, 18))"
    sql = f"SELECT COUNT(*) FROM orders WHERE {text} {sign} 123456789012345678.123456789012345678"
    assert in_duckdb["postgres"].ask(sql, analyst="ada", settings=Settings(epsilon=1e9)).rows() == [(counted,)]


def test_a_key_too_long_for_a_decimal_is_told_as_a_double(in_postgres: tuple[str, dict[str, Service]]) -> None:
    sql = "SELECT 1000000000000000 * 1000000000000000 * 1000000000000000 * parcels, COUNT(*) FROM orders GROUP BY 1"
    found = in_postgres[1]["postgres"].ask(sql, analyst="ada", settings=Settings(epsilon=1e9)).rows()
    assert sorted(key for key, _ in found) == pytest.approx([n * 1e45 for n in range(1, 6)])
    assert sum(counted for _, counted in found) == 300
