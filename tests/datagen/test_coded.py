"""Columns of few values come as dictionary arrays to those who ask for them, and as they are to all others."""

from __future__ import annotations

import pyarrow as pa
import pytest

from schemas.source import EncodedSource
from tests.datagen.making import source_of

TEXT = """tables:
  t:
    rows: 150000
    columns:
      id:    {type: bigint, key: true}
      kind:  {type: text, generate: {choice: {a: 6, b: 3, c: 1}}}
      rare:  {type: varchar(9), null: 0.3, generate: {choice: [x, y, z]}}
      turn:  {type: "char(5)", generate: {list: [one, "two ", three]}}
      same:  {type: text, generate: {constant: USD}}
      many:  {type: text, generate: {choice: {b: 1, a: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1, k: 1, l: 1, m: 1, n: 1, o: 1, p: 1, q: 1, r: 0}}}
      level: {type: smallint, generate: {uniform: [1, 7]}}
      clerk: {type: text, generate: {template: "No {level:03}/{level}"}}
      label: {type: text, null: 0, generate: {expression: "CASE WHEN level > 5 THEN 'high' WHEN level < 3 THEN rare ELSE kind END"}}
      note:  {type: text, generate: {words: 2}}
"""
CODED = ("kind", "rare", "turn", "same", "many", "clerk", "label")


@pytest.fixture(scope="module")
def made():
    return source_of(TEXT)


def test_the_values_are_the_same_either_way(made):
    assert isinstance(made, EncodedSource)
    plain, encoded = made.read_rows("t", 5000, 80_000), made.read_encoded("t", 5000, 80_000)
    assert plain.schema.equals(made.schema.table("t").arrow)
    for name in plain.schema.names:
        column = encoded.column(name)
        assert pa.types.is_dictionary(column.type) == (name in CODED), name
        assert (column.dictionary_decode() if name in CODED else column).equals(plain.column(name)), name


def test_values_come_as_often_as_their_weights_say(made):
    counts = {v["values"]: v["counts"] for v in made.read("t").read_all().column("kind").value_counts().to_pylist()}
    # 150,000 draws: six standard deviations are about 0.0076, and more has a chance below 1e-8
    assert all(abs(counts[k] / 150_000 - share) < 0.0077 for k, share in {"a": 0.6, "b": 0.3, "c": 0.1}.items())
    many = set(made.read("t").read_all().column("many").to_pylist())
    assert many == set("abcdefghijklmnopq")


def test_other_columns_read_the_texts_themselves(made):
    for row in made.read_rows("t", 0, 500).to_pylist():
        assert row["clerk"] == f"No {row['level']:03}/{row['level']}"
        assert row["label"] == ("high" if row["level"] > 5 else row["rare"] if row["level"] < 3 else row["kind"])
