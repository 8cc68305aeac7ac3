"""What only SQLite's own text and pragmas tell of a table."""

from __future__ import annotations

import pytest

import provisioning
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
    virtual = {place for place, said in found.notes.items() if "it is VIRTUAL, taken as STORED" in said}
    assert virtual == {("g", "ab"), ("g", "b"), ("h", "c"), ("h", "s")}
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


def test_what_is_said_of_indexes_is_noted(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, n TEXT COLLATE NOCASE, m TEXT UNIQUE, UNIQUE (n COLLATE BINARY, m), CONSTRAINT own UNIQUE(M,id));"
        "CREATE INDEX falling ON t(n DESC, m); CREATE INDEX folded ON t(m COLLATE NOCASE); CREATE INDEX usual ON t(n COLLATE NOCASE);"
        "CREATE UNIQUE INDEX again ON t(m COLLATE RTRIM); CREATE INDEX lowered ON t(lower(n)); CREATE INDEX some ON t(n)where(m > 'a');"
        "CREATE UNIQUE INDEX some_lowered ON t(lower(m)) WHERE n > 'a';",
    )
    assert found.notes["t",] == [
        "unique (n, m) says collate n BINARY, which is left out",
        "unique index again is left out: (m) is unique already",
        "index again says collate m RTRIM, which is left out",
        "index falling says n desc, which is left out",
        "index folded says collate m NOCASE, which is left out",
        "index lowered is on an expression and left out",
        "index some is partial and left out",
        "unique index some_lowered is partial and left out",
    ]
    assert [(i.name, i.columns) for i in found.schema.table("t").indexes] == [
        ("falling", ("n", "m")),
        ("folded", ("m",)),
        ("usual", ("n",)),
    ]
    assert [(u.name, u.columns) for u in found.schema.table("t").unique] == [(None, ("m",)), (None, ("n", "m")), ("own", ("m", "id"))]
    built(found, tmp_path)


def test_collations_and_conflicts_are_noted_at_their_places(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE t(id INTEGER PRIMARY KEY ON CONFLICT REPLACE, n TEXT COLLATE nocase NOT NULL ON CONFLICT IGNORE, b TEXT COLLATE BINARY,"
        " c INT, UNIQUE (n, b) ON CONFLICT ROLLBACK, CHECK (c > 0) ON CONFLICT FAIL);",
    )
    assert found.notes["t", "id"] == ["primary key on conflict replace is left out"]
    assert found.notes["t", "n"] == ["its collation nocase is left out", "not null on conflict ignore is left out"]
    assert ("t", "b") not in found.notes
    assert found.notes["t",] == ["unique on conflict rollback is left out", "check on conflict fail is left out"]


def test_what_tables_of_sqlite_are_is_noted(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE [a strict](id INTEGER PRIMARY KEY AUTOINCREMENT, x REAL) /* ) */ STRICT;"
        "CREATE TABLE bare(k TEXT, l TEXT COLLATE NOCASE, PRIMARY KEY (k DESC, l COLLATE RTRIM)) WITHOUT ROWID, STRICT;"
        "CREATE TABLE plain(autoincrement_ INTEGER PRIMARY KEY, x TEXT DEFAULT 'AUTOINCREMENT');",
    )
    assert found.notes["a strict",] == ["STRICT is left out", "AUTOINCREMENT is left out"]
    assert found.notes["bare",] == [
        "STRICT is left out",
        "WITHOUT ROWID is left out",
        "collate l RTRIM, k desc of its primary key is left out",
    ]
    assert ("plain",) not in found.notes
    built(found, tmp_path)


def test_virtual_tables_and_what_they_are_kept_in_are_left_out(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT); CREATE TABLE words_of(id INTEGER PRIMARY KEY);"
        "CREATE VIRTUAL TABLE Words USING fts5(body, content = 't', tokenize = \"unicode61\"); CREATE VIRTUAL TABLE [the using] USING rtree(id, a, b);"
        "PRAGMA writable_schema = 1;"
        "INSERT INTO sqlite_master VALUES ('table', 'far', 'far', 0, 'CREATE VIRTUAL TABLE far USING not_here(a)');",
    )
    assert found.notes[()][1:] == [
        "virtual table Words of fts5 is left out, with Words_config, Words_data, Words_docsize, Words_idx, which it is kept in",
        "virtual table far of not_here is left out",
        "virtual table the using of rtree is left out, with the using_node, the using_parent, the using_rowid, which it is kept in",
    ]
    assert [t.name for t in found.schema.tables] == ["t", "words_of"]
    built(found, tmp_path)


