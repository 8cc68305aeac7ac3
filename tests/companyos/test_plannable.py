"""Reflected schemas that read well and that no rows can be made for: what is in the way is left out, and nothing else."""

from __future__ import annotations

import json

import psycopg
import pytest
from click.testing import CliRunner

import bundles
import datagen
import provisioning
from companyos.cli import cli
from companyos.plannable import plannable
from datagen.errors import RecipeError
from schemas.errors import SchemaError
from schemas.reader import parse_schema, read_schema
from schemas.reflect import reflect
from schemas.writer import to_yaml
from tests.schemas.reflecting import all_notes, built, column_of, reflected

ONE_TO_ONE = """
CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, a INT NOT NULL UNIQUE REFERENCES p, s INT REFERENCES p);
INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1, 1), (2, 2, 1), (3, 3, 1);
"""
SHARED = """
CREATE TABLE p(a INT, b INT, PRIMARY KEY(a, b)); CREATE TABLE q(a INT, c INT, PRIMARY KEY(a, c));
CREATE TABLE t(id INTEGER PRIMARY KEY, a INT NOT NULL, b INT NOT NULL, c INT NOT NULL, FOREIGN KEY (a, b) REFERENCES p,
  FOREIGN KEY (a, c) REFERENCES q); INSERT INTO p VALUES (1, 1); INSERT INTO q VALUES (1, 1); INSERT INTO t VALUES (1, 1, 1, 1);
"""
CIRCLE = """
CREATE TABLE a(id INTEGER PRIMARY KEY REFERENCES b(id)); CREATE TABLE b(id INTEGER PRIMARY KEY REFERENCES a(id));
INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);
"""
FEW = """
CREATE TABLE f(x BOOLEAN NOT NULL, y BOOLEAN NOT NULL, z INT, UNIQUE(x, y), UNIQUE(z));
INSERT INTO f VALUES (0, 0, 1), (0, 1, 2), (5, 1, 3), (4, 0, 4), (7, 1, 5);
"""
LISTED = """
CREATE TABLE l(id INTEGER PRIMARY KEY, b TEXT CHECK (b IN ('x', 'y'))); CREATE UNIQUE INDEX once ON l(b);
INSERT INTO l VALUES (1, 'x'), (2, 'y'), (3, NULL), (4, NULL);
"""
NEVER = """
PRAGMA ignore_check_constraints = 1; CREATE TABLE n(id INTEGER PRIMARY KEY, b INT CHECK (b > 5 AND b < 3), c INT CHECK (c > 1));
INSERT INTO n VALUES (1, 1, 2);
"""
PAIRS = """
CREATE TABLE p(a INT, b INT, PRIMARY KEY(a, b)); CREATE TABLE m(id INTEGER PRIMARY KEY, a INT NOT NULL, b INT, FOREIGN KEY (a, b) REFERENCES p);
INSERT INTO p VALUES (1, 1); INSERT INTO m VALUES (1, 1, 1);
"""

ALIKE = """
CREATE TABLE t(id INTEGER PRIMARY KEY, a BOOLEAN UNIQUE, b INT CHECK (b IN (1, 2)) UNIQUE); CREATE TABLE u(a BOOLEAN UNIQUE);
INSERT INTO t(id) VALUES (1), (2), (3), (4), (5); INSERT INTO u VALUES (NULL), (NULL), (NULL), (NULL), (NULL);
"""


@pytest.mark.parametrize(
    ("sql", "place", "said", "kept"),
    [
        (ONE_TO_ONE, ("c",), "the reference (a) to p(id) is left out: 3 rows of c must reference different rows of p", {("c", "s")}),
        (SHARED, ("t",), "the reference (a, c) to q(a, c) is left out: (a, c) shares a with another reference", {("t", "a,b")}),
        (CIRCLE, ("a",), "the reference (id) to b(id) is left out: these are computed from each other in a circle", {("b", "id")}),
        (FEW, ("f",), "unique (x, y) is left out: nothing makes (x, y) unique", set()),
        (LISTED, ("l",), "index once (b) is not taken as unique: 4 unique values are asked for and there are only 2", set()),
        (NEVER, ("n",), "check b > 5 AND b < 3 is left out: check: no row can satisfy", set()),
        (PAIRS, ("m", "b"), "no nulls are made: null: the columns of a reference are null together", {("m", "a,b")}),
    ],
)
def test_what_a_problem_names_is_left_out_with_a_note_and_the_rest_is_kept(tmp_path, sql, place, said, kept):
    before = reflected(tmp_path, sql)
    with pytest.raises((RecipeError, SchemaError)):
        datagen.source(parse_schema(to_yaml(before.schema, before.notes)))
    found = plannable(before)
    notes = [note for note in found.notes[place] if note.startswith(said)]
    assert len(notes) == 1
    assert {(t.name, ",".join(k.columns)) for t in found.schema.tables for k in t.foreign_keys} == kept
    constraints = [
        sum(len(x) for t in s.tables for x in (t.foreign_keys, t.unique, t.checks, t.indexes)) for s in (before.schema, found.schema)
    ]
    assert constraints[0] - constraints[1] == ("is left out" in said)
    text = to_yaml(found.schema, found.notes)
    assert parse_schema(text) == found.schema
    made = bundles.build(datagen.source(parse_schema(text)), store=tmp_path / "store", tag="planned:v1")
    assert bundles.verify(made).ok
    assert {name: table.rows for name, table in made.tables.items()} == {t.name: t.rows.count for t in before.schema.tables}


