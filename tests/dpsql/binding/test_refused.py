"""What cannot be shown private is refused with the reason, and with the nearest query that is accepted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from sqlglot import expressions as exp

from dpsql.binding import bind, common_tables, from_clause, residual, scalars, subqueries
from dpsql.binding.expressions import Expressions
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.planning import plan
from dpsql.planning.model import Settings
from dpsql.tree import Expression
from tests.dpsql.shop import shop
from tests.spread import one_in

SHOP = shop()


def refusals() -> Iterator[tuple[str, str, str]]:
    """The dialect, SQL and words of the reason of every refused form."""
    for queries in yaml.safe_load((Path(__file__).parent / "refused.yaml").read_text()).values():
        for sql, words in queries:
            for dialect in ("postgres", "duckdb"):
                yield dialect, sql, words


def refused(sql: str, dialect: str = "postgres") -> QueryRefused | QueryInvalid:
    with pytest.raises((QueryRefused, QueryInvalid)) as caught:
        bind(sql, SHOP, dialect=dialect)
    return caught.value


@pytest.mark.parametrize(("dialect", "sql", "words"), one_in(2, refusals()))
def test_a_query_is_refused_with_its_reason_and_what_is_offered_instead_is_accepted(dialect: str, sql: str, words: str) -> None:
    error = refused(sql, dialect)
    assert words in str(error)
    if isinstance(error, QueryRefused) and error.instead is not None:
        assert bind(error.instead, SHOP, dialect=dialect)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("(SELECT COUNT(*) FROM users LIMIT 2) LIMIT 1", "both inside and outside"),
        ("SELECT COUNT(*) FROM (SELECT * FROM orders o JOIN users u ON o.user_id = u.id) t WHERE id < 50", "are called 'id'"),
        ("SELECT COUNT(*) FROM (SELECT * FROM orders o JOIN users u ON o.user_id = u.id) t NATURAL JOIN users", "are called 'id'"),
        (
            "SELECT COUNT(*) FROM users u WHERE EXISTS (SELECT 1 FROM "
            "(SELECT * FROM orders o JOIN users v ON o.user_id = v.id) t WHERE t.user_id = u.id AND id > 5)",
            "are called 'id'",
        ),
        ("SELECT COUNT(*) FROM (SELECT * FROM orders o JOIN users u ON o.user_id = u.id) t WHERE t.idd < 50", "is no column 'idd' in 't'"),
        ("SELECT CAST(city AS CHAR(3)), COUNT(*) FROM users GROUP BY 1", "cast to VARCHAR(3)"),
        ("SELECT COUNT(*)::char FROM users", "cast to VARCHAR(1)"),
    ],
)
def test_what_postgresql_takes_otherwise_is_refused_in_its_dialect(sql: str, words: str) -> None:
    error = refused(sql)
    assert words in str(error)
    if isinstance(error, QueryRefused):
        assert bind(str(error.instead), SHOP)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT SUBSTRING(status, 2, -1), COUNT(*) FROM orders GROUP BY status", "negative length"),
        ("SELECT COUNT(*) FROM orders WHERE SUBSTRING(status, 2, -1) = 'a'", "negative length"),
        ("SELECT SUBSTRING(status FROM 'p.'), COUNT(*) FROM orders GROUP BY status", "regular expression"),
        ("SELECT SUBSTRING(status FROM 'p.' FOR '#'), COUNT(*) FROM orders GROUP BY status", "regular expression"),
        ("SELECT SUBSTRING(status, '2', 3), COUNT(*) FROM orders GROUP BY status", "from a number"),
        ("SELECT SUBSTRING(status, COUNT(*)::text), COUNT(*) FROM orders GROUP BY status", "regular expression"),
        ("SELECT name, SUBSTRING(name, name) FROM plans", "regular expression"),
        ("SELECT SUBSTRING(p.title FROM p.Category FOR 2) FROM products p", "regular expression"),
        ("SELECT SUBSTRING(country, country), COUNT(*) FROM users GROUP BY country", "regular expression"),
        ("SELECT TO_CHAR(created_at, 'DAY'), COUNT(*) FROM users GROUP BY 1", "a date is written with"),
        ("SELECT TO_CHAR(MAX(placed_at), 'day') FROM orders", "a date is written with"),
        ("SELECT TO_CHAR(MAX(placed_at), 'Dy, DD') FROM orders", "a date is written with"),
        ("SELECT TO_CHAR(MAX(placed_at), 'Mon' || 'th') FROM orders", "a date is written with"),
        ("SELECT TO_CHAR(MAX(placed_at), 'WW') FROM orders", "a date is written with"),
        ("SELECT TO_CHAR(MAX(placed_at), '\"DD\"') FROM orders", "a date is written with"),
        ("SELECT TO_CHAR(created_at, '%Y'), COUNT(*) FROM users GROUP BY 1", "'YYYY-MM' in PostgreSQL's dialect"),
        ("SELECT TO_CHAR(created_at, ('%Y-%m')), COUNT(*) FROM users GROUP BY 1", "'YYYY-MM' in PostgreSQL's dialect"),
        ("SELECT COUNT(*) FROM users WHERE TO_CHAR(created_at, '%uay') = 'Sunday'", "'YYYY-MM' in PostgreSQL's dialect"),
        ("SELECT TO_CHAR(MAX(placed_at), '%m/%H') FROM orders", "'YYYY-MM' in PostgreSQL's dialect"),
        ("SELECT COUNT(*) FROM orders WHERE placed_at > TO_DATE('2024', '%Y')", "'YYYY-MM' in PostgreSQL's dialect"),
        ("SELECT country, (country, COUNT(*)) BETWEEN ('DE', NULL) AND ('FR', 7) FROM users GROUP BY country", "write BETWEEN as"),
        ("SELECT X'1F', COUNT(*) FROM users", "texts of bits"),
        ("SELECT B'10', COUNT(*) FROM users", "texts of bits"),
        ("SELECT COUNT(*) + 0o17 FROM users", "starts with '0' is no number"),
        ("SELECT 1_000, COUNT(*) FROM users", "starts with '1' is no number"),
        ("SELECT COUNT(*) AS n FROM users LIMIT 1OFFSET 0", "starts with '1' is no number"),
        ("SELECT COUNT(*)::varchar(0) FROM users", "at least 1"),
        ("SELECT COUNT(*) FROM users WHERE city::char(0) = 'a'", "at least 1"),
        ("SELECT COUNT(*) || E'a\\x00b' FROM users", "zero byte"),
        ("SELECT COUNT(*) FROM users WHERE city = E'a\\000b'", "zero byte"),
        ("SELECT COUNT(*) FROM users WHERE city = E'a\\u0000b'", "zero byte"),
        ("SELECT SUBSTRING('abc', LENGTH(SUBSTRING('abc', COUNT(*)::int))) FROM users", "another SUBSTRING"),
        ("SELECT COUNT(*) FROM (SELECT id, age FROM users) t(a, a) WHERE a > 40", "are called 'a'"),
    ],
)
def test_what_postgresql_alone_reads_otherwise_is_refused(sql: str, words: str) -> None:
    assert words in str(refused(sql))


@pytest.mark.parametrize("shown", ["TO_CHAR(created_at, $1)", "TO_CHAR(MAX(created_at), $1)"])
def test_a_format_of_strftime_comes_by_no_parameter(shown: str) -> None:
    with pytest.raises(QueryRefused, match="in a constant format"):
        bind(f"SELECT COUNT(*), {shown} FROM users GROUP BY {'2' if 'MAX' not in shown else 'active'}", SHOP, parameters=("%Y",))


@pytest.mark.parametrize("sql", ["SELECT COUNT(*) FROM users WHERE age > $1", "SELECT COUNT(*) + $1 FROM users"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2**200, "too many digits"),
        (Decimal("1E+400"), "too many digits"),
        (Decimal("-1E+999999"), "too many digits"),
        (Decimal("1E-400"), "too many digits"),
        (1e300, "too many digits"),
        (-1e-15, "too many digits"),
        (Decimal("NaN"), "not a finite number"),
        (float("-inf"), "not a finite number"),
    ],
)
def test_a_number_comes_by_a_parameter_only_as_it_may_be_written(sql: str, value: Decimal | float, words: str) -> None:
    with pytest.raises(QueryInvalid, match=words):
        bind(sql, SHOP, parameters=(value,))


@pytest.mark.slow
def test_twenty_aggregates_are_answered_in_another_form_and_no_more() -> None:
    shown = [f"CORR(age, score + {n}) AS c{n}" for n in range(21)]
    bind(f"SELECT {', '.join(shown[:20])} FROM users", SHOP)
    with pytest.raises(QueryInvalid, match="more than 20 subqueries, joins and aggregates .*; ask in several"):
        bind(f"SELECT {', '.join(shown)} FROM users", SHOP)


def test_substrings_inside_of_the_places_of_substrings_are_refused_before_they_grow() -> None:
    place = "COUNT(*)::int"
    for _ in range(8):
        place = f"LENGTH(SUBSTRING('abc', {place}, 2))"
    assert "another SUBSTRING" in str(refused(f"SELECT {place} FROM users"))


@pytest.mark.parametrize(
    ("kind", "offered"), [("bpchar", "VARCHAR"), ("bpchar(3)", "VARCHAR(3)"), ("char", "VARCHAR(1)"), ("char(4)", "VARCHAR(4)")]
)
def test_a_text_as_long_as_a_padded_one_is_offered(kind: str, offered: str) -> None:
    error = refused(f"SELECT COUNT(*)::{kind} FROM users")
    assert isinstance(error, QueryRefused)
    assert error.instead == f"SELECT CAST(COUNT(*) AS {offered}) FROM users"


@pytest.mark.parametrize("order", ["COUNT(*)", "age", "users.country", "n + SUM(n)"])
def test_rows_of_brackets_with_a_limit_are_ordered_by_what_is_shown_of_them(order: str) -> None:
    error = refused(f"(SELECT country, COUNT(*) AS n FROM users GROUP BY country LIMIT 2) ORDER BY {order}", "duckdb")
    assert "inside; give" in str(error) or "in brackets; show it" in str(error)


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT SUM(SQRT(visits)) FROM users", "SELECT SUM(LEAST(GREATEST(SQRT(visits), 0), 1000)) FROM users"),
        ("SELECT STDDEV(EXP(visits)) FROM users", "SELECT STDDEV(LEAST(GREATEST(EXP(visits), 0), 1000)) FROM users"),
        ("SELECT AVG(score / visits) FROM users", "SELECT AVG(LEAST(GREATEST(score / visits, 0), 1000)) FROM users"),
        (  # of seconds a thousand are few
            "SELECT AVG(happened - created_at) FROM users AS u JOIN events AS e ON e.user_id = u.id",
            "SELECT AVG(LEAST(GREATEST(EXTRACT(EPOCH FROM (happened - created_at)), 0), 2592000)) "
            "FROM users AS u JOIN events AS e ON e.user_id = u.id",
        ),
        (
            "SELECT AVG(EXTRACT(EPOCH FROM happened)) FROM events",
            "SELECT AVG(LEAST(GREATEST(EXTRACT(EPOCH FROM happened), 0), 1000)) FROM events",
        ),
        (
            "SELECT AVG(mx / mn) FROM (SELECT user_id, MAX(total) AS mx, MIN(total) AS mn FROM orders GROUP BY user_id) AS t",
            "SELECT AVG(LEAST(GREATEST(mx / mn, 0), 1000)) FROM "
            "(SELECT user_id, MAX(total) AS mx, MIN(total) AS mn FROM orders GROUP BY user_id) AS t",
        ),
    ],
)
def test_a_clamped_double_is_offered_and_can_be_planned(sql: str, instead: str, dialect: str) -> None:
    error = refused(sql, dialect)
    assert isinstance(error, QueryRefused)
    assert error.instead == instead
    for release in bind(instead, SHOP, dialect=dialect).releases:
        assert plan(release, SHOP, Settings()).parts


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM public.users AS u WHERE public.users.age > 3",
        "SELECT COUNT(*) FROM users WHERE crm.users.age > 3",
        "SELECT COUNT(*) FROM (SELECT id FROM orders) AS users WHERE public.users.id > 3",
        "WITH users AS (SELECT age FROM public.users) SELECT COUNT(*) FROM users WHERE public.users.age > 3",
    ],
)
def test_a_schema_before_a_column_is_that_of_a_table_that_is_seen_by_its_own_name(sql: str) -> None:
    assert "in this FROM under its own name" in str(refused(sql))


@pytest.mark.parametrize(
    ("sql", "dialect", "name"),
    [
        ("SELECT TO_TIMESTAMP(city, 'YYYY'), COUNT(*) FROM users GROUP BY 1", "postgres", "'to_timestamp'"),
        ("SELECT STRPTIME(city, '%Y'), COUNT(*) FROM users GROUP BY 1", "duckdb", "'strptime'"),
        ("SELECT BIT_LENGTH(city), COUNT(*) FROM users GROUP BY 1", "postgres", "'bit_length'"),
        ("SELECT TO_NUMBER(city, '999'), COUNT(*) FROM users GROUP BY 1", "postgres", "'to_number'"),
        ("SELECT BIT_AND(age) FROM users", "postgres", "BIT_AND(age)"),
        ("SELECT COUNT(*) FROM users WHERE created_at > CURRENT_TIMESTAMP", "postgres", "current_timestamp changes"),
        ("SELECT COUNT(*) FROM users WHERE created_at > CURRENT_DATE", "duckdb", "current_date changes"),
        ("SELECT COUNT(*), CURRENT_TIMESTAMP FROM users", "postgres", "'current_timestamp'"),
        ("SELECT COUNT(*), GEN_RANDOM_UUID() FROM users", "postgres", "'gen_random_uuid'"),
    ],
)
def test_a_function_is_named_as_it_was_written(sql: str, dialect: str, name: str) -> None:
    assert name in str(refused(sql, dialect))


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT EVERY(active) AS all_of FROM users", "SELECT COUNT(CASE WHEN NOT (active) THEN 1 END) AS all_of FROM users"),
        (
            "SELECT country, BOOL_OR(active) FILTER (WHERE age > 30) FROM users GROUP BY country",
            "SELECT country, COUNT(CASE WHEN active THEN 1 END) FILTER(WHERE age > 30) FROM users GROUP BY country",
        ),
        (
            "SELECT country, COUNT(*) FROM users GROUP BY country HAVING BOOL_OR(age > 80)",
            "SELECT country, COUNT(*) FROM users GROUP BY country HAVING COUNT(CASE WHEN age > 80 THEN 1 END) > 0",
        ),
    ],
)
def test_the_count_of_what_decides_is_offered_for_a_truth_over_many_units(sql: str, instead: str) -> None:
    error = refused(sql)
    assert isinstance(error, QueryRefused)
    assert error.instead == instead
    assert bind(instead, SHOP)


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT STRING_AGG(city, ', ') FROM users", "SELECT city, COUNT(*) FROM users GROUP BY city"),
        (
            "SELECT country, ARRAY_AGG(DISTINCT city) AS cities FROM users GROUP BY 1",
            "SELECT country, city AS cities, COUNT(*) FROM users GROUP BY 1, city",
        ),
        ("SELECT MODE() WITHIN GROUP (ORDER BY city) FROM users", "SELECT city, COUNT(*) FROM users GROUP BY city"),
        ("SELECT ANY_VALUE(city) FROM users", "SELECT city, COUNT(*) FROM users GROUP BY city"),
        ("SELECT AVG(active) FROM users", "SELECT AVG(CAST(active AS INT)) FROM users"),
        ("SELECT INITCAP(city) AS c, COUNT(*) FROM users GROUP BY 1", "SELECT city AS c, COUNT(*) FROM users GROUP BY 1"),
        (
            "SELECT p.name, COUNT(*) FROM users AS u RIGHT JOIN plans AS p ON u.plan_id = p.id GROUP BY p.name",
            "SELECT p.name, COUNT(*) FROM users AS u JOIN plans AS p ON u.plan_id = p.id GROUP BY p.name",
        ),
        ("SELECT AVG(shipped - placed_at) FROM orders", "SELECT AVG(EXTRACT(EPOCH FROM (shipped - placed_at))) FROM orders"),
        (
            "SELECT COUNT(*) FROM orders WHERE placed_at >= CURRENT_DATE",
            "SELECT COUNT(*) FROM orders WHERE placed_at >= CAST('2026-01-01' AS DATE)",
        ),
        (
            "SELECT COUNT(*) FROM orders WHERE placed_at >= NOW()",
            "SELECT COUNT(*) FROM orders WHERE placed_at >= CAST('2026-01-01' AS TIMESTAMP)",
        ),
    ],
)
def test_what_comes_nearest_is_offered_and_accepted(sql: str, instead: str, dialect: str) -> None:
    error = refused(sql, dialect)
    assert isinstance(error, QueryRefused)
    assert error.instead == instead
    assert bind(instead, SHOP, dialect=dialect)


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT COUNT(*) FROM other.public.users WHERE age > 3", "SELECT COUNT(*) FROM public.users WHERE age > 3"),
        (
            "SELECT other.public.users.country, COUNT(*) FROM other.public.users GROUP BY other.public.users.country",
            "SELECT public.users.country, COUNT(*) FROM public.users GROUP BY public.users.country",
        ),
        ('SELECT COUNT(*) FROM "SHOP".public.plans', "SELECT COUNT(*) FROM public.plans"),
    ],
)
def test_there_is_no_other_database(sql: str, instead: str, dialect: str) -> None:
    error = refused(sql, dialect)
    assert isinstance(error, QueryRefused)
    assert "this one is called 'shop'" in error.reason
    assert error.instead == instead


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("TO_TIMESTAMP('2024-6-1', 'YYYY-MM-DD')", "write it like 2024-06-01"),
        ("TO_TIMESTAMP('2024-06-31', 'YYYY-MM-DD')", "no such day"),
        ("TO_DATE('Jun 2024', 'Mon YYYY')", "is understood with year"),
        ("TO_DATE('06', 'MM')", "is understood with year"),
        ("TO_DATE('20242025', 'YYYYYYYY')", "each once"),
    ],
)
def test_a_text_that_databases_might_read_differently_makes_no_date(made: str, words: str) -> None:
    assert words in str(refused(f"SELECT COUNT(*) FROM orders WHERE placed_at < {made}"))


def test_what_duckdb_makes_of_nulls_in_all_of_some_rows_is_refused() -> None:
    sql = "SELECT COUNT(*) FROM users WHERE (age, plan_id) = ALL (ARRAY[(31, 1)])"
    assert "a list of values" in str(refused(sql, "duckdb"))
    assert bind(sql, SHOP)  # in PostgreSQL nulls of rows are alike in any list


@pytest.mark.parametrize("interval", ["CAST('13 months' AS INTERVAL YEAR)", "'90 seconds'::INTERVAL MINUTE", "'2 seconds'::INTERVAL(0)"])
def test_an_interval_of_which_postgresql_leaves_a_part_out_is_refused(interval: str) -> None:
    assert "a cast to interval" in str(refused(f"SELECT COUNT(*) FROM orders WHERE placed_at + {interval} > '2025-01-01'"))


@pytest.mark.parametrize("part", ["SUBSTRING(city, age - 50)", "SUBSTRING(city, -2, age)"])
def test_what_duckdb_counts_from_the_end_is_refused_where_it_is_not_constant(part: str) -> None:
    assert "SUBSTRING" in str(refused(f"SELECT COUNT(*) FROM users WHERE {part} = 'in'", "duckdb"))
    assert bind(f"SELECT COUNT(*) FROM users WHERE {part} = 'in'", SHOP)  # in PostgreSQL nothing counts from the end


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT * FROM users WHERE age > 3", "SELECT COUNT(*) FROM users WHERE age > 3"),
        ("SELECT SUM(visits), COUNT(*) FROM users", "SELECT SUM(LEAST(GREATEST(visits, 0), 1000)), COUNT(*) FROM users"),
        ("SELECT STDDEV(DISTINCT total) FROM orders", "SELECT STDDEV(total) FROM orders"),
        (
            "SELECT SUM(DISTINCT visits) FROM users",
            "SELECT SUM(DISTINCT LEAST(GREATEST(visits, 0), 1000)) FROM users",
        ),
        ("SELECT invited_by, country, COUNT(*) FROM users GROUP BY 1, 2", "SELECT country, COUNT(*) FROM users GROUP BY country"),
        ("SELECT COUNT(*) FROM users WHERE age > (SELECT AVG(age) FROM users)", "SELECT AVG(age) FROM users"),
        (
            "SELECT COUNT(*) FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id GROUP BY o.status HAVING COUNT(*) > 3)",
            "SELECT COUNT(*) FROM users AS u",
        ),
        (
            "SELECT (SELECT COUNT(*) FROM users v WHERE v.country = u.country) FROM users u GROUP BY country",
            "SELECT COUNT(*) FROM users AS u",
        ),
        ("SELECT SUM((SELECT COUNT(*) + 1 FROM orders o WHERE o.user_id = u.id)) FROM users u", "SELECT COUNT(*) FROM users AS u"),
        (
            "SELECT SUM((SELECT COUNT(*) FROM orders o WHERE o.user_id = u.id HAVING COUNT(*) > 3)) FROM users u",
            "SELECT COUNT(*) FROM users AS u",
        ),
        ("SELECT MIN(name) FROM users", "SELECT COUNT(name) FROM users"),
        (
            "SELECT COUNT(*), PERCENTILE_DISC(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY total) AS q FROM orders",
            "SELECT COUNT(*), PERCENTILE_DISC(0.25) WITHIN GROUP (ORDER BY total) AS q_1, "
            "PERCENTILE_DISC(0.75) WITHIN GROUP (ORDER BY total) AS q_2 FROM orders",
        ),
        (
            "SELECT COUNT(*) FROM orders o JOIN events e ON o.id = e.id",
            "SELECT COUNT(*) FROM orders AS o JOIN events AS e ON o.id = e.id AND o.user_id = e.user_id",
        ),
        (
            "SELECT COUNT(*) FROM orders FULL JOIN profiles USING (user_id)",
            "SELECT COUNT(*) FROM orders JOIN profiles USING (user_id)",
        ),
    ],
)
def test_the_nearest_query_keeps_what_can_be_kept(sql: str, instead: str) -> None:
    error = refused(sql)
    assert isinstance(error, QueryRefused)
    assert error.instead == instead


SHOWN = "CONCAT({}, 'x') = 't'"
LIKE_ANY = "CASE WHEN {} LIKE ANY (ARRAY['a%', 'b%', 'c%']) THEN 't' ELSE 'f' END"


def within(form: str, depth: int, innermost: str) -> str:
    """`form` in itself, time and again."""
    made = innermost
    for _ in range(depth):
        made = form.format(made)
    return made


@pytest.fixture
def any_depth() -> Iterator[None]:
    """No limit of Python's own stops a query that grows: other libraries set it higher."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT COUNT(*) FROM users WHERE {within('CASE WHEN {} BETWEEN 3 AND 5 THEN 1 ELSE 2 END', 60, 'age')} > 1",
        f"SELECT COUNT(*) FROM users WHERE {within('CASE WHEN {} BETWEEN SYMMETRIC 3 AND 5 THEN 1 ELSE 2 END', 60, 'age')} > 1",
        f"SELECT COUNT(*) FROM users WHERE {within('CASE WHEN MONTHNAME({}) = 1 THEN born END', 20, 'born')} > DATE '2000-01-01'",
        "SELECT COUNT(*) FROM users WHERE "
        f"{within('CASE WHEN EXTRACT(YEAR FROM AGE({}, created_at)) > 3 THEN born END', 12, 'born')} > DATE '2000-01-01'",
        f"SELECT COUNT(*) FROM users WHERE age + {'1 + ' * 200} 1 > ANY (ARRAY[{'1, ' * 200} 1])",
        f"SELECT COUNT(*) FROM {within('(SELECT a.id, b.user_id FROM {} a FULL JOIN orders b ON a.user_id = b.user_id)', 20, 'orders')} x",
        f"SELECT COUNT(*) FROM users WHERE {within('CASE WHEN {} > ANY (ARRAY[1, 2, 3]) THEN 1 ELSE 2 END', 14, 'age')} > 1",
        f"SELECT COUNT(*) FROM users WHERE {within('CASE WHEN ({}, 1) IN ((1, 2), (3, 4), (5, 6)) THEN 1 ELSE 2 END', 14, 'age')} > 1",
        f"SELECT COUNT(*) FROM users WHERE {within(LIKE_ANY, 14, 'name')} = 't'",
        "SELECT COUNT(*) FROM users u WHERE active"
        + " OR EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id)".join(map(str, range(60))),
    ],
    ids=["between", "symmetric", "names", "age", "any", "full", "any in any", "rows", "like", "exists"],
)
def test_forms_that_are_written_out_in_each_other_are_refused_before_they_grow(sql: str, any_depth: None) -> None:
    assert refused(sql, "duckdb")


