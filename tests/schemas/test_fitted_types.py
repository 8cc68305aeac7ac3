"""Columns of SQLite get types that hold what checks, keys and references say of them, so that what is reflected builds."""

from __future__ import annotations

import psycopg
import pytest

import provisioning
from schemas.reflect import reflect_connection
from schemas.types import SqlType
from tests.schemas.reflecting import all_notes, built, column_of, reflected


def loaded(found, tmp_path, rows=40):
    """Build what is reflected, and load it where all its references and checks are enforced."""
    made = built(found, tmp_path, rows)
    for target in ("duckdb", "sqlite"):
        assert not provisioning.load(made, f"{target}:///{tmp_path}/loaded.{target}").not_enforced


@pytest.mark.parametrize(
    ("column", "type"),
    [
        ("a INTEGER CHECK (a > 5000000000)", "bigint"),
        ("a INTEGER CHECK (a < -3000000000)", "bigint"),
        ("a INT CHECK (a BETWEEN 0 AND 99999999999)", "bigint"),
        ("a INT CHECK (a IN (1, 5000000000))", "bigint"),
        ("a INT DEFAULT 5000000000", "bigint"),
        ("a INT UNIQUE CHECK (a >= 5000000000)", "bigint"),
        ("a SMALLINT CHECK (a <= 100000)", "integer"),
        ("a SMALLINT CHECK (a >= 5000000000)", "bigint"),
        ("a INT CHECK (a >= -2147483648 AND a <= 2147483647)", "integer"),
        ("a INT CHECK (length(b) < 5000000000 AND a > 1), b TEXT", "integer"),
        ("a INT CHECK (a > b), b INT CHECK (b > 5000000000)", "bigint"),
        ("a INT AS (b + 1), b INT CHECK (b > 5000000000)", "bigint"),
        ("a BIGINT, b INT CHECK (b < 9)", "bigint"),
    ],
)
def test_integers_are_as_wide_as_the_numbers_they_are_compared_with(tmp_path, column, type):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, {column});")
    assert str(column_of(found, "t", "a").type) == type
    assert str(column_of(found, "t", "id").type) == "integer"
    assert not [said for said in all_notes(found) if "nothing is proposed" in said]
    built(found, tmp_path)


@pytest.mark.parametrize(
    ("column", "type"),
    [
        ("a INTERVAL CHECK (a BETWEEN 1 AND 60)", "bigint"),
        ("a INTERVAL CHECK (a IN (5, 10))", "bigint"),
        ("a INTERVAL DEFAULT 30", "bigint"),
        ("a INTERVAL, b INT CHECK (a < b)", "bigint"),
        ("a INTERVAL NOT NULL, b INT AS (a * 2)", "bigint"),
        ("a INTERVAL CHECK (a > 0.5 AND a < 9)", "double"),
        ("a INTERVAL CHECK (a IN ('daily', 'weekly'))", "text"),
        ("a INTERVAL CHECK (length(a) < 9)", "text"),
        ("a INTERVAL DEFAULT '1 day'", "text"),
        ("a INTERVAL CHECK (a LIKE '% days')", "text"),
    ],
)
def test_an_interval_that_is_used_as_a_number_or_a_text_is_one(tmp_path, column, type):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, {column}, span INTERVAL CHECK (span IS NOT NULL));")
    assert str(column_of(found, "t", "a").type) == type
    assert found.notes["t", "a"] == [f"interval that is used as a {'text' if type == 'text' else 'number'}, taken as {type}"]
    assert str(column_of(found, "t", "span").type) == "interval"
    assert ("t", "span") not in found.notes
    loaded(found, tmp_path)


def test_what_references_a_wide_integer_is_as_wide(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE c(id INTEGER PRIMARY KEY, b INT REFERENCES b(a)); CREATE TABLE b(a INT PRIMARY KEY REFERENCES a);"
        "CREATE TABLE a(id INTEGER PRIMARY KEY CHECK (id >= 5000000000), up INT REFERENCES a);",
    )
    assert [str(column_of(found, *place).type) for place in (("c", "id"), ("c", "b"), ("b", "a"), ("a", "id"), ("a", "up"))] == [
        "integer", *["bigint"] * 4
    ]  # fmt: skip
    loaded(found, tmp_path)


