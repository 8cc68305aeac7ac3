"""Databases with what the schema language refuses: it is renamed or left out with a note, and the file reads and builds."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from schemas.errors import InputError
from schemas.expressible import make_expressible
from schemas.model import Column
from schemas.reader import parse_schema
from schemas.reflect import reflect
from schemas.reflection import RawSchema
from schemas.table_proposals import RawTable
from schemas.types import SqlType
from schemas.writer import to_yaml
from tests.schemas.reflecting import all_notes, built, column_of, reflected

LONG = "l" * 70


def builds(found, tmp_path):
    assert parse_schema(to_yaml(found.schema, found.notes)) == found.schema
    built(found, tmp_path, rows=20)


def test_names_that_are_too_long_are_cut_everywhere_they_stand(tmp_path):
    found = reflected(
        tmp_path,
        f"CREATE TABLE {LONG}(id INTEGER PRIMARY KEY, {LONG}1 INT NOT NULL UNIQUE, {LONG}2 INT CHECK ({LONG}2 > 3), c INT AS ({LONG}1 + 1));"
        f"CREATE TABLE c(id INTEGER PRIMARY KEY, a INT REFERENCES {LONG}({LONG}1)); CREATE INDEX i ON {LONG}({LONG}2, {LONG}1);",
    )
    cut = "l" * 58
    table = found.schema.table(cut)
    assert [c.name for c in table.columns] == ["id", cut, f"{cut}_2", "c"]
    assert [u.columns for u in table.unique] == [(cut,)]
    assert [i.columns for i in table.indexes] == [(f"{cut}_2", cut)]
    assert [c.sql for c in table.checks] == [f'"{cut}_2" > 3']
    assert table.column("c").computed == f'"{cut}" + 1'
    (key,) = found.schema.table("c").foreign_keys
    assert (key.table, key.target) == (cut, (cut,))
    assert found.notes[cut,][0].startswith(f"in the database it is called {LONG}, which has 70 bytes, and databases keep at most 63")
    assert any(f"called {LONG}2, which has 71 bytes" in said for said in found.notes[cut, f"{cut}_2"])
    builds(found, tmp_path)


@pytest.mark.parametrize(
    ("sql", "names", "columns"),
    [
        ('CREATE TABLE ""(id INTEGER PRIMARY KEY, "" INT, " " INT CHECK (" " > 1))', ["unnamed"], ["id", "unnamed", "unnamed_2"]),
        ('CREATE TABLE "a."(id INTEGER PRIMARY KEY); CREATE TABLE ".b"(id INT)', [".b", "a."], ["id"]),
        ('CREATE TABLE "a\nb"(id INTEGER PRIMARY KEY, "x\ty" INT CHECK ("x\ty" > 1))', ["a_b"], ["id", "x_y"]),
        ("CREATE TABLE " + "ä" * 40 + "(id INTEGER PRIMARY KEY, " + "ü" * 40 + " INT)", ["ä" * 29], ["id", "ü" * 29]),
    ],
)
def test_names_that_no_database_keeps_are_replaced(tmp_path, sql, names, columns):
    found = reflected(tmp_path, sql)
    wanted = {".b": "unnamed.b", "a.": "a.unnamed"}
    assert [t.name for t in found.schema.tables] == [wanted.get(name, name) for name in names]
    assert [c.name for c in found.schema.tables[0].columns] == columns
    assert any("in the database it is called" in said for said in found.notes[found.schema.tables[0].name,])
    builds(found, tmp_path)


def test_names_that_differ_only_in_case_are_told_apart(postgres_url, tmp_path):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            'CREATE TABLE "Users"(id int PRIMARY KEY, "Age" int CHECK ("Age" > 3), age int CHECK (age < 9), "aGE" int);'
            'CREATE TABLE users(id int PRIMARY KEY, u int REFERENCES "Users", v int REFERENCES users)'
        )
    found = reflect(postgres_url)
    assert [t.name for t in found.schema.tables] == ["Users", "users_2"]
    first, second = found.schema.tables
    assert [c.name for c in first.columns] == ["id", "Age", "age_2", "aGE_3"]
    assert {c.sql for c in first.checks} == {'"Age" > 3', '"age_2" < 9'}
    assert [k.table for k in second.foreign_keys] == ["Users", "users_2"]
    assert found.notes["users_2",] == ["in the database it is called users, which differs from another only in case"]
    builds(found, tmp_path)


def test_names_of_constraints_that_cannot_be_kept_are_left_out(tmp_path):
    found = reflected(
        tmp_path,
        f"CREATE TABLE c(id INTEGER PRIMARY KEY, a INT, b INT, CONSTRAINT x CHECK (a > 1), CONSTRAINT X CHECK (b > 1),"
        f" CONSTRAINT {LONG} CHECK (a < 90)); CREATE INDEX i{LONG} ON c(a);",
    )
    assert [(c.name, c.sql) for c in found.schema.table("c").checks] == [("x", "a > 1"), (None, "b > 1"), (None, "a < 90")]
    assert [(i.name, i.columns) for i in found.schema.table("c").indexes] == [(None, ("a",))]
    said = "\n".join(found.notes["c",])
    assert "the name of check b > 1, X, is left out: it is that of another" in said
    assert f"the name of check a < 90, {LONG}, is left out: it has 70 bytes" in said
    assert f"the name of an index (a), i{LONG}, is left out: it has 71 bytes" in said
    builds(found, tmp_path)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (
            "CREATE TABLE p(id TEXT PRIMARY KEY); CREATE TABLE q(id INTEGER PRIMARY KEY);"
            "CREATE TABLE c(id INTEGER PRIMARY KEY, a INT REFERENCES p REFERENCES q)",
            "the reference (a) to p(id) is left out: a is integer, and id is text",
        ),
        (
            "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, a INT NOT NULL REFERENCES p);"
            "INSERT INTO c VALUES (1, 1), (2, 2)",
            "the reference (a) to p(id) is left out: p has no rows, and a cannot be null",
        ),
        (
            "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, a INT, b INT, FOREIGN KEY (a, b) REFERENCES p)",
            "the reference (a, b) to p(id) is left out: it does not have as many columns as it references",
        ),
        (
            "CREATE TABLE p(a INT, b INT, PRIMARY KEY(a, b)); CREATE TABLE c(id INTEGER PRIMARY KEY, a INT, FOREIGN KEY (a, a) REFERENCES p)",
            "the reference (a, a) to p(a, b) is left out: it names a column twice",
        ),
        (
            "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, x INT, a INT AS (x + 1) REFERENCES p(id))",
            "the reference (a) to p(id) is left out: a is computed by the database",
        ),
        (
            "CREATE TABLE p(id INTEGER PRIMARY KEY, n INT UNIQUE); CREATE TABLE c(id INTEGER PRIMARY KEY, a INT REFERENCES p(id) REFERENCES p(n))",
            "the reference (a) to p(n) is left out: the same columns reference p(id)",
        ),
    ],
)
def test_references_that_the_language_refuses_are_left_out(tmp_path, sql, why):
    found = reflected(tmp_path, sql)
    assert why in found.notes["c",]
    assert len(found.schema.table("c").foreign_keys) == ("REFERENCES p(id) REFERENCES" in sql or "REFERENCES p REFERENCES" in sql)
    builds(found, tmp_path)


def test_an_empty_table_is_still_referenced_where_nothing_or_null_references_it(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, a INT NOT NULL REFERENCES p);"
        "CREATE TABLE d(id INTEGER PRIMARY KEY, a INT REFERENCES p); INSERT INTO d VALUES (1, NULL)",
    )
    assert [len(found.schema.table(name).foreign_keys) for name in ("c", "d")] == [1, 1]


def test_columns_that_a_constraint_names_twice_are_named_once(tmp_path):
    found = reflected(tmp_path, "CREATE TABLE c(id INTEGER PRIMARY KEY, a INT, UNIQUE (a, a)); CREATE INDEX i ON c(a, a);")
    assert [u.columns for u in found.schema.table("c").unique] == [("a",)]
    assert found.notes["c",] == [
        "unique (a, a) names a column twice, which is left out",
        "index i (a, a) names a column twice, which is left out",
    ]
    builds(found, tmp_path)


def test_expressions_over_no_columns_of_the_table_are_left_out(tmp_path):
    found = reflected(
        tmp_path, 'CREATE TABLE c(id INTEGER PRIMARY KEY, a TEXT CHECK (a <> "abc"), b INT CHECK (rowid > 0), d INT CHECK (d > 2));'
    )
    assert [c.sql for c in found.schema.table("c").checks] == ["d > 2"]
    assert found.notes["c",] == [
        "check a <> \"abc\" is left out: there is no column 'abc'",
        "check rowid > 0 is left out: there is no column 'rowid'",
    ]
    builds(found, tmp_path)


def test_a_default_over_another_column_as_mysql_knows_it_is_left_out():
    columns = [
        Column("a", SqlType("integer")),
        Column("b", SqlType("integer"), default="a + 1"),
        Column("c", SqlType("text"), default="USER"),
    ]
    raw = RawSchema("r", [RawTable("t", None, "t", columns)])
    make_expressible(raw)
    assert [c.default for c in raw.tables[0].columns] == [None, None, "USER"]
    (said,) = raw.notes["t", "b"]
    assert said.startswith("default a + 1 is left out: a default sees no column such as a;")


def test_tables_without_columns_and_keys_of_json_or_formulas_are_left_out(postgres_url, tmp_path):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE bare (); CREATE TABLE j (id jsonb PRIMARY KEY); CREATE TABLE r (id int PRIMARY KEY, j jsonb REFERENCES j);"
            "CREATE TABLE g (x int, y int GENERATED ALWAYS AS (x + 1) STORED PRIMARY KEY)"
        )
    found = reflect(postgres_url)
    assert [t.name for t in found.schema.tables] == ["g", "j", "r"]
    assert "table bare is left out: it has no columns" in found.notes[()]
    assert found.notes["j",] == ["key (id) is left out: id is json, which cannot be part of a key"]
    assert found.notes["g",] == ["key (y) is left out: y is computed, which cannot be part of a key"]
    assert found.notes["r",] == ["the reference (j) to j(id) is left out: its target is no key"]
    builds(found, tmp_path)


def test_a_database_of_tables_without_columns_is_refused(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare ()")
    with pytest.raises(InputError, match="no tables with columns"):
        reflect(postgres_url)


def test_a_file_of_a_long_name_gives_a_name_that_fits(tmp_path):
    path = tmp_path / ("ü" * 40 + ".sqlite")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)")
    database.close()
    assert reflect(f"sqlite:///{path}").schema.name == "ü" * 29


def test_what_is_expressible_is_not_touched(tmp_path):
    found = reflected(
        tmp_path,
        'CREATE TABLE p(id INTEGER PRIMARY KEY, "Odd name" TEXT UNIQUE, b INT AS (id + 1) STORED, CONSTRAINT some CHECK (id > 0));'
        'CREATE TABLE c(id BIGINT PRIMARY KEY, p NUMERIC(9) REFERENCES p, n VARCHAR(9) REFERENCES p("Odd name"));',
    )
    assert all_notes(found) == ["Reflected from a live database: its structure and row counts, and none of its values."]
    assert column_of(found, "p", "b").computed == "id + 1"
    assert [k.target for k in found.schema.table("c").foreign_keys] == [("id",), ("Odd name",)]