REPEATING = {
    "between": ("CASE WHEN {} BETWEEN 3 AND 5 THEN 1 ELSE 2 END", "age", "COUNT(*)"),
    "symmetric": ("CASE WHEN {} BETWEEN SYMMETRIC 3 AND 5 THEN 1 ELSE 2 END", "age", "COUNT(*)"),
    "in": ("CASE WHEN {} IN (1, 2) THEN 1 ELSE 2 END", "age", "COUNT(*)"),
    "any": ("CASE WHEN {} > ANY (ARRAY[1, 2]) THEN 1 ELSE 2 END", "age", "COUNT(*)"),
    "nullif": ("NULLIF({}, 3)", "age", "COUNT(*)"),
    "case": ("CASE {} WHEN 1 THEN 2 WHEN 3 THEN 4 ELSE 5 END", "age", "COUNT(*)"),
    "split": ("SPLIT_PART({}, 'a', 1)", "name", "CAST(COUNT(*) AS TEXT)"),
    "bucket": ("WIDTH_BUCKET({}, 0, 100, 10)", "age", "COUNT(*)"),
}


@pytest.mark.parametrize("form", list(REPEATING))
@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
def test_what_a_database_repeats_stands_in_its_like_a_few_times_and_not_often(form: str, dialect: str, any_depth: None) -> None:
    repeated, inside, outcome = REPEATING[form]
    often = within(repeated, 60, outcome)
    assert bind(f"SELECT COUNT(*) FROM users WHERE {within(repeated, 3, inside)} IS NULL", SHOP, dialect=dialect)
    for sql in (
        f"SELECT {often} FROM users",
        f"SELECT COUNT(*) FROM users WHERE {within(repeated, 60, inside)} IS NULL",
        f"SELECT COUNT(*) FROM {_through_subqueries(repeated, 12, inside)} x WHERE v12 IS NULL",
        f"SELECT v12 FROM {_through_subqueries(repeated, 12, outcome)} x",
    ):
        assert "in each other" in str(refused(sql, dialect))


