"""Every accepted form binds, and its answer has the columns that the database itself would give."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dpsql.binding import bind
from dpsql.compiling.measuring import unit_bounds
from dpsql.functions import emit
from dpsql.planning import plan
from dpsql.planning.model import Bounds, Settings
from dpsql.tree import DistinctRows, Filter, Join, PerUnit, Project, Relation, Release, Scan, Union, all_fields
from schemas.ddl import ddl
from tests.dpsql.shop import inserts, shop
from tests.spread import one_in

psycopg = pytest.importorskip("psycopg")


def forms() -> Iterator[tuple[str, str]]:
    """The dialect and SQL of every accepted form."""
    for queries in yaml.safe_load((Path(__file__).parent / "accepted.yaml").read_text()).values():
        for query in queries:
            said = {"sql": query} if isinstance(query, str) else query
            for dialect in [said["dialect"]] if "dialect" in said else ["postgres", "duckdb"]:
                yield dialect, said["sql"]


FORMS = list(forms())
SHOP = shop()


@pytest.fixture(scope="module")
def empty_duckdb() -> Iterator[duckdb.DuckDBPyConnection]:
    """The shop without rows."""
    with duckdb.connect() as connection:
        for statement in ddl(shop().schema, "duckdb").statements:
            connection.execute(statement.sql)
        yield connection


@pytest.fixture(scope="module")
def shop_in_postgres(postgres: str) -> Iterator[Any]:
    """The shop, in a transaction that nothing commits."""
    with psycopg.connect(postgres) as connection:
        for statement in ddl(shop().schema, "postgresql").statements:
            connection.execute(statement.sql)
        for statement, values in inserts("%s"):
            connection.cursor().executemany(statement, values)
        yield connection
        connection.rollback()


def test_there_are_many_forms() -> None:
    assert len(FORMS) >= 240


@pytest.mark.parametrize(("dialect", "sql"), one_in(4, FORMS))
def test_an_accepted_form_is_bound_with_the_columns_of_its_database(
    dialect: str, sql: str, empty_duckdb: duckdb.DuckDBPyConnection, request: pytest.FixtureRequest
) -> None:
    query = bind(sql, SHOP, dialect=dialect)
    names = query.outputs
    if dialect == "duckdb":
        found = [row[0] for row in empty_duckdb.execute(f"DESCRIBE {sql}").fetchall()]
    else:
        found = [c.name for c in request.getfixturevalue("shop_in_postgres").execute(sql).description]
    assert list(names) == found or names == ()
    for release in query.releases:  # a name that came twice would be read as another in the SQL of an engine
        fields = [f.name for f in scanned(release)]
        assert len(fields) == len(set(fields))


def scanned(release: Release) -> Iterator[Any]:
    """The fields of every stored table that a release reads."""

    def walk(relation: Relation) -> Iterator[Any]:
        match relation:
            case Scan():
                yield from relation.fields
            case Filter() | Project() | PerUnit() | DistinctRows():
                yield from walk(relation.input)
            case Join():
                yield from walk(relation.left)
                yield from walk(relation.right)
            case Union():
                for one in relation.inputs:
                    yield from walk(one)

    assert list(all_fields(release.rows))
    yield from walk(release.rows)


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT COUNT(*) FROM orders", ["orders"]),
        ("SELECT COUNT(*) FROM items", ["items", "orders"]),
        ("SELECT COUNT(*) FROM items JOIN orders ON items.order_id = orders.id", ["items", "orders"]),
        ("SELECT COUNT(*) FROM items i JOIN (SELECT id FROM orders WHERE total > 3) o ON i.order_id = o.id", ["items", "orders"]),
        ("SELECT COUNT(*) FROM items i JOIN orders o ON i.order_id = o.id JOIN users u ON u.id = o.user_id", ["items", "orders", "users"]),
    ],
)
def test_the_unit_is_reached_without_a_table_too_many(sql: str, tables: list[str]) -> None:
    (release,) = bind(sql, shop()).releases
    owners = {f.name: t for (t, _), f in _by_origin(release)}
    assert sorted(owners.values()) == sorted(tables)


def _by_origin(release: Release) -> Iterator[tuple[tuple[str, str], Any]]:
    def walk(relation: Relation) -> Iterator[Scan]:
        match relation:
            case Scan():
                yield relation
            case Filter() | Project():
                yield from walk(relation.input)
            case Join():
                yield from walk(relation.left)
                yield from walk(relation.right)

    for scan in walk(release.rows):
        yield (scan.table, scan.sources[0]), scan.fields[0]


def test_what_a_condition_says_bounds_a_column_and_closes_its_values() -> None:
    (release,) = bind(
        "SELECT city, SUM(visits) FROM users WHERE city IN ('Berlin', 'Paris') AND visits BETWEEN 0 AND 50 GROUP BY city", shop()
    ).releases
    assert release.keys[0].expression.facts.values == ("Berlin", "Paris")
    argument = release.aggregates[0].argument
    assert argument is not None
    assert (argument.facts.lo, argument.facts.hi) == (0, 50)


def test_the_days_of_times_with_an_offset_are_those_in_utc() -> None:
    within = "happened >= TIMESTAMPTZ '2024-01-31 23:30:00-02' AND happened < TIMESTAMPTZ '2024-02-03 23:30:00-02'"
    (release,) = bind(f"SELECT CAST(happened AS DATE), COUNT(*) FROM events WHERE {within} GROUP BY 1", SHOP).releases
    facts = release.keys[0].expression.facts
    assert (facts.lo, facts.hi) == (datetime.date(2024, 2, 1), datetime.date(2024, 2, 4))


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("SELECT COUNT(*) FROM shop.public.users", "SELECT COUNT(*) FROM users"),
        ("SELECT COUNT(*) FROM SHOP.main.users AS u WHERE u.age > 3", "SELECT COUNT(*) FROM users AS u WHERE u.age > 3"),
        (
            'SELECT "shop".public.users.country, COUNT(*) FROM shop.public.users GROUP BY shop.public.users.country',
            "SELECT users.country, COUNT(*) FROM users GROUP BY users.country",
        ),
        ("SELECT * FROM shop.public.plans", "SELECT * FROM plans"),
        (
            "SELECT COUNT(*) FROM shop.public.users WHERE plan_id IN (SELECT id FROM shop.public.plans)",
            "SELECT COUNT(*) FROM users WHERE plan_id IN (SELECT id FROM plans)",
        ),
    ],
)
def test_the_name_of_the_database_says_nothing_before_a_schema(sql: str, plain: str) -> None:
    written, meant = bind(sql, SHOP), bind(plain, SHOP)
    assert (written.releases, written.public, written.outputs) == (meant.releases, meant.public, meant.outputs)


def test_the_same_aggregate_is_measured_once() -> None:
    (release,) = bind("SELECT SUM(total), sum(o.total) * 2, COUNT(*) FROM orders AS o HAVING SUM(total) > 1", shop()).releases
    assert len(release.aggregates) == 2


def test_a_table_expression_that_nothing_uses_is_not_measured() -> None:
    assert len(bind("WITH a AS (SELECT COUNT(*) FROM users) SELECT COUNT(*) FROM orders", shop()).releases) == 1


def test_a_table_expression_used_twice_has_columns_of_its_own_each_time() -> None:
    sql = "WITH a AS (SELECT id, age FROM users) SELECT COUNT(*) FROM a AS x JOIN a AS y ON x.id = y.id"
    (release,) = bind(sql, shop()).releases
    names = [f.name for f in scanned(release)]
    assert len(names) == len(set(names)) == 2


def test_a_left_join_whose_condition_varies_within_a_unit_does_not_hold_its_columns_for_one_a_unit() -> None:
    sql = "SELECT height, COUNT(*) FROM orders o LEFT JOIN profiles p ON o.user_id = p.user_id AND o.total > 5 GROUP BY height"
    (release,) = bind(sql, shop()).releases
    assert not release.keys[0].one_a_unit
    plain = "SELECT height, COUNT(*) FROM orders o LEFT JOIN profiles p ON o.user_id = p.user_id GROUP BY height"
    assert bind(plain, shop()).releases[0].keys[0].one_a_unit


def test_a_left_join_to_one_row_a_unit_leaves_the_number_of_rows_unknown() -> None:
    counted = "(SELECT user_id, COUNT(*) AS n FROM events GROUP BY user_id)"
    sql = f"SELECT COUNT(*) FROM orders o LEFT JOIN {counted} e ON e.user_id = o.user_id AND e.n = o.id"
    (release,) = bind(sql, shop()).releases
    assert release.rows.rows_a_unit is None


def test_a_subquery_of_from_is_measured_once() -> None:
    query = bind(
        "SELECT p.name, t.n FROM plans p JOIN (SELECT plan_id, COUNT(*) AS n FROM users GROUP BY plan_id) t ON t.plan_id = p.id", SHOP
    )
    assert len(query.releases) == 1
    assert query.public == ("plans",)


def test_public_rows_that_are_joined_are_not_tables_of_the_outcome() -> None:
    query = bind("WITH p AS (SELECT id FROM plans) SELECT COUNT(*) FROM users u JOIN p ON p.id = u.plan_id", SHOP)
    assert query.public == ()
    assert "WITH" not in query.residual


def test_a_key_of_public_rows_keeps_the_number_of_a_units_rows() -> None:
    def rows(sql: str) -> int | None:
        (release,) = bind(f"SELECT COUNT(*) FROM users u {sql}", SHOP).releases
        return release.rows.rows_a_unit

    assert rows("JOIN (SELECT id FROM plans WHERE price > 10) p ON p.id = u.plan_id") == 1
    assert rows("JOIN (SELECT MAX(id) AS m FROM plans) p ON p.m >= u.plan_id") == 1
    assert rows("JOIN (SELECT category, MAX(id) AS m FROM products GROUP BY category) p ON p.category = u.city") == 1
    assert rows("JOIN (SELECT DISTINCT category FROM products) p ON p.category = u.city") == 1
    assert rows("WHERE u.plan_id = (SELECT id FROM plans WHERE name = 'pro')") == 1
    assert rows("JOIN (SELECT category, MAX(id) AS m FROM products GROUP BY category) p ON p.m = u.plan_id") is None
    assert rows("JOIN (SELECT id FROM plans UNION ALL SELECT id FROM products) p ON p.id = u.plan_id") is None
    assert rows("JOIN (VALUES (1), (1)) AS p(id) ON p.id = u.plan_id") is None
    either = "SELECT p.id FROM plans p LEFT JOIN (SELECT MAX(id) AS m FROM products) t ON t.m = p.id"
    assert rows(f"JOIN ({either}) p ON p.id >= u.plan_id") is None


def test_each_grouping_is_a_release_of_its_own_and_the_same_one_is_measured_once() -> None:
    query = bind("SELECT country, COUNT(*) FROM users GROUP BY GROUPING SETS ((country), (), (country), ROLLUP (country))", SHOP)
    assert [[key.name for key in release.keys] for release in query.releases] == [["k0"], []]


def test_sums_of_different_values_claim_as_many_of_the_largest_as_a_unit_has() -> None:
    (release,) = bind("SELECT SUM(DISTINCT age), AVG(DISTINCT age) FROM users", SHOP).releases
    made = plan(release, SHOP, Settings())
    assert [(p.kind, p.unit) for p in made.parts] == [("sum of distinct", Bounds(0, 120)), ("distinct", Bounds(0, 1))]
    (release,) = bind("SELECT AVG(DISTINCT total) FROM orders", SHOP).releases
    made = plan(release, SHOP, Settings())
    (threshold,) = made.thresholds
    total = next(p for p in made.parts if p.kind == "sum of distinct")
    assert unit_bounds(total, {threshold.name: 8}) == Bounds(0, 8 * 100_000)


@pytest.mark.parametrize(
    ("key", "table", "nulls"),
    [
        ("CAST(happened AS DATE) > DATE '2024-06-01'", "events", True),  # which may lie outside of any calendar
        ("CAST(born AS TIMESTAMP) > TIMESTAMP '2000-01-01'", "users", True),
        ("CAST(created_at AS DATE) > DATE '2024-06-01'", "users", False),
        ("CAST(score AS INTEGER)", "users", True),
        ("CAST(discount AS INTEGER)", "orders", False),
    ],
)
def test_a_cast_is_null_only_of_nulls_and_of_what_no_bounds_hold(key: str, table: str, nulls: bool) -> None:
    (release,) = bind(f"SELECT {key}, COUNT(*) FROM {table} GROUP BY 1", SHOP).releases
    assert release.keys[0].expression.facts.nullable is nulls


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
@pytest.mark.parametrize("value", ["visits", "score", "balance"])
def test_clamps_inside_of_each_other_take_no_more_sql_than_is_written(value: str, dialect: str) -> None:
    def lengths(depth: int) -> list[int]:
        clamped, noisy = f"{value} + 0.5", "COUNT(*)"
        for _ in range(depth):
            clamped, noisy = f"LEAST(GREATEST({clamped}, 0), 1000.5)", f"LEAST(GREATEST({noisy}, 0), 1000)"
        query = bind(f"SELECT SUM({clamped}), {noisy} FROM users", SHOP, dialect=dialect)
        argument = query.releases[0].aggregates[0].argument
        assert argument is not None
        return [len(emit(argument, engine)) for engine in ("duckdb", "postgres")] + [len(query.residual)]

    for few, more in zip(lengths(4), lengths(16), strict=True):
        assert more <= 4 * few


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("REPEAT(country, 3)", ("DEDEDE", "FRFRFR", "JPJPJP")),
        ("OVERLAY(country PLACING '_' FROM 2 FOR 0)", ("D_E", "F_R", "J_P")),
        ("OVERLAY(country PLACING '' FROM 1 FOR 9)", ("",)),
        ("OVERLAY(country PLACING '!' FROM 9223372036854775807 FOR 2)", ("DE!", "FR!", "JP!")),
    ],
)
def test_no_group_is_made_of_parts_of_two_values(key: str, values: tuple[str, ...]) -> None:
    (release,) = bind(f"SELECT {key}, COUNT(*) FROM users GROUP BY 1", SHOP).releases
    assert release.keys[0].expression.facts.values == values


def test_a_new_text_at_a_place_is_put_into_no_more_than_a_text_may_grow() -> None:
    (release,) = bind("SELECT COUNT(*) FROM users WHERE OVERLAY(city PLACING 'x' FROM 2 FOR 0) = 'a'", SHOP).releases
    assert isinstance(release.rows, Filter)
    written = emit(release.rows.condition, "postgres")
    assert written.count("10000)") == 3
