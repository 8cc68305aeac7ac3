"""References that a check holds to differ: what is proposed keeps the check, and a note says where nothing is."""

from __future__ import annotations

import pytest

from schemas.check_facts import facts_of
from tests.schemas.reflecting import all_notes, built, reflected

OTHERS = "CREATE TABLE p(id INTEGER PRIMARY KEY, code TEXT UNIQUE); CREATE TABLE q(id INTEGER PRIMARY KEY); "
PAIR = "a INT REFERENCES p(id), b INT REFERENCES p(id)"


def options(found) -> dict[str, str]:
    return {key.columns[0]: key.other_than for key in found.schema.table("t").foreign_keys if key.other_than is not None}


@pytest.mark.parametrize(
    ("columns", "proposed"),
    [
        (f"{PAIR}, CHECK (a <> b)", {"b": "a"}),
        (f"{PAIR}, CHECK (b != a)", {"a": "b"}),
        (f"{PAIR}, CHECK (NOT a = b)", {"b": "a"}),
        (f"{PAIR}, w INT, CHECK (w > 3 AND NOT (a = b))", {"b": "a"}),
        (f"{PAIR}, CHECK (a IS NULL OR b IS NULL OR a <> b)", {"b": "a"}),
        ("a INT NOT NULL REFERENCES p(id), b INT NOT NULL REFERENCES p(id), PRIMARY KEY (a, b), CHECK (a <> b)", {"b": "a"}),
        (f"{PAIR}, w INT, UNIQUE (b, w), CHECK (a <> b)", {"a": "b"}),
        (f"{PAIR}, c INT REFERENCES p(id), CHECK (a <> b), CHECK (b <> c)", {"b": "a", "c": "b"}),
        ("id INTEGER PRIMARY KEY, a INT REFERENCES t(id), b INT REFERENCES t(id), CHECK (a <> b)", {"b": "a"}),
        ("a TEXT NOT NULL REFERENCES p(code), b TEXT NOT NULL REFERENCES p(code), CHECK (a <> b)", {"b": "a"}),
    ],
)
def test_what_is_proposed_keeps_two_references_apart(tmp_path, columns, proposed):
    found = reflected(tmp_path, f"{OTHERS}CREATE TABLE t({columns});")
    assert options(found) == proposed
    assert not [said for said in all_notes(found) if "nothing is proposed" in said]
    made = built(found, tmp_path)
    assert made.tables["t"].rows == 40


@pytest.mark.parametrize(
    ("columns", "check"),
    [
        ("a INT REFERENCES p(id), b INT REFERENCES q(id)", "a <> b"),
        ("a INT REFERENCES p(id), b INT", "a <> b"),
        ("a INT UNIQUE REFERENCES p(id), b INT UNIQUE REFERENCES p(id)", "a <> b"),
        (f"{PAIR}, v INT, w INT, UNIQUE (a, v), UNIQUE (b, w)", "a <> b"),
        (f"{PAIR}", "a + 0 <> b"),
        ("a BOOLEAN, b BOOLEAN", "a IN (0, 1) AND a <> b"),
    ],
)
def test_where_no_reference_can_name_another_row_the_check_is_noted(tmp_path, columns, check):
    found = reflected(tmp_path, f"{OTHERS}CREATE TABLE t({columns}, CHECK ({check}));")
    assert options(found) == {}
    said = check.rpartition("AND ")[2]
    assert any(f"nothing is proposed for the check ({said})" in note for note in all_notes(found))


def test_of_three_that_all_differ_the_last_pair_is_noted(tmp_path):
    found = reflected(tmp_path, f"{OTHERS}CREATE TABLE t({PAIR}, c INT REFERENCES p(id), CHECK (a <> b AND b <> c AND c <> a));")
    assert options(found) == {"b": "a", "c": "b"}
    assert any("nothing is proposed for the check (c <> a)" in note for note in all_notes(found))


def test_texts_are_compared_as_postgresql_writes_it():
    assert list(facts_of(["((a)::text <> (b)::text)"], ["a", "b"]).different.values()) == [("a", "b")]
    assert not facts_of(["((a)::char(1) <> (b)::char(1))"], ["a", "b"]).different


@pytest.mark.parametrize("check", ["a < id", "id > a", "a <= id", "a IS NULL OR a < id"])
def test_an_acyclic_reference_is_below_the_key_that_counts(tmp_path, check):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, a INT REFERENCES t(id), CHECK ({check}));")
    assert not [said for said in all_notes(found) if "nothing is proposed" in said]
    built(found, tmp_path)


@pytest.mark.parametrize("columns", ["id TEXT PRIMARY KEY, a TEXT REFERENCES t(id)", "id INT PRIMARY KEY, a INT NOT NULL REFERENCES t(id)"])
def test_where_keys_do_not_count_or_references_go_round_that_is_noted(tmp_path, columns):
    found = reflected(tmp_path, f"CREATE TABLE t({columns}, CHECK (a < id));")
    assert [said for said in all_notes(found) if "nothing is proposed" in said]


def greater(found) -> dict[str, str]:
    return {key.columns[0]: key.greater_than for key in found.schema.table("t").foreign_keys if key.greater_than is not None}


@pytest.mark.parametrize(
    ("columns", "proposed"),
    [
        (f"{PAIR}, CHECK (a < b)", {"b": "a"}),
        (f"{PAIR}, CHECK (a > b)", {"a": "b"}),
        (f"{PAIR}, CHECK (a < b AND a <> b)", {"b": "a"}),
        ("a INT NOT NULL REFERENCES p(id), b INT NOT NULL REFERENCES p(id), PRIMARY KEY (a, b), CHECK (a < b)", {"b": "a"}),
        (
            "id INTEGER PRIMARY KEY, a INT NOT NULL REFERENCES p(id), b INT NOT NULL REFERENCES p(id), UNIQUE (a, b), CHECK (b > a)",
            {"b": "a"},
        ),
    ],
)
def test_of_two_references_that_a_check_orders_one_is_greater(tmp_path, columns, proposed):
    found = reflected(tmp_path, f"{OTHERS}CREATE TABLE t({columns});")
    assert (greater(found), options(found)) == (proposed, {})
    assert not [said for said in all_notes(found) if "nothing is proposed" in said]
    assert built(found, tmp_path).tables["t"].rows == 40


@pytest.mark.parametrize(
    ("columns", "check"),
    [
        ("a INT REFERENCES p(id), b INT REFERENCES q(id)", "a < b"),
        ("a TEXT REFERENCES p(code), b TEXT REFERENCES p(code)", "a < b"),
        ("a INT UNIQUE REFERENCES p(id), b INT REFERENCES p(id)", "a < b"),
        ("a INT REFERENCES sub(id), b INT REFERENCES sub(id)", "a < b"),
    ],
)
def test_where_none_can_be_greater_the_order_is_noted(tmp_path, columns, check):
    sub = "CREATE TABLE sub(id INTEGER PRIMARY KEY REFERENCES p(id)); "
    found = reflected(tmp_path, f"{OTHERS}{sub}CREATE TABLE t({columns}, CHECK ({check}));")
    assert greater(found) == {}
    assert any(f"nothing is proposed for the check ({check})" in note for note in all_notes(found))