def test_several_problems_are_mended_one_after_the_other(tmp_path):
    found = plannable(reflected(tmp_path, ONE_TO_ONE + FEW + LISTED))
    assert len([n for n in all_notes(found) if "is left out: " in n or "not taken as unique" in n]) == 3
    assert column_of(found, "c", "a").generate is not None
    assert [i.unique for i in found.schema.table("l").indexes] == [False]
    assert [u.columns for u in found.schema.table("f").unique] == [("z",)]


def test_a_schema_that_plans_is_left_as_it_is(tmp_path):
    found = reflected(
        tmp_path, "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, a INT NOT NULL REFERENCES p);"
    )
    assert plannable(found) is found


def test_a_problem_that_nothing_mends_does_not_stop_the_others(tmp_path, monkeypatch):
    from companyos import plannable as module
    from schemas.errors import Problem

    real = module._problems
    monkeypatch.setattr(module, "_problems", lambda schema: [Problem("nobody knows", schema.tables[0].at), *real(schema)])
    found = plannable(reflected(tmp_path, ONE_TO_ONE))
    assert any("3 rows of c" in note for note in all_notes(found))
    assert not any("nobody knows" in note for note in all_notes(found))


def plannings_of(folder, sql, monkeypatch):
    """How often the planner is asked until a database is plannable, and what that leaves."""
    from companyos import plannable as module

    before, real, asked = reflected(folder, sql), module._problems, []
    with monkeypatch.context() as patched:
        patched.setattr(module, "_problems", lambda schema: asked.append(schema) or real(schema))
        left = plannable(before)
    return len(asked), left.schema


def many(tables, reference=""):
    """Tables with two problems each, of which the planner tells one before the other."""
    return "".join(
        f"CREATE TABLE t{i}(id INTEGER PRIMARY KEY, x BOOLEAN NOT NULL, y BOOLEAN NOT NULL, b INT CHECK (b IN (1, 2)) UNIQUE, z INT {reference},"
        f" UNIQUE (z), UNIQUE (x, y)); INSERT INTO t{i} VALUES (1, 0, 0, 1, 1), (2, 0, 1, 2, 2), (3, 5, 1, NULL, NULL), (4, 4, 0, NULL, NULL), (5, 7, 1, NULL, NULL);"
        for i in range(tables)
    )


@pytest.mark.parametrize(
    "sql", ["", "CREATE TABLE hub(id INTEGER PRIMARY KEY, a BOOLEAN UNIQUE); INSERT INTO hub(id) VALUES (1), (2), (3);"]
)
def test_plannings_follow_the_parts_of_a_table_and_not_the_number_of_tables(tmp_path, monkeypatch, sql):
    few, _ = plannings_of(tmp_path, sql + many(2, "REFERENCES hub" * bool(sql)), monkeypatch)
    more, schema = plannings_of(tmp_path, sql + many(16, "REFERENCES hub" * bool(sql)), monkeypatch)
    assert more == few < 10
    assert [u.columns for table in schema.tables for u in table.unique] == [("z",)] * 16


def test_what_is_wrong_with_a_plain_index_stays_wrong(tmp_path, monkeypatch):
    from companyos import plannable as module
    from schemas.errors import Problem

    monkeypatch.setattr(module, "_problems", lambda schema: [Problem("nobody knows", schema.tables[0].indexes[0].at)])
    before = reflected(tmp_path, "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT UNIQUE); CREATE INDEX i ON t(a);")
    assert plannable(before) is before


