"""A group key is listed with what it can be, and with nothing that no row could have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from dpsql.binding import bind
from dpsql.compiling.dialects import Dialect, Name
from dpsql.domains import domain
from dpsql.kept import group_key
from dpsql.tree import Column, Key, subexpressions
from tests.dpsql.shop import shop

psycopg = pytest.importorskip("psycopg")
SHOP = shop()
TENS = list(range(0, 130, 10))


def key_of(sql: str, dialect: str = "postgres") -> Key:
    (release,) = bind(sql, SHOP, dialect=dialect).releases
    return release.keys[0]


def values_of(key: str, dialect: str = "postgres") -> Any:
    return key_of(f"SELECT {key}, COUNT(*) FROM users GROUP BY 1", dialect).expression.facts.values


@pytest.mark.parametrize(
    ("key", "dialect", "values"),
    [
        ("age / 10 * 10", "postgres", TENS),
        ("age // 10 * 10", "duckdb", TENS),
        ("FLOOR(age / 10) * 10", "duckdb", TENS),
        ("FLOOR(age / 10.0) * 10", "postgres", TENS),
        ("ROUND(age, -1)", "postgres", TENS),
        ("age - age % 10", "postgres", TENS),
        ("(60 - age) % 3 * 7", "postgres", [0, 7, 14, -14, -7]),
        ("(age / 10 * 10) || '-' || (age / 10 * 10 + 9)", "postgres", [f"{n}-{n + 9}" for n in TENS]),
        ("country || '-' || country", "postgres", ["DE-DE", "FR-FR", "JP-JP"]),
        ("UPPER(country) || LOWER(country)", "postgres", ["DEde", "FRfr", "JPjp"]),
        ("LEAST(GREATEST(age, 18), 65) / 10 * 10", "postgres", [10, 20, 30, 40, 50, 60]),
        ("CONCAT(country, '-', country)", "postgres", ["DE-DE", "FR-FR", "JP-JP", "-"]),
        ("COALESCE(country, '?') || COALESCE(country, '?')", "postgres", ["DEDE", "FRFR", "JPJP", "??"]),
        ("country || active", "duckdb", ["DEfalse", "DEtrue", "FRfalse", "FRtrue", "JPfalse", "JPtrue"]),
        ("CASE WHEN active THEN country || country ELSE 'none' END", "postgres", ["DEDE", "FRFR", "JPJP", "none"]),
        ("CASE WHEN active THEN country || country END", "postgres", ["DEDE", "FRFR", "JPJP"]),
        ("EXTRACT(year FROM created_at) || '-Q' || EXTRACT(quarter FROM created_at)", "postgres",
         [f"{year}-Q{quarter}" for year in (2023, 2024) for quarter in (1, 2, 3, 4)]),
        ("EXTRACT(year FROM created_at) * 100 + EXTRACT(month FROM created_at)", "postgres",
         [year * 100 + month for year in (2023, 2024) for month in range(1, 13)]),
        ("CASE WHEN city = 'Paris' THEN EXTRACT(quarter FROM created_at) * 10 END", "duckdb", [10, 20, 30, 40]),
        ("(DATE_TRUNC('year', created_at)::date - DATE '2023-01-01') / 10", "postgres", [0, 36]),
    ],
)  # fmt: skip
def test_only_what_a_key_can_be_is_listed(key: str, dialect: str, values: list[Any]) -> None:
    found = values_of(key, dialect)
    assert sorted(found) == sorted(values)


def test_what_may_not_be_null_with_its_column_keeps_the_list_of_its_range() -> None:
    assert values_of("NULLIF(age, 3) / 10 * 10") == tuple(range(121))


def test_a_column_of_a_subquery_that_is_clamped_there_has_its_values() -> None:
    sql = "SELECT v / 100 * 100, COUNT(*) FROM (SELECT LEAST(GREATEST(visits, 0), 999) AS v FROM users) t GROUP BY 1"
    assert key_of(sql).expression.facts.values == tuple(range(0, 1000, 100))


@pytest.mark.parametrize("key", ["POWER(age, 16)", "country || city", "age * 0.37"])
def test_where_it_does_not_follow_what_a_key_can_be_its_groups_are_released_by_a_threshold(key: str) -> None:
    assert values_of(key) is None


KEYS = [
    "age - age % 10", "(40 - age) % 7 * 7", "FLOOR(age / 10.0) * 10", "CEIL(age * 0.7 / 0.1)", "FLOOR(age * 0.29 / 0.01)", "ROUND(age / 4.0)",
    "CAST(age / 4.0 AS INTEGER)", "TRUNC(age * 1.1) * 2", "ROUND(age, -1)", "country || '-' || country", "SIGN(age - 60) * 5",
    "COALESCE(UPPER(country), '?') || LEFT(country, 1)", "REVERSE(country) || SUBSTRING(country, 2, 1)", "TRUNC(SQRT(age)) * 10",
    "CASE WHEN country IS NULL THEN 'none' ELSE LOWER(country) || country END", "FLOOR(LN(age + 1)) * 3", "GREATEST(LEAST(age, 50), 20) % 9 * 2",
    "CASE WHEN age > 30 THEN 0.1 ELSE CAST(1 AS DOUBLE PRECISION) END",
]  # fmt: skip
WHOLE = [
    "age / 10 * 10", "(40 - age) / 7 * 7", "ABS(age - 60) / 9", "CASE WHEN age > 60 THEN age / 10 ELSE age % 4 END", "COALESCE(age, -1) / 10",
    "age / 10 || country", "CONCAT(country, '/', age / 50)", "NULLIF(age / 30, 2) * 2", "LEAST(age, 50) / 10 * 10",
    "LENGTH(country || country) * age / 50", "GREATEST(age / 10, NULL, 3)",
]  # fmt: skip


@pytest.fixture(scope="module")
def every_point(postgres: str) -> Iterator[dict[Name, Any]]:
    """A table of every age and country, nulls among them, in both databases."""
    made = (
        "CREATE TEMP TABLE points AS SELECT a.age, c.country FROM ({ages}) a CROSS JOIN (VALUES ('DE'), ('FR'), ('JP'), (NULL)) c(country)"
    )
    ages = "SELECT CAST(n AS INTEGER) AS age FROM generate_series(0, 120) g(n) UNION ALL SELECT NULL"
    with duckdb.connect() as here, psycopg.connect(postgres) as there:
        here.execute(made.format(ages=ages))
        there.execute(made.format(ages=ages))
        yield {"duckdb": here, "postgres": there}
        there.rollback()


@pytest.mark.parametrize(
    ("written", "dialect"), [*((key, dialect) for key in KEYS for dialect in ("postgres", "duckdb")), *((key, "postgres") for key in WHOLE)]
)
def test_no_row_that_is_as_declared_is_outside_of_the_list(written: str, dialect: str, every_point: dict[Name, Any]) -> None:
    key = key_of(f"SELECT {written}, COUNT(*) FROM users GROUP BY 1", dialect)
    assert key.public
    listed = set(domain(key, lambda table, column: []))
    names = {part.name: part.name.split("_")[1] for part in subexpressions(key.expression) if isinstance(part, Column)}
    columns = ", ".join(f'{name} AS "{inner}"' for inner, name in names.items())
    for engine, connection in every_point.items():
        sql = Dialect(engine).key(key.expression)
        found = {group_key(row) for row in connection.execute(f"SELECT DISTINCT {sql} FROM (SELECT {columns} FROM points) p").fetchall()}
        assert {one for (one,) in found} <= listed
