"""Checks that are no conditions are told where the schema is read, and only those that PostgreSQL refuses."""

from __future__ import annotations

import duckdb
import pytest

from schemas.conditions import why_no_condition
from schemas.ddl import DIALECTS, ddl
from schemas.ddl_postgresql import postgresql_ddl
from schemas.errors import SchemaError
from schemas.model import Check, Column, Rows, Schema, Table
from schemas.reader import parse_schema
from schemas.types import SqlType

KINDS = ("integer", "numeric", "double", "text", "boolean", "date", "timestamptz", "time", "interval", "uuid", "json", "bytes")
COLUMNS = (
    *(Column(f"{kind}_c", SqlType(kind)) for kind in KINDS),
    Column("enum_c", SqlType("enum", values=("a", "b"))),
    Column("array_c", SqlType("array", item=SqlType("text"))),
)

NO_CONDITIONS = (
    "length(text_c)", "timestamptz_c", "TIMESTAMPTZ_C", "integer_c", "integer_c + 1", "-integer_c", "text_c", "enum_c", "array_c", "json_c",
    "1", "text_c > 1", "1 < text_c", "text_c = 1.5", "text_c IN (1, 2)", "text_c BETWEEN 1 AND 2", "length(text_c) = text_c",
    "integer_c > 0 AND length(text_c)", "NOT text_c", "boolean_c OR integer_c", "upper(text_c)", "text_c || 'a'", "date_c - date_c",
    "coalesce(integer_c, 0)", "CASE WHEN boolean_c THEN 1 ELSE 0 END", "CAST(text_c AS integer)", "date_c = text_c", "date_c > 20",
    "uuid_c = text_c", "integer_c = date_c", "cardinality(array_c)", "text_c IS DISTINCT FROM 5", "nullif(text_c, '')", "trim(text_c)",
    "extract(year FROM date_c)", "date_c > integer_c", "time_c = date_c", "array_c = text_c", "round(numeric_c, 1)", "current_date",
)  # fmt: skip
CONDITIONS = (
    "boolean_c", "length(text_c) > 0", "text_c > '1'", "integer_c > 1.5", "NOT boolean_c", "boolean_c IS TRUE", "text_c IS NULL", "NULL",
    "text_c LIKE 'a%'", "text_c ~ '^a'", "coalesce(boolean_c, false)", "CASE WHEN integer_c > 1 THEN boolean_c ELSE true END",
    "date_c < timestamptz_c", "date_c >= '2020-01-01'", "date_c - date_c < 5", "timestamptz_c - timestamptz_c < interval '1 day'",
    "time_c < interval_c", "enum_c = 'a'", "enum_c IN ('a', 'b')", "array_c @> ARRAY['a']", "text_c = ANY(array_c)", "integer_c = double_c",
    "CAST(text_c AS integer) > 0", "substring(bytes_c, 1, 2) = bytes_c", "date_trunc('hour', interval_c) = interval_c", "'true'",
    "json_c ->> 'k' = 'v'", "(integer_c, text_c) = (1, 'a')", "starts_with(text_c, 'a')", "date_trunc('day', timestamptz_c) = date_c",
    "num_nonnulls(integer_c, text_c) = 1", "integer_c BETWEEN 1 AND double_c", "uuid_c = '00000000-0000-0000-0000-000000000000'",
)  # fmt: skip


def checked_by(sql: str) -> Schema:
    return Schema("s", (Table("t", COLUMNS, Rows(1), checks=(Check(sql),)),))


@pytest.mark.parametrize("sql", NO_CONDITIONS)
def test_what_is_no_condition_is_told(sql: str) -> None:
    assert why_no_condition(sql, COLUMNS) is not None


@pytest.mark.parametrize("sql", CONDITIONS)
def test_what_may_be_a_condition_is_taken(sql: str) -> None:
    assert why_no_condition(sql, COLUMNS) is None


def test_postgresql_judges_the_same(postgres_url: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for statement in postgresql_ddl(Schema("s", (Table("t", COLUMNS, Rows(1)),))).statements:
            connection.execute(statement.sql)
        for sql in CONDITIONS:
            connection.execute(f"ALTER TABLE t ADD CHECK ({sql})")
        for sql in NO_CONDITIONS:
            with pytest.raises((psycopg.errors.DatatypeMismatch, psycopg.errors.UndefinedFunction)):
                connection.execute(f"ALTER TABLE t ADD CHECK ({sql})")


def test_a_check_that_is_no_condition_is_told_with_its_place() -> None:
    text = (
        "schema: s\ntables:\n  t:\n    rows: 1\n    columns:\n      c: {type: text, generate: {constant: a}, check: length(c)}\n"
        "      at: {type: timestamptz, generate: {between: [2024-01-01, 2024-02-01]}}\n    checks: [at, c > 1]\n"
    )
    with pytest.raises(SchemaError) as caught:
        parse_schema(text, "f")
    assert str(caught.value).splitlines() == [
        "f:6:55: check: LENGTH(c) is no condition: it gives a number, not true or false; compare it, such as LENGTH(c) > 0",
        "f:8:14: check: at is no condition: it is timestamptz, not true or false; compare it, such as at IS NOT NULL",
        "f:8:18: check: c > 1 compares a text with a number, which PostgreSQL refuses; write '1' in quotes, or cast one of the two",
    ]


def test_what_is_said_of_a_check_says_nothing_more_where_its_columns_are_broken() -> None:
    text = "schema: s\ntables:\n  t:\n    rows: 1\n    columns:\n      c: {type: integr, generate: {constant: 1}, check: c > 1}\n"
    with pytest.raises(SchemaError) as caught:
        parse_schema(text, "f")
    assert ["type" in line for line in str(caught.value).splitlines()] == [True]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("sql", ["length(text_c)", "timestamptz_c", "text_c > 1"])
def test_no_database_is_given_what_is_no_condition(dialect: str, sql: str) -> None:
    plan = ddl(checked_by(sql), dialect)
    (left_out,) = plan.not_enforced
    assert (left_out.table, left_out.what, left_out.reason) == ("t", f"check {sql}", why_no_condition(sql, COLUMNS))
    assert "CHECK (\n" not in plan.script() and f"CHECK ({sql}" not in plan.script()


@pytest.mark.parametrize("sql", ["time_bucket(interval '1 day', timestamptz_c)", "hash(text_c)", "list_sort(array_c)"])
def test_duckdb_is_given_no_function_that_makes_something_else_than_true_or_false(sql: str) -> None:
    with duckdb.connect() as scratch:

        def probe(statement: str) -> str | None:
            try:
                scratch.execute(statement)
                scratch.execute("DROP TABLE probe")
            except duckdb.Error as error:
                return str(error)
            return None

        assert why_no_condition(sql, COLUMNS) is None
        (left_out,) = ddl(checked_by(sql), "duckdb", probe=probe).not_enforced
        assert left_out.reason == "DuckDB takes it for no condition: it gives something else than true or false"
        for taken in ("text_c > '1'", "starts_with(text_c, 'a')", "NULL", "boolean_c"):
            assert ddl(checked_by(taken), "duckdb", probe=probe).not_enforced == ()
