"""Equivalence classes: what looks the same is one class, in any order of the rows and any number of columns."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from masking.risk.equivalence import equivalence_classes, tuple_keys
from tests.masking.risk.tables import rows, table


def test_records_that_look_the_same_are_one_class():
    found = equivalence_classes(table("ab", [("x", "1"), ("y", "1"), ("x", "1"), ("x", "2")]), ["a", "b"])
    assert sorted(found.sizes.tolist()) == [1, 1, 2]
    assert found.of_records[0] == found.of_records[2] and len(set(found.of_records.tolist())) == 3
    assert [found.cells[0][c] for c in found.codes(0)] == ["x", "y", "x", "x"]


def test_null_and_the_empty_text_are_one_value():
    found = equivalence_classes(table("a", [("",), (None,), ("x",), (None,)]), ["a"])
    assert sorted(found.sizes.tolist()) == [1, 3]
    assert found.cells == (("", "x"),)
    assert [found.cells[0][code] for code in found.codes(0)] == ["", "", "x", ""]


def test_only_records_without_any_value_are_suppressed():
    found = equivalence_classes(table("ab", [("*", "*"), ("*", "1"), ("*", "*")]), ["a", "b"])
    assert found.suppressed_records == 2 and found.kept.tolist() == [1] and found.records == 3
    assert equivalence_classes(table("a", [("x",)]), ["a"]).suppressed_records == 0


@given(rows(3), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_their_chunks_change_no_size(found, random):
    sizes = Counter(equivalence_classes(table("abc", found), ["a", "b", "c"]).sizes.tolist())
    assert sizes == Counter(Counter(found).values())
    random.shuffle(found)
    half = len(found) // 2
    pieces = pa.concat_tables([table("abc", found[:half]), table("abc", found[half:])])
    assert Counter(equivalence_classes(pieces, ["a", "b", "c"]).sizes.tolist()) == sizes


def test_keys_of_more_columns_than_a_number_holds_stay_apart():
    first, others = np.array([0, 1, 0, 65535]), np.array([5, 5, 5, 5])
    keys = tuple_keys([first, others, others, others, others], [1 << 16] * 5)
    assert keys[0] == keys[2] and len(set(keys.tolist())) == 3


def test_very_many_columns_of_very_many_values_are_told_apart():
    names = [f"c{i}" for i in range(12)]
    many = table(names, [[str(row * 7 % 5000 if c else row % 2500) for c in range(12)] for row in range(5000)])
    found = equivalence_classes(many, names)
    assert found.sizes.tolist() == [1] * 5000
    assert {tuple(found.cells[c][t[c]] for c in range(12)) for t in found.tuples.tolist()} == set(
        zip(*[c.to_pylist() for c in many.columns])
    )
