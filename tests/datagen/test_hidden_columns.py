"""Hidden columns: made for other columns to use, and in no bundle and no database."""

from __future__ import annotations

import sqlite3

import pytest

import bundles
import provisioning
from schemas.errors import SchemaError
from schemas.reader import parse_schema
from schemas.writer import to_yaml
from tests.datagen.making import source_of

TEXT = """tables:
  parents:
    rows: 20
    columns:
      id:   {type: bigint, key: true}
      rate: {type: "numeric(4,2)", hidden: true, generate: {uniform: [1, 9]}}
  t:
    rows: 100
    columns:
      id:        {type: bigint, key: true}
      parent_id: {references: parents.id}
      base:      {type: integer, hidden: true, generate: {uniform: [1, 50]}}
      low:       {type: integer, generate: {from: base}}
      high:      {type: integer, generate: {expression: "base + 7"}}
      rate:      {type: "numeric(4,2)", generate: {from: parent_id.rate}}
    checks: [high = low + 7]
"""


def test_hidden_columns_serve_others_and_are_nowhere_else(tmp_path):
    made = source_of(TEXT)
    rows = made.read("t").read_all()
    assert rows.column_names == ["id", "parent_id", "low", "high", "rate"]
    assert all(r["high"] == r["low"] + 7 and 1 <= r["rate"] <= 9 for r in rows.to_pylist())
    bundle = bundles.build(made, store=tmp_path / "store", tag="t:v1")
    assert bundles.verify(bundle).ok
    assert "base" not in bundle.tables["t"].columns
    provisioning.load(bundle, f"sqlite:///{tmp_path}/t.db")
    provisioning.load(bundle, f"duckdb:///{tmp_path}/t.duckdb")
    with sqlite3.connect(tmp_path / "t.db") as database:
        assert [row[1] for row in database.execute("PRAGMA table_info(t)")] == rows.column_names


def test_hiding_a_column_changes_no_other():
    shown, hidden = source_of(TEXT.replace("hidden: true, ", "")), source_of(TEXT)
    for name in ("low", "high", "rate"):
        assert shown.read("t").read_all().column(name) == hidden.read("t").read_all().column(name)


def test_hidden_columns_are_written_and_read_back():
    schema = source_of(TEXT).schema
    assert parse_schema(to_yaml(schema)) == schema
    assert schema.table("t").column("base").hidden


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("low:       {type", "low:       {hidden: true, unique: true, type"), "hidden, so it cannot be part of a unique"),
        (("parent_id: {references", "parent_id: {hidden: true, references"), "hidden, so it cannot be part of a reference"),
        (("high = low + 7", "high = base + 7"), "base"),
    ],
)
def test_hidden_columns_take_no_part_in_constraints(change, words):
    with pytest.raises(SchemaError, match=words):
        source_of(TEXT.replace(*change))