def test_what_hides_other_problems_mends_none_of_them(tmp_path, monkeypatch):
    from companyos import plannable as module
    from schemas.errors import Problem

    def problems(schema):
        first, second = schema.tables
        if not first.unique:
            return [Problem("found before all else", first.at)]
        return [Problem("mended by any part", first.at), Problem("mended by none", second.at)]

    monkeypatch.setattr(module, "_problems", problems)
    made = "(id INTEGER PRIMARY KEY, z INT UNIQUE);"
    found = plannable(reflected(tmp_path, f"CREATE TABLE t{made} CREATE TABLE u{made}"))
    assert [(t.name, len(t.unique), t.key) for t in found.schema.tables] == [("t", 0, ("id",)), ("u", 1, ("id",))]


def test_the_command_writes_a_file_that_builds(tmp_path):
    reflected(
        tmp_path, ONE_TO_ONE + SHARED.replace("TABLE p", "TABLE pp").replace("REFERENCES p", "REFERENCES pp").replace("INTO p", "INTO pp")
    )
    file = tmp_path / "made.yaml"
    done = CliRunner().invoke(cli, ["schema", "reflect", f"sqlite:///{tmp_path / 'made.sqlite'}", "-o", str(file), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["notes"] == 3
    assert "  # the reference (a) to p(id) is left out: 3 rows of c" in file.read_text("utf-8")
    datagen.source(read_schema(file))


def test_no_value_of_the_source_enters_the_notes(tmp_path):
    sql = ONE_TO_ONE.replace("s INT REFERENCES p", "s TEXT NOT NULL").replace("1, 1), (2", "1, 'Zebulon'), (2")
    found = plannable(reflected(tmp_path, sql))
    assert "Zebulon" not in to_yaml(found.schema, found.notes)


def test_what_is_wrong_in_the_same_words_is_mended_in_each_place(tmp_path):
    found = plannable(reflected(tmp_path, ALIKE))
    assert [u for table in found.schema.tables for u in table.unique] == []
    assert {place for place, said in found.notes.items() if any("is left out: 5 unique values are asked for" in s for s in said)} == {
        ("t",),
        ("u",),
    }
    built(found, tmp_path)


EXACT = "; use an integer or a numeric type"
UNMADE = "cannot promise unique values, and 'a' is unique; these can: choice, list"


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("a double precision UNIQUE", f"unique (a) is left out: double columns cannot be unique{EXACT}"),
        ("a real UNIQUE", f"unique (a) is left out: real columns cannot be unique{EXACT}"),
        ("a jsonb UNIQUE", f"unique (a) is left out: json {UNMADE}, faker, mimesis"),
        ("a text[] UNIQUE", f"unique (a) is left out: array {UNMADE}"),
        ("a jsonb, b boolean, UNIQUE (a, b)", "unique (a, b) is left out: nothing makes (a, b) unique"),
        ("a interval UNIQUE", None),
        ("a interval, b jsonb, UNIQUE (b, a)", None),
    ],
)
def test_postgresql_types_are_unique_or_the_file_says_why_not(postgres_url, another_postgres_url, tmp_path, column, said):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE t(id int PRIMARY KEY, {column}); INSERT INTO t(id) SELECT i FROM generate_series(1, 900) i")
    found = plannable(reflect(postgres_url))
    assert [note.startswith(str(said)) for note in found.notes.get(("t",), [])] == [True] * (said is not None)
    assert bool(found.schema.table("t").unique) == (said is None)
    assert provisioning.load(built(found, tmp_path), another_postgres_url).tables["t"] == 900


def test_an_interval_may_be_a_key_in_postgresql(postgres_url, tmp_path):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE t(a interval PRIMARY KEY); INSERT INTO t SELECT i * interval '1 hour' FROM generate_series(1, 900) i"
        )
    found = plannable(reflect(postgres_url))
    assert found.schema.table("t").key == ("a",)
    built(found, tmp_path)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("a JSON UNIQUE", f"unique (a) is left out: json {UNMADE}, faker, mimesis"),
        ("a TEXT UNIQUE CHECK (a IS NULL OR json_valid(a))", f"unique (a) is left out: json {UNMADE}, faker, mimesis"),
        ("a REAL UNIQUE", None),
        ("a INTERVAL UNIQUE", None),
    ],
)
def test_types_of_sqlite_are_unique_or_the_file_says_why_not(tmp_path, column, said):
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) INSERT INTO t(id) SELECT i FROM n;"
    found = plannable(reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, {column}); {rows}"))
    assert found.notes.get(("t",), []) == ([] if said is None else [said])
    assert bool(found.schema.table("t").unique) == (said is None)
    assert provisioning.load(built(found, tmp_path), f"sqlite:///{tmp_path}/again.sqlite").tables["t"] == 900
