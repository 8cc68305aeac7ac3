"""What only SQLite's own text and pragmas tell of a table."""

from __future__ import annotations

import pytest

from tests.schemas.reflecting import all_notes, built, column_of, reflected


def test_each_generated_column_has_its_own_formula(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE g(id INTEGER PRIMARY KEY, x INT NOT NULL,\n ab INT GENERATED ALWAYS AS (x+1),\n b INT GENERATED ALWAYS AS (x+2));"
        "CREATE TABLE h(id INTEGER PRIMARY KEY, x INT NOT NULL, c INT AS (x+3) CHECK (x > 0), [d e] INT AS ((x+4)) STORED, -- f AS (x)\n"
        " s TEXT AS ('), (' || x) VIRTUAL);",
    )
    assert column_of(found, "g", "ab").computed == "x + 1"
    assert column_of(found, "g", "b").computed == "x + 2"
    assert column_of(found, "h", "c").computed == "x + 3"
    assert column_of(found, "h", "d e").computed == "(x + 4)"
    assert column_of(found, "h", "s").computed == "'), (' || x"
    assert [c.sql for c in found.schema.table("h").checks] == ["x > 0"]
    assert not [said for said in all_notes(found) if "not understood" in said]
    built(found, tmp_path)


def test_a_formula_that_is_not_understood_is_shown_alone(tmp_path):
    found = reflected(tmp_path, "CREATE TABLE g(id INTEGER PRIMARY KEY, x INT, y INT AS (CAST(x AS my own)) CHECK (y > 0), z INT AS (x));")
    assert found.notes["g", "y"] == ["computed CAST(x AS my own) is not understood and left out"]


def test_checks_may_take_several_lines_and_comments_hold_none(tmp_path):
    found = reflected(
        tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, /* CHECK (a > 9) */ CONSTRAINT low\nCHECK\n(a\n> 1 -- so )\n));"
    )
    assert [(c.name, c.sql) for c in found.schema.table("t").checks] == [("low", "a > 1")]


def test_references_to_tables_that_are_not_there_are_noted(tmp_path):
    found = reflected(tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT REFERENCES gone, b INT REFERENCES gone(id));")
    assert found.notes["t",] == [
        "the reference (a) to gone is left out: there is no such table",
        "the reference (b) to gone(id) is left out: there is no such table",
    ]
    built(found, tmp_path)


@pytest.mark.parametrize(
    "reference", ["FOREIGN KEY (customerid) REFERENCES customer(id)", "CONSTRAINT named FOREIGN KEY (CUSTOMERID) REFERENCES CUSTOMER"]
)
def test_names_that_differ_in_case_are_one(tmp_path, reference):
    found = reflected(
        tmp_path,
        f"CREATE TABLE Customer(Id INTEGER PRIMARY KEY); CREATE TABLE Orders(Id INTEGER PRIMARY KEY, CustomerId INT, {reference});",
    )
    (key,) = found.schema.table("Orders").foreign_keys
    assert (key.columns, key.table, key.target) == (("CustomerId",), "Customer", ("Id",))
    assert key.name == ("named" if "named" in reference else None)
    assert ("Orders",) not in found.notes
    built(found, tmp_path)


def test_what_references_do_is_noted_however_they_are_written(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, a INT REFERENCES p(id) ON DELETE CASCADE,"
        " b INT REFERENCES p ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED);",
    )
    assert found.notes["c",] == [
        "the reference (a) to p says ondelete CASCADE, which is left out",
        "the reference (b) to p says onupdate SET NULL, deferrable True, initially DEFERRED, which is left out",
    ]
