"""No nesting of functions makes a text long: not in the database, where one person's text would fill its memory, nor while a query is bound."""

from __future__ import annotations

import tracemalloc

import duckdb
import psycopg
import pytest

from dpsql.binding import bind
from dpsql.binding.expressions import Expressions
from dpsql.binding.parsing import parse
from dpsql.binding.scopes import Scope, Visible
from dpsql.errors import QueryRefused
from dpsql.functions import emit
from dpsql.functions.lengths import GROWING
from dpsql.tree import Expression, Facts, Field
from tests.dpsql.shop import shop

LONG = 300_000  # characters of what somebody wrote, where only 'a' and 'b' are declared
TEN, MANY = "a" * 10, "a" * 100
GROWN = [
    "REPLACE(t, 'a', 'aaaa')",
    f"REPLACE(REPLACE(REPLACE(t, 'a', '{MANY}'), 'a', '{MANY}'), 'a', '{MANY}')",
    f"REPLACE(REPLACE(REPLACE(closed, 'a', '{MANY}'), 'a', '{MANY}'), 'a', '{MANY}')",
    "REPLACE(t, 'a', t)",
    "REPLACE(t, LEFT(t, 1), t)",
    "REPLACE(LPAD(t, 1000, 'a'), 'a', RPAD(t, 1000, 'a'))",
    "t || t || t || t || t || t || t || t",
    "CONCAT(t, t, 1, t, t)",
    "CONCAT_WS('-', t, t, t)",
    "closed || closed",
    f"REPLACE(closed || closed, 'aa', '{TEN}') || RPAD(t, 1000, 'a')",
    "CASE WHEN t > '' THEN t || t END || COALESCE(t || t, '')",
]


def bound(sql: str) -> Expression:
    scope = Scope()
    columns = {"t": Facts("text"), "closed": Facts("text", values=("a", "b"))}
    scope.add(Visible("texts", {name: Field(name, facts) for name, facts in columns.items()}))
    return Expressions(scope, "postgres").bind(parse(f"SELECT {sql}", "postgres", "shop").selects[0])


@pytest.mark.parametrize("sql", GROWN)
def test_no_text_of_a_row_gets_long(postgres: str, sql: str) -> None:
    expression = bound(sql)
    rows = f"(SELECT repeat('a', {LONG}) AS t, repeat('a', {LONG}) AS closed) AS x"
    with psycopg.connect(postgres) as theirs:
        for connection, dialect in ((duckdb.connect(), "duckdb"), (theirs, "postgres")):
            found = connection.execute(f"SELECT LENGTH({emit(expression, dialect)}) FROM {rows}").fetchone()
            assert found is not None
            assert GROWING - 1 <= found[0] <= GROWING  # CONCAT_WS takes a separator away again


def test_short_texts_are_made_longer_as_ever() -> None:
    for sql, expected in [
        ("REPLACE(t, 'a', 'bcd')", "bcdnbcdnbcd"),
        ("t || '-' || closed", "anana-a"),
        (f"REPLACE(t, 'n', '{MANY}')", f"a{MANY}a{MANY}a"),
    ]:
        with duckdb.connect() as connection:
            found = connection.execute(f"SELECT {emit(bound(sql), 'duckdb')} FROM (SELECT 'anana' AS t, 'a' AS closed) AS x").fetchone()
        assert found == (expected,)


def test_what_gets_shorter_is_not_cut() -> None:
    assert "LEFT" not in emit(bound("REPLACE(t, ', ', ',')"), "duckdb")


def test_a_long_text_to_put_in_is_refused() -> None:
    with pytest.raises(QueryRefused, match="REPLACE puts in texts of at most 100 characters"):
        bound(f"REPLACE(t, 'a', '{MANY}a')")


@pytest.mark.parametrize(
    "made",
    [
        "REPLACE(REPLACE(REPLACE(REPLACE({}, 'o', '%s'), 'o', '%s'), 'o', '%s'), 'o', '%s')".replace("%s", "o" * 100),
        " || ".join(["{}"] * 12),
        " || ".join(["LPAD({}, 1000, 'o')"] * 100),
        "REVERSE(LPAD(CAST(users.age * 80 AS TEXT) || {}, 1000, 'x'))",
    ],
)
@pytest.mark.parametrize("of", ["status", "'open'"])
def test_closed_texts_are_given_up_where_they_get_long(made: str, of: str) -> None:
    sql = f"SELECT COUNT(*) FROM orders JOIN users ON users.id = orders.user_id WHERE LENGTH({made.format(*[of] * 100)}) > 5"
    tracemalloc.start()
    try:
        bind(sql, shop())
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_keys_are_closed_only_where_nothing_of_them_is_cut() -> None:
    (once,) = bind(f"SELECT REPLACE(status, 'o', '{MANY}'), COUNT(*) FROM orders GROUP BY 1", shop()).releases
    assert once.keys[0].expression.facts.values == (f"{MANY}pen", "paid", f"v{MANY}id")
    (twice,) = bind(f"SELECT REPLACE(REPLACE(status, 'o', '{MANY}'), 'a', '{MANY}'), COUNT(*) FROM orders GROUP BY 1", shop()).releases
    assert twice.keys[0].expression.facts.values is None
