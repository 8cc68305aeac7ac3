"""Schemas written as files: what is written reads back the same, and looks as a person would write it."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from schemas.consistency import problems_of
from schemas.document import from_document, to_document
from schemas.model import Column, Present, Recipe, Rows, Schema, Table
from schemas.reader import parse_schema
from schemas.reference import EXAMPLE
from schemas.types import SqlType
from schemas.writer import to_yaml
from tests.schemas.schema_strategies import schemas

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(schemas())
def test_a_written_schema_reads_back_the_same(schema: Schema) -> None:
    assert list(problems_of(schema)) == []
    assert parse_schema(to_yaml(schema)) == schema


def test_all_options_of_references_are_written_and_kept() -> None:
    text = """schema: s
tables:
  p:
    rows: 1
    columns: {id: {type: int, key: true}, stock: {type: int, generate: {uniform: [1, 9]}}, opened: {type: date, generate: {between: [-1y, now]}}, closed: {type: date, generate: {after: opened, within: 1y}}}
  t:
    rows: 1
    columns:
      id:    {type: int, key: true}
      p_id:  {references: p.id, weight: stock}
      q_id:  {references: p.id, skew: 1.5}
      boss:  {references: t.id, within: p_id, acyclic: true, depth: 3, null: 0.1}
      on:    {type: date, generate: {between: [-1y, now]}}
      r_id:  {references: p.id, present: {at: on, from: opened, until: closed}}
      s_id:  {references: p.id, present: {at: on, until: closed}}
      o_id:  {references: p.id, other_than: p_id}
      x_id:  {references: p.id}
      y_id:  {references: p.id, greater_than: x_id}
"""
    schema = parse_schema(text)
    assert [(f.weight, f.skew, f.within, f.acyclic, f.depth) for f in schema.table("t").foreign_keys[:6]] == [
        ("stock", None, None, False, None), (None, 1.5, None, False, None), (None, None, "p_id", True, 3), (None, None, None, False, None),
        (None, None, None, False, None), (None, None, None, False, None),
    ]  # fmt: skip
    assert [f.other_than for f in schema.table("t").foreign_keys] == [None] * 5 + ["p_id", None, None]
    assert schema.table("t").foreign_keys[-1].greater_than == "x_id"
    assert [f.present for f in schema.table("t").foreign_keys[3:5]] == [Present("on", "opened", "closed"), Present("on", None, "closed")]
    assert parse_schema(to_yaml(schema)) == schema
    assert from_document(to_document(schema)) == schema


def test_a_schema_is_written_as_a_person_would() -> None:
    compact = re.sub(r": {2,}", ": ", EXAMPLE.replace("          # the data's 'now'", "").replace(", class: personal", ""))
    assert to_yaml(parse_schema(EXAMPLE)) == compact


def test_notes_stand_as_comments_at_their_places() -> None:
    notes = {
        (): ["made from a database", "on two\nlines"],
        ("users",): ["a partitioned table"],
        ("users", "email"): ["its collation is left out\x07"],
    }
    written = to_yaml(parse_schema(EXAMPLE), notes)
    lines = written.splitlines()
    assert lines[:4] == ["# made from a database", "# on two", "# lines", "schema: shop"]
    assert lines[lines.index("  users:") - 1] == "  # a partitioned table"
    email = next(i for i, line in enumerate(lines) if line.startswith("      email:"))
    assert lines[email - 1] == "      # its collation is left out\\u0007"
    assert parse_schema(written) == parse_schema(EXAMPLE)


def test_long_columns_are_written_over_several_lines() -> None:
    values = ", ".join(f"value number {i}" for i in range(20))
    text = f"schema: s\ntables:\n  t:\n    rows: 1\n    columns:\n      c: {{type: text, generate: {{choice: [{values}]}}, null: 0}}\n"
    written = to_yaml(parse_schema(text))
    assert "      c:\n        type: text\n        null: 0\n        generate: {choice: [" in written
    assert parse_schema(written) == parse_schema(text)


@pytest.mark.parametrize(
    "value", ["no", "null", "~", "12", "1e5", "2024-01-01", "a: b", "a #b", "- a", "", " a", "{x}", "'", '"', "\\", "é\u0301", "\u2028", "\x85", "\ufeff", "🎉", "a" * 2000, "=", "<<"]
)  # fmt: skip
def test_odd_texts_survive_and_other_readers_take_them_for_text(value: str) -> None:
    table = Table("t", (Column("c", SqlType("text"), generate=Recipe("choice", {"values": ((value, 2), ("b", 1))})),), Rows(1))
    schema = Schema("s", (table,), comment=value)
    written = to_yaml(schema)
    assert parse_schema(written) == schema
    loaded = yaml.safe_load(written)
    assert loaded["comment"] == value
    assert loaded["tables"]["t"]["columns"]["c"]["generate"]["choice"] == {value: 2, "b": 1}
