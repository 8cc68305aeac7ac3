"""Unique columns that the database computes: kept where what they are computed of makes them unique, left out elsewhere."""

from __future__ import annotations

import psycopg
import pytest

import provisioning
from companyos.plannable import plannable
from schemas.reader import parse_schema
from schemas.reflect import reflect
from schemas.writer import to_yaml
from tests.schemas.reflecting import built, column_of, reflected

ROWS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO t(id) SELECT i FROM n;"
UNHELD = "is computed, and nothing that it is computed of makes it unique"


def loads(found, folder, url):
    """Whether what is written of a reflection builds, and loads with its constraints."""
    made = built(found, folder)
    receipt = provisioning.load(made, url)
    return receipt.content_digest == made.content_digest and not receipt.not_enforced


@pytest.mark.parametrize(
    ("column", "computed"),
    [
        ("a INT", "INT AS (a + 3)"),
        ("a INT", "INT AS (-(5 - a))"),
        ("a INT", "BIGINT AS (a)"),
        ("a TEXT", "TEXT AS ('no. ' || a || '.')"),
        ("a VARCHAR(20)", "TEXT AS (CAST(a AS TEXT))"),
    ],
)
@pytest.mark.parametrize("constraint", ["UNIQUE", ""])
def test_what_a_unique_column_is_computed_of_is_made_unique(tmp_path, column, computed, constraint):
    index = "" if constraint else "CREATE UNIQUE INDEX once ON t(g);"
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, {column}, g {computed} {constraint}); {index} {ROWS}")
    assert found.notes["t", "a"] == ["unique, since g, which is computed of it, is unique"]
    assert found.schema.table("t").is_unique("g")
    assert loads(found, tmp_path, f"sqlite:///{tmp_path}/again.sqlite")


@pytest.mark.parametrize("computed", ["INT AS (id + 1)", "INT AS (ID)"])
def test_what_is_computed_of_a_key_is_unique_as_it_is(tmp_path, computed):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, g {computed} UNIQUE); {ROWS}")
    assert ("t", "id") not in found.notes
    assert ("t",) not in found.notes
    assert [u.columns for u in found.schema.table("t").unique] == [("g",)]
    assert loads(found, tmp_path, f"sqlite:///{tmp_path}/again.sqlite")


@pytest.mark.parametrize(
    "computed",
    ["a INT, b INT, g INT AS (a % 7)", "a INT, b INT, g INT AS (a + b)", "a TEXT, b INT, g TEXT AS (lower(a))", "a REAL, b INT, g INT AS (a + 1)",
     "a INT, b INT AS (a + 1), g INT AS (b)", "a INT REFERENCES t, b INT, g INT AS (a)", "a INT CHECK (a > 0 AND a < 9), b INT, g INT AS (a)"],
)  # fmt: skip
def test_what_nothing_makes_unique_is_left_out(tmp_path, computed):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, {computed}, UNIQUE (g)); CREATE INDEX plain ON t(g); {ROWS}")
    assert found.notes["t",] == [f"unique (g) is left out: g {UNHELD}"]
    assert not found.schema.table("t").unique
    assert loads(found, tmp_path, f"sqlite:///{tmp_path}/again.sqlite")


def test_a_unique_index_over_it_stays_as_a_plain_one(tmp_path):
    found = reflected(
        tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, g INT AS (abs(a))); CREATE UNIQUE INDEX once ON t(g); {ROWS}"
    )
    assert found.notes["t",] == [f"index once (g) is not taken as unique: g {UNHELD}"]
    assert [(i.name, i.unique) for i in found.schema.table("t").indexes] == [("once", False)]
    assert loads(found, tmp_path, f"sqlite:///{tmp_path}/again.sqlite")


def test_together_with_a_column_of_many_values_it_is_kept(tmp_path):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT, g INT AS (a % 3), UNIQUE (g, b)); {ROWS}")
    assert ("t",) not in found.notes
    assert loads(found, tmp_path, f"sqlite:///{tmp_path}/again.sqlite")


def test_where_its_input_cannot_stay_unique_it_goes_too(tmp_path):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, a CHAR(1), g TEXT AS (a) UNIQUE); {ROWS}")
    left = plannable(found)
    assert [u.columns for u in found.schema.table("t").unique] == [("g",), ("a",)]
    assert not left.schema.table("t").unique
    assert left.notes["t",][-1] == f"unique (g) is left out: g {UNHELD}"
    assert loads(left, tmp_path, f"sqlite:///{tmp_path}/again.sqlite")


def test_postgresql_computes_unique_digests_and_numbers(postgres_url, another_postgres_url, tmp_path):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE t(id int PRIMARY KEY, url varchar(80) NOT NULL, digest text GENERATED ALWAYS AS (md5(url)) STORED UNIQUE, n int,"
            " more int GENERATED ALWAYS AS (n + 10) STORED UNIQUE, low text GENERATED ALWAYS AS (lower(url)) STORED UNIQUE);"
            "INSERT INTO t SELECT i, i FROM generate_series(1, 500) i"
        )
    found = reflect(postgres_url)
    assert found.notes["t",] == [f"unique (low) is left out: low {UNHELD}"]
    assert {u.columns for u in found.schema.table("t").unique} == {("digest",), ("more",), ("url",), ("n",)}
    assert column_of(found, "t", "low").computed is not None
    assert parse_schema(to_yaml(found.schema, found.notes)) == found.schema
    assert loads(found, tmp_path, another_postgres_url)