def _through_subqueries(form: str, depth: int, innermost: str) -> str:
    made = f"(SELECT {innermost} AS v0 FROM users)"
    for level in range(depth):
        made = f"(SELECT {form.format(f'v{level}')} AS v{level + 1} FROM {made} x)"
    return made


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (SELECT {0} AS v FROM users), b AS (SELECT {1} AS v FROM a), c AS (SELECT {1} AS v FROM b), "
        "d AS (SELECT {1} AS v FROM c) SELECT COUNT(*) FROM d WHERE v = 1",
        "SELECT COUNT(*) FROM (SELECT {1} AS v FROM (SELECT {2} AS v FROM users) x) y WHERE {1} = 1 AND {1} = 1",
        "SELECT COUNT(*) FROM (SELECT id, {2} AS v FROM users) x JOIN orders o ON o.user_id = x.id AND {3} = 1",
        "SELECT COUNT(*) FROM (SELECT {2} AS v FROM users UNION ALL SELECT age AS v FROM users) x WHERE {2} = 1",
    ],
    ids=["common tables", "subqueries", "join", "union"],
)
def test_what_a_database_repeats_is_counted_through_the_columns_of_subqueries(sql: str) -> None:
    once = "CASE WHEN {} IN (1, 2) THEN 1 ELSE 2 END"
    forms = [within(once, 1, "age"), within(once, 2, "v"), within(once, 4, "age" if " v " not in sql.split("{2}")[0] else "v")]
    forms.append(within(once, 4, "x.v"))
    assert "in each other" in str(refused(sql.format(*forms), "duckdb"))