@pytest.mark.parametrize(
    ("columns", "type"),
    [
        ("a REAL UNIQUE", "numeric(10,4)"),
        ("a DOUBLE PRECISION NOT NULL UNIQUE CHECK (a > 0 AND a < 1)", "numeric(10,9)"),
        ("a FLOAT UNIQUE CHECK (a > 1000000000000)", "numeric(15,0)"),
        ("a REAL UNIQUE CHECK (a IN (0.5, 12.25))", "numeric(11,9)"),
        ("a REAL, b BOOLEAN, UNIQUE (b, a)", "numeric(10,4)"),
        ("a REAL, b REAL, UNIQUE (a, b)", "numeric(10,4)"),
    ],
)
def test_floats_that_are_unique_are_taken_as_numerics(tmp_path, columns, type):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, plain REAL, {columns});")
    assert str(column_of(found, "t", "a").type) == type
    assert found.notes["t", "a"][0] == f"unique, which double cannot be, so taken as {type}"
    assert str(column_of(found, "t", "plain").type) == "double"
    loaded(found, tmp_path, rows=2 if "IN" in columns else 40)


def test_a_float_beside_a_column_that_makes_both_unique_is_kept(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE t(a REAL, b INTEGER, c INTEGER REFERENCES p, UNIQUE (a, b), UNIQUE (c, a));",
    )
    assert str(column_of(found, "t", "a").type) == "double"


def test_a_reference_is_of_the_kind_that_it_references(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE u(id UUID PRIMARY KEY); CREATE TABLE x(id REAL PRIMARY KEY);"
        "CREATE TABLE t(id INTEGER PRIMARY KEY, u CHAR(36) REFERENCES u, x REAL REFERENCES x);"
        "CREATE TABLE s(u TEXT PRIMARY KEY REFERENCES u); CREATE TABLE r(s REFERENCES s);",
    )
    assert found.notes["t", "u"] == ["char(36), taken as uuid as is u.id, which it references"]
    assert found.notes["t", "x"] == ["double, taken as numeric(10,4) as is x.id, which it references"]
    assert str(column_of(found, "r", "s").type) == "uuid"
    loaded(found, tmp_path)


@pytest.mark.parametrize(("check", "null"), [("json_valid(a) OR a IS NULL", 0.1), ("(JSON_VALID(a))", 0.0)])
def test_texts_that_must_be_json_are_taken_as_json(tmp_path, check, null):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT DEFAULT '{{}}' CHECK ({check}), b JSON CHECK ({check}));")
    assert (str(column_of(found, "t", "a").type), column_of(found, "t", "a").null) == ("json", null)
    assert found.notes["t", "a"] == ["text that a check holds to be JSON, taken as json"]
    assert ("t",) not in found.notes
    loaded(found, tmp_path)


def test_checks_that_hold_documents_to_be_json_are_loaded_into_postgresql(tmp_path, another_postgres_url):
    found = reflected(
        tmp_path,
        'CREATE TABLE t(id INTEGER PRIMARY KEY, "Doc" TEXT NOT NULL CHECK ((JSON_VALID("Doc") OR "Doc" IS NULL)),'
        " b BLOB, s TEXT CHECK (NOT json_valid(lower(s))));",
    )
    provisioning.load(built(found, tmp_path), another_postgres_url)
    with psycopg.connect(another_postgres_url, autocommit=True) as connection:
        connection.execute("INSERT INTO t VALUES (1000, '{}', NULL, 'no document')")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("INSERT INTO t VALUES (1001, '{}', NULL, '[TRUE]')")


def test_rows_are_read_as_their_columns_are_declared(tmp_path):
    import sqlalchemy as sa

    reflected(tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, a REAL UNIQUE); CREATE VIRTUAL TABLE f USING fts5(body);")
    engine = sa.create_engine(f"sqlite:///{tmp_path}/made.sqlite")
    with engine.connect() as connection:
        schema = reflect_connection(connection, engine.url, unconstrained=SqlType("double")).schema
    engine.dispose()
    assert str(schema.table("t").column("a").type) == "double"
    assert schema.has("f")


@pytest.mark.parametrize("target", ["duckdb", "sqlite"])
def test_texts_of_which_a_formula_reads_a_value_are_taken_as_json(tmp_path, target):
    formulas = "b TEXT AS (json_extract(A, '$.x')), d TEXT AS (c ->> '$.x')"
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, c VARCHAR(900), {formulas});")
    assert [str(column_of(found, "t", name).type) for name in "abcd"] == ["json", "text", "json", "text"]
    assert found.notes["t", "a"] == ["text that is read as JSON, taken as json"]
    provisioning.load(built(found, tmp_path), f"{target}:///{tmp_path}/loaded.{target}")
