"""Sequences with gaps: unique, about in order, the same at any scale, and followed by references."""

from __future__ import annotations

import numpy as np
import pytest

from datagen import RecipeError
from schemas.errors import SchemaError
from tests.datagen.making import column_of, source_of


def numbers(rows: int, written: str = "{sequence: {gaps: 8}}", **options: object) -> np.ndarray:
    return np.asarray(column_of(written, rows=rows, **options))


def test_numbers_are_distinct_and_rise_from_window_to_window():
    found = numbers(10_000)
    assert len(np.unique(found)) == 10_000
    assert found.min() >= 1
    assert found.max() <= -(-10_000 // 256) * 256 * 8
    windows = (found - 1) // (256 * 8)
    assert (windows == np.arange(10_000) // 256).all()


def test_within_a_window_numbers_come_in_no_order_and_use_all_of_it():
    found = numbers(256 * 400)
    inside = (found - 1) % (256 * 8)
    assert len(np.unique(inside)) == 256 * 8
    rises = (np.diff(inside) > 0).mean()
    assert 0.48 < rises < 0.52  # 320 parts in 100,000 are one standard deviation: 6 of them
    first, second = inside[:256], inside[256:512]
    assert set(first) != set(second)


def test_a_longer_table_begins_with_a_shorter_one():
    assert (numbers(5000)[:700] == numbers(700)).all()


def test_start_step_and_format_are_kept():
    found = numbers(3000, "{sequence: {start: 100, step: -3, gaps: 4}}")
    assert len(np.unique(found)) == 3000
    assert found.max() <= 100
    assert ((found - 100) % 3 == 0).all()
    texts = column_of('{sequence: {gaps: 4, format: "T-{n:07}"}}', "varchar(9)", rows=3000).to_pylist()
    assert len(set(texts)) == 3000
    assert {len(t) for t in texts} == {9}


def test_references_name_the_numbers_that_are_there():
    made = source_of("""tables:
  p: {rows: 900, columns: {id: {type: bigint, key: true, generate: {sequence: {gaps: 8}}}, x: {type: int, generate: {uniform: [0, 99]}}}}
  c: {rows: 4000, columns: {id: {type: bigint, key: true}, p_id: {references: p.id}, x: {type: int, generate: {from: p_id.x}}}}
""")
    parents = made.read("p").read_all().to_pydict()
    value = dict(zip(parents["id"], parents["x"], strict=True))
    children = made.read("c").read_all().to_pydict()
    assert [value[p] for p in children["p_id"]] == children["x"]
    assert len(set(children["p_id"])) > 800


def test_numbers_that_a_type_cannot_hold_and_impossible_gaps_are_refused():
    with pytest.raises(RecipeError, match=r"which smallint cannot hold"):
        numbers(5000, type="smallint")
    with pytest.raises(RecipeError, match=r"needs 7 characters and varchar\(6\) has 6"):
        column_of('{sequence: {gaps: 4, format: "T-{n}"}}', "varchar(6)", rows=5000)
    for gaps in (0, 1_000_001):
        with pytest.raises(SchemaError, match="gaps of sequence must lie between 1 and 1,000,000"):
            numbers(10, f"{{sequence: {{gaps: {gaps}}}}}")
    assert (numbers(10, "{sequence: {gaps: 1}}") == np.arange(1, 11)).all()
