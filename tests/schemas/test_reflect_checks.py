"""Generators that are proposed keep the checks of their columns, and where none is known a note says so."""

from __future__ import annotations

import pytest

from schemas.model import Recipe
from schemas.reflect import reflect
from tests.schemas.reflecting import all_notes, built, column_of, reflected

OTHERS = "CREATE TABLE p(id INTEGER PRIMARY KEY); "


@pytest.mark.parametrize(
    ("columns", "proposed"),
    [
        ("a INT CHECK (a IS NOT NULL)", None),
        ("a INT REFERENCES p(id) CHECK (a IS NOT NULL)", None),
        ("a TIME CHECK (a > '12:00')", {"period": ("12:00:01", "23:59:59")}),
        ("a TIME CHECK (a >= '12:00' AND a < '13:00:00')", {"period": ("12:00:00", "12:59:59")}),
        ("a TEXT CHECK (a > 'm')", {"regex": "[n-z][a-z0-9]{4}"}),
        ("a TEXT UNIQUE CHECK (a > 'm')", {"regex": "[n-z][a-z0-9]{4}"}),
        ("a CHAR(1) CHECK (a BETWEEN 'A' AND 'Z')", {"regex": "[A-Z]"}),
        ("a INT CHECK (a IN (1, 2) AND a > 1)", {"values": ((2, 1),)}),
        ("a TEXT CHECK (a IN ('x', 'yy') AND length(a) = 1)", {"values": (("x", 1),)}),
        ("a TEXT CHECK (a LIKE 'A%' AND length(a) = 3)", {"regex": "A[a-z0-9]{2}"}),
        ("a VARCHAR(3) CHECK (a LIKE 'A%')", {"regex": "A[a-z0-9]{2}"}),
        ("a TEXT CHECK (a LIKE '%@%.com')", {"regex": r"[a-z0-9]{4}@[a-z0-9]{4}\.com"}),
        ("a BLOB CHECK (length(a) = 5)", {"length": 5}),
        ("a DATE UNIQUE CHECK (a > '2020-01-01')", {"period": ("2020-01-02T00:00:00Z", "2023-01-01T00:00:00Z")}),
        ("b REAL, a REAL CHECK (a > b)", {"sql": '"b" + 1'}),
        ("b INT, c INT, a INT CHECK (a > b AND a >= c)", {"sql": 'GREATEST("b", "c") + 1'}),
    ],
)
def test_what_is_proposed_keeps_the_checks_of_its_column(tmp_path, columns, proposed):
    found = reflected(tmp_path, f"{OTHERS}CREATE TABLE t(id INTEGER PRIMARY KEY, {columns});")
    recipe = column_of(found, "t", "a").generate
    if proposed is not None:
        assert recipe is not None and recipe.args == proposed
    assert not [said for said in all_notes(found) if "nothing is proposed" in said]
    made = built(found, tmp_path)
    assert made.tables["t"].rows == 40


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("a TEXT NOT NULL CHECK (a NOT LIKE '%z%')", ["a NOT LIKE '%z%'"]),
        ("a TEXT CHECK (a < 'a')", ["a < 'a'"]),
        ("a TEXT CHECK (a LIKE 'x%' AND a LIKE '%y')", ["a LIKE '%y'"]),
        ("b TEXT, a TEXT CHECK (a > b)", ["a > b"]),
        ("b DATE, a DATE CHECK (a > b AND a > '2030-01-01')", ["a > b", "a > '2030-01-01'"]),
        ("b INT, a INT CHECK (a > b AND a < 10)", ["a > b", "a < 10"]),
        ("a INT REFERENCES p(id) CHECK (a > 5)", ["a > 5"]),
        ("b INT, a INT AS (b + 1) CHECK (a < 5)", ["a < 5"]),
        ("a BLOB CHECK (json_valid(a))", ["JSON_VALID(a)"]),
    ],
)
def test_a_check_that_nothing_is_proposed_for_is_noted(tmp_path, columns, said):
    notes = reflected(tmp_path, f"{OTHERS}CREATE TABLE t(id INTEGER PRIMARY KEY, {columns});").notes["t",]
    assert [note.split("(", 1)[1].rsplit(")", 1)[0] for note in notes if note.startswith("nothing is proposed")] == said


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("a > 5", "a > 5 compares a text with a number, which PostgreSQL refuses; write '5' in quotes, or cast one of the two"),
        ("LENGTH(a)", "LENGTH(a) is no condition: it gives a number, not true or false; compare it, such as LENGTH(a) > 0"),
    ],
)
def test_a_check_that_only_sqlite_takes_for_a_condition_is_left_out_and_noted(tmp_path, check, reason):
    notes = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT CHECK ({check}));").notes["t",]
    assert f"check {check} is left out: {reason}" in notes