def test_columns_that_have_nothing_to_do_with_each_other_do_not_add_up() -> None:
    """Common tables one on the other, each with a condition and a column of its own, as tools for models of data write them."""
    chain = ["c0 AS (SELECT *, CASE WHEN status IN ('open', 'paid') THEN 1 ELSE 0 END AS f0 FROM orders WHERE parcels NOT IN (4, 5))"]
    for n in range(1, 9):
        chain.append(f"c{n} AS (SELECT *, NULLIF(parcels, {n}) AS f{n} FROM c{n - 1} WHERE total BETWEEN {n} AND 900)")
    assert bind(f"WITH {', '.join(chain)} SELECT COUNT(*) FROM c8 WHERE f0 = 1 AND f8 IN (1, 2)", SHOP)


def test_a_long_list_is_no_nesting() -> None:
    listed = ", ".join(map(str, range(900)))
    assert bind(f"SELECT COUNT(*) FROM users WHERE NULLIF(age, 3) IN ({listed}) OR CASE age WHEN 1 THEN 2 ELSE age END IN ({listed})", SHOP)


@pytest.mark.parametrize(
    "form",
    [
        "CASE {} " + " ".join(f"WHEN {n} THEN {n + 1}" for n in range(12)) + " ELSE 5 END",
        "CASE WHEN {} BETWEEN SYMMETRIC 3 AND 5 THEN 1 ELSE 2 END",
        "CASE WHEN {0} IN (1, 2) AND {0} BETWEEN 3 AND 4 THEN 1 ELSE 2 END",
    ],
)
@pytest.mark.parametrize("depth", [1, 5])
def test_a_form_counts_as_often_as_it_repeats_a_part(form: str, depth: int) -> None:
    sql = f"SELECT {within(form, depth, 'COUNT(*)')} FROM users"
    if depth == 1:
        assert bind(sql, SHOP, dialect="duckdb")
    else:
        assert "in each other" in str(refused(sql, "duckdb"))