@pytest.mark.parametrize(
    "check",
    [
        "typeof(a) = 'text'",
        "a NOT GLOB '*[^a-z]*'",
        "a COLLATE NOCASE IN ('A', 'b')",
        "datetime(a) IS NOT NULL",
        "a = date(a, '+0 days')",
        "strftime('%Y', a) > '2000'",
        "a MATCH 'x'",
        "json_type(a) = 'object'",
    ],
)
def test_checks_in_words_that_only_sqlite_has_are_left_out(tmp_path, check):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT CHECK ({check}));")
    assert found.notes["t",] == [f"check {check} is not understood and left out"]
    assert not found.schema.table("t").checks
    built(found, tmp_path)


def test_a_word_is_a_text_as_a_default(tmp_path):
    sql = 'CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT DEFAULT "it\'s", b TEXT DEFAULT new, c TIME DEFAULT current_time, d TEXT DEFAULT [x y])'
    found = reflected(tmp_path, sql)
    assert [column_of(found, "t", name).default for name in "abcd"] == ["'it''s'", "'new'", "CURRENT_TIME", "'x y'"]
    made = built(found, tmp_path)
    assert not provisioning.load(made, f"sqlite:///{tmp_path}/loaded.sqlite").not_enforced


def test_the_present_is_a_default_however_it_is_spelled(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a DATETIME DEFAULT (datetime('now')), b DATE DEFAULT (DATE('NOW')), c DATETIME DEFAULT CURRENT_TIMESTAMP,"
        " d DATETIME DEFAULT (datetime('now', 'localtime')), e TEXT DEFAULT (hex(randomblob(4))));",
    )
    assert [column_of(found, "t", name).default for name in "abcde"] == [
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
        "CURRENT_TIMESTAMP",
        None,
        None,
    ]
    assert found.notes["t", "d"] == ["default datetime('now', 'localtime') is not understood and left out"]
    assert found.notes["t", "e"] == ["default hex(randomblob(4)) is not understood and left out"]
    made = built(found, tmp_path)
    for target in ("duckdb", "sqlite"):
        assert not provisioning.load(made, f"{target}:///{tmp_path}/loaded.{target}").not_enforced


def test_triggers_are_noted_whatever_the_case_of_their_tables(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE Line(id INTEGER PRIMARY KEY); CREATE VIEW Big AS SELECT * FROM Line;"
        "CREATE TRIGGER one AFTER INSERT ON LINE BEGIN SELECT 1; END; CREATE TRIGGER two INSTEAD OF INSERT ON big BEGIN SELECT 1; END;",
    )
    assert found.notes["Line",] == ["trigger one is left out"]
    assert found.notes[()][1:] == ["view Big is left out", "trigger two of the view Big is left out"]


@pytest.mark.parametrize("target", ["duckdb", "sqlite"])
def test_references_in_another_order_than_that_of_the_key_load(tmp_path, target):
    found = reflected(
        tmp_path,
        "CREATE TABLE p(a INT, b TEXT, c INT, d INT, PRIMARY KEY(a, b), UNIQUE(c, d));"
        " CREATE TABLE r(id INTEGER PRIMARY KEY, x INT, y TEXT, v INT, w INT, FOREIGN KEY (y, x) REFERENCES p(b, a),"
        " FOREIGN KEY (v, w) REFERENCES p(d, c));",
    )
    receipt = provisioning.load(built(found, tmp_path), f"{target}:///{tmp_path}/loaded.{target}")
    assert not receipt.not_enforced


def test_the_name_of_a_primary_key_is_told_and_another_check_of_the_same_text_too(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE t(id INTEGER CONSTRAINT [its key] PRIMARY KEY, a INT, CONSTRAINT one CHECK (a > 0), CONSTRAINT two CHECK (a > 0));"
        "CREATE TABLE u(a INT CONSTRAINT low CHECK (a > 0), b INT, CONSTRAINT both PRIMARY KEY (a, b));"
        "CREATE TABLE v(a INT CONSTRAINT low CHECK (a > 0) PRIMARY KEY);",
    )
    assert found.notes["t",] == ["check two is left out: another says the same", "the name of its primary key, its key, is left out"]
    assert found.notes["u",] == ["the name of its primary key, both, is left out"]
    assert ("v",) not in found.notes