def test_a_column_that_a_check_keeps_from_being_null_has_no_nulls(tmp_path):
    found = reflected(
        tmp_path, f"{OTHERS}CREATE TABLE t(id INTEGER PRIMARY KEY, a INT CHECK (a IS NOT NULL), b REFERENCES p CHECK (b NOTNULL));"
    )
    assert [column_of(found, "t", name).null for name in "ab"] == [0.0, 0.0]


@pytest.mark.parametrize(
    "columns",
    [
        "id INTEGER PRIMARY KEY CHECK (id < 0)",
        "id INTEGER PRIMARY KEY, a INT CHECK (a < 0)",
        "id INTEGER PRIMARY KEY, a INT CHECK (a < 5) UNIQUE",
        "id INTEGER PRIMARY KEY, a INT CHECK (a <= 0) UNIQUE",
        "id INTEGER PRIMARY KEY, a SMALLINT CHECK (a < -32000)",
        "id INTEGER PRIMARY KEY, a NUMERIC(4,2) CHECK (a < 0)",
        "id INTEGER PRIMARY KEY, a NUMERIC(4,2) CHECK (a < 0) UNIQUE",
        "id INTEGER PRIMARY KEY, a NUMERIC(20,2) CHECK (a < -5000000000000)",
        "id INTEGER PRIMARY KEY, a NUMERIC(20,2) CHECK (a > 5000000000000)",
        "id INTEGER PRIMARY KEY, a REAL CHECK (a < 0)",
        "id INTEGER PRIMARY KEY, a REAL CHECK (a < -2000000)",
        "id INTEGER PRIMARY KEY, a DOUBLE CHECK (a > 5000000)",
        "id INTEGER PRIMARY KEY, price NUMERIC(10,2) CHECK (price < -5), year INT CHECK (year < -1)",
        "a INT CHECK (a < 0), b INT CHECK (b <= 0), c INT CHECK (c < 1), PRIMARY KEY (a, b, c)",
    ],
)
def test_bounds_anywhere_build(tmp_path, columns):
    found = reflected(tmp_path, f"CREATE TABLE t({columns});")
    assert not [said for said in all_notes(found) if "nothing is proposed" in said]
    built(found, tmp_path)


def test_domains_bounded_below_zero_build(postgres_url, tmp_path):
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "CREATE DOMAIN debt AS numeric(10,2) CHECK (VALUE < 0); CREATE DOMAIN below AS int CHECK (VALUE <= -5);"
            "CREATE TABLE t(id below PRIMARY KEY, a debt NOT NULL, b debt UNIQUE, c below)"
        )
    built(reflect(postgres_url), tmp_path)


@pytest.mark.parametrize(
    "column",
    [
        "a DATE CHECK (a > '9998-06-01')",
        "a DATE CHECK (a < '0002-01-01')",
        "a DATETIME CHECK (a > '9999-12-30')",
        "a DATETIME CHECK (a < '0001-01-02 00:00:00')",
        "a DATE CHECK (a BETWEEN '0001-01-01' AND '9999-12-31')",
    ],
)
def test_moments_near_the_ends_of_the_calendar_build(tmp_path, column):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, {column});")
    assert not [said for said in all_notes(found) if "nothing is proposed" in said]
    built(found, tmp_path)


def test_a_position_counts_where_the_references_beside_it_are_unique_in_another_pair(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE lists(id INTEGER PRIMARY KEY); CREATE TABLE tracks(id INTEGER PRIMARY KEY);"
        "CREATE TABLE listed(list_id INTEGER REFERENCES lists, track_id INTEGER NOT NULL REFERENCES tracks, position INTEGER NOT NULL,"
        " PRIMARY KEY (list_id, track_id), UNIQUE (list_id, position));",
    )
    assert column_of(found, "listed", "position").generate == Recipe("sequence", {})
    built(found, tmp_path)


def test_a_short_list_is_not_invented_for_a_part_of_a_key_of_an_empty_table(tmp_path):
    sql = "CREATE TABLE kinds(id INTEGER PRIMARY KEY); INSERT INTO kinds VALUES (1), (2); CREATE TABLE t(class TEXT NOT NULL, state TEXT)"
    keyed = sql.replace("state TEXT", "status TEXT, kind INTEGER NOT NULL REFERENCES kinds, PRIMARY KEY (class, kind)")
    assert column_of(reflected(tmp_path, sql), "t", "class").generate.name == "choice"
    found = reflected(tmp_path, keyed)
    assert [column_of(found, "t", name).generate.name for name in ("class", "status")] == ["words", "choice"]
    built(found, tmp_path)