@pytest.mark.parametrize("form", ["SIGN({})", "CBRT({})"])
def test_what_is_written_more_than_once_does_not_grow_through_subqueries(form: str) -> None:
    assert bind(f"SELECT COUNT(*) FROM {_through_subqueries(form, 3, 'age')} x WHERE v3 = 1", SHOP, dialect="duckdb")
    sql = f"SELECT COUNT(*) FROM {_through_subqueries(form, 24, 'age')} x WHERE v24 = 1"
    assert "through several subqueries" in str(refused(sql, "duckdb"))


@pytest.mark.parametrize(
    "form",
    [
        "CONCAT({}, 'a')", "CONCAT_WS('-', {}, 'a')", "({} || 'a')", "COALESCE({}, 'a')", "LEFT({}, 3)", "LOWER({})",
        "LPAD({}, 5, 'a')", "SUBSTRING({} FROM 2 FOR 3)", "CASE WHEN {} LIKE 'a%' THEN 'a' ELSE 'b' END", "GREATEST({}, 'a')", "TRIM({})",
        "CASE WHEN {} = 'a' THEN 'b' WHEN name = 'c' THEN 'd' END",
    ],
)  # fmt: skip
def test_each_part_of_an_expression_is_bound_once(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = 0
    known = Expressions.bind

    def counting(self: Expressions, node: exp.Expr | None) -> Expression:
        nonlocal counted
        counted += 1
        return known(self, node)

    monkeypatch.setattr(Expressions, "bind", counting)
    bind(f"SELECT COUNT(*) FROM users WHERE {within(form, 16, 'name')} = 'a'", SHOP)
    assert counted < 40 * 16


def test_sql_that_nobody_can_read_again_is_refused() -> None:
    assert "cannot be written" in str(refused("SELECT INITCAP(INITCAP(CAST(COUNT(*) AS TEXT))) FROM users"))


def test_truth_values_are_not_written_out_in_each_other_for_ever() -> None:
    refusal = refused(f"SELECT COUNT(*) FROM users WHERE {within(SHOWN, 30, 'active')}")
    assert "too often" in str(refusal)


@pytest.mark.parametrize("depth", [100, 1_000, 10_000])
@pytest.mark.parametrize(
    "nested",
    [
        lambda n: f"SELECT {'(' * n}1{')' * n}",
        lambda n: f"SELECT COUNT(*) FROM users WHERE {'NOT ' * n}active",
        lambda n: f"SELECT SUM({'-' * 1}{'- ' * n}age) FROM users",
        lambda n: f"SELECT SUM({' + '.join(['age'] * n)}) FROM users",
        lambda n: f"SELECT COUNT(*) FROM users WHERE {' AND '.join(['active'] * n)}",
        lambda n: f"SELECT COUNT(*) FROM users WHERE {' OR '.join(['age = 1'] * n)}",
        lambda n: f"SELECT COUNT(*) FROM {'(SELECT * FROM ' * n}users{') AS x' * n}",
        lambda n: " UNION ALL ".join(["SELECT COUNT(*) FROM users"] * n),
        lambda n: f"SELECT SUM({'CASE WHEN active THEN ' * n}1{' END' * n}) FROM users",
        lambda n: f"SELECT COUNT(*) FROM users{', plans' * n}",
        lambda n: f"SELECT COUNT(*) FROM users WHERE age IN ({', '.join(['1'] * n)})",
        lambda n: f"SELECT SUM({'POWER(' * n}age{', 16)' * n}) FROM users",
        lambda n: (
            "WITH a0 AS (SELECT * FROM users)"
            + "".join(f", a{i + 1} AS (SELECT x.* FROM a{i} x JOIN a{i} y ON x.id = y.id)" for i in range(n))
            + f" SELECT COUNT(*) FROM a{n}"
        ),
        lambda n: f"SELECT SUM(age){' / (1 + SUM(age)' * n}{')' * n} FROM users",
        lambda n: "SELECT COUNT(*) FROM users WHERE " + "[" * n,
        lambda n: "SELECT COUNT(*) FROM users WHERE age > " + "9" * n,
        lambda n: "SELECT COUNT(*) FROM users WHERE age > 1e" + "9" * n,
    ],
)
def test_no_size_and_no_depth_crashes(nested: object, depth: int) -> None:
    with suppress(QueryInvalid, QueryRefused):
        bind(nested(depth), SHOP)  # type: ignore[operator]


def test_a_message_shows_no_more_than_the_beginning_of_a_query() -> None:
    secret = "x" * 5_000
    assert len(str(refused(f"SELECT COUNT(*) FROM users WHERE unheard_of('{secret}', age)"))) < 1_000


@pytest.mark.parametrize(("dialect", "sql"), one_in(2, [(dialect, sql) for dialect, sql, _ in refusals()]))
def test_nothing_private_rests_on_what_is_taken_for_public(dialect: str, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (common_tables, from_clause, residual, scalars, subqueries):
        monkeypatch.setattr(module, "is_public", lambda *_: True)
    refused(sql, dialect)


def test_the_order_of_rows_with_nulls_is_refused_in_duckdb_with_what_to_write() -> None:
    assert "write (a, b) < (c, d) as a < c OR" in str(refused("SELECT COUNT(*) FROM users WHERE (age, visits) < (30, 5)", "duckdb"))


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
def test_rows_inside_of_the_values_of_rows_are_refused_before_they_grow(dialect: str) -> None:
    condition = "(visits, 1) < (2, 3)"
    for _ in range(14):
        condition = f"(({condition}), TRUE) < (TRUE, FALSE)"
    assert "too long rows" in str(refused(f"SELECT COUNT(*) FROM users WHERE {condition}", dialect))
    if dialect == "postgres":
        assert "too long rows" in str(refused(f"SELECT {condition.replace('visits', 'COUNT(*)')} FROM users"))


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        (
            "SELECT COUNT(*) FROM orders AS a JOIN orders AS b ON a.user_id <> b.user_id AND a.status = b.status",
            "SELECT COUNT(*) FROM orders AS a JOIN orders AS b ON a.status = b.status AND a.user_id = b.user_id",
        ),
        (
            "SELECT COUNT(*) FROM orders AS a, users AS b WHERE b.id < a.user_id AND a.total > 5",
            "SELECT COUNT(*) FROM orders AS a JOIN users AS b ON a.user_id = b.id WHERE a.total > 5",
        ),
        (
            "SELECT COUNT(*) FROM orders AS a JOIN orders AS b ON a.id <> b.id",
            "SELECT COUNT(*) FROM orders AS a JOIN orders AS b ON a.id <> b.id AND a.user_id = b.user_id",
        ),
        ("SELECT COUNT(*) FROM users AS a LEFT JOIN users AS b ON a.city = b.city AND a.id <> b.id", "SELECT COUNT(*) FROM users"),
        ("SELECT COUNT(*) FROM users AS a JOIN users AS b ON a.invited_by = b.id", "SELECT COUNT(*) FROM users"),
        ("SELECT COUNT(*) FROM users AS a JOIN users AS b ON a.invited_by = b.invited_by AND a.id <> b.id", "SELECT COUNT(*) FROM users"),
        (
            "SELECT COUNT(*) FROM users AS a JOIN users AS b ON a.city = b.city AND a.id <> b.id",
            "SELECT SUM(n * (n - 1)) FROM (SELECT city, COUNT(*) AS n FROM users WHERE NOT city IS NULL GROUP BY city) AS t",
        ),
    ],
)
def test_what_is_offered_for_a_join_of_two_units_is_no_join_without_rows(sql: str, instead: str, dialect: str) -> None:
    error = refused(sql, dialect)
    assert isinstance(error, QueryRefused)
    assert error.instead == instead
    assert bind(instead, SHOP, dialect=dialect)
