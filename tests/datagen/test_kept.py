"""What is kept of small tables, and how rows are found by weight, changes no value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen import plan
from datagen.kept import Budget, Kept
from datagen.links import Guide
from tests.datagen.making import source_of

LOOKED_UP = """tables:
  brands: {rows: 60, columns: {id: {type: bigint, key: true}, name: {type: text, null: 0.1, generate: {words: 2}}}}
  parts:
    rows: 3000
    columns:
      id:       {type: bigint, key: true}
      brand_id: {references: brands.id, null: 0.2}
      price:    {type: "numeric(9,2)", generate: {uniform: [1, 99]}}
  sales:
    rows: 9000
    columns:
      id:      {type: bigint, key: true}
      part_id: {references: parts.id, null: 0.1}
      price:   {type: "numeric(9,2)", null: 0, generate: {from: part_id.price}}
      brand:   {type: text, null: 0, generate: {from: part_id.brand_id.name}}
      maker:   {references: brands.id, null: 0, generate: {from: part_id.brand_id}}
"""


def sales(**options: object) -> list[dict]:
    made = source_of(LOOKED_UP, **options)
    rows: list[dict] = []
    for start in range(0, 9000, 300):
        rows += made.read_rows("sales", start, start + 300).to_pylist()
    return rows


def test_rows_are_the_same_whether_or_not_their_parents_are_kept(monkeypatch):
    kept = source_of(LOOKED_UP)
    for start in range(0, 9000, 300):
        kept.read_rows("sales", start, start + 300)
    assert kept.plan.tables["parts"].kept.find(("column", "price")) is not None
    with_kept = kept.read_rows("sales", 0, 9000).to_pylist()
    assert with_kept == sales()
    monkeypatch.setattr(plan, "MOST_ROWS", 0)
    assert with_kept == sales()
    assert any(row["price"] is None for row in with_kept) and any(row["brand"] is None for row in with_kept)


def test_a_whole_is_made_once_it_pays_and_where_there_is_room():
    def make(rows: range) -> pa.Array:
        return pa.array(np.arange(rows.start, rows.stop))

    kept = Kept(100_000, Budget(900_000))
    kept.note("a", 60_000, False, make)
    assert kept.find("a") is None
    kept.note("a", 60_000, False, make)
    assert kept.find("a").equals(make(range(100_000)))
    kept.note("b", 20_000, True, make)  # would pay, as scattered rows cost more, but there is no room
    assert kept.find("b") is None


@given(st.lists(st.integers(0, 50), min_size=1, max_size=80).filter(any), st.integers(1, 10**12))
def test_a_guide_finds_what_a_search_finds(weights, factor):
    totals = np.concatenate([[0], np.cumsum(np.array(weights, np.int64) * factor)])
    rising = np.arange(totals[-1]) if totals[-1] < 5000 else np.linspace(0, int(totals[-1]) - 1, 5000).astype(np.int64)
    targets = np.clip(rising, 0, totals[-1] - 1)
    assert (Guide(totals).find(targets) == np.searchsorted(totals, targets, side="right") - 1).all()


@pytest.mark.parametrize("depth", [1, 9, 200])
def test_a_guide_finds_places_among_many_that_are_close_together(depth):
    totals = np.concatenate([np.arange(depth + 1), [2**40]])
    targets = np.concatenate([np.arange(depth + 1), [2**40 - 1]])
    assert (Guide(totals).find(targets) == np.searchsorted(totals, targets, side="right") - 1).all()


def test_references_to_a_table_without_rows_are_null():
    made = source_of("""tables:
  codes: {rows: {fixed: 0}, columns: {code: {type: uuid, key: true}, name: {type: text, generate: {words: 2}}}}
  notes:
    rows: 3
    columns:
      id:   {type: bigint, key: true}
      code: {references: codes.code, null: 0}
      name: {type: text, null: 0, generate: {from: code.name}}
      copy: {references: codes.code, null: 0, generate: {from: code}}
""")
    assert made.read("notes").read_all().select(["code", "name", "copy"]).to_pylist() == [{"code": None, "name": None, "copy": None}] * 3
