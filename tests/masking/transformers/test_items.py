"""Arrays: transformers apply to their items."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerUnfit
from schemas.types import SqlType

from .columns import context, cuts, in_batches, mask, masker_for, rows_of

NUMBERS = SqlType("array", item=SqlType("integer"))
DATES = SqlType("array", item=SqlType("date"))
NESTED = SqlType("array", item=SqlType("array", item=SqlType("text")))


def test_every_item_is_masked_and_lengths_order_and_nulls_stay() -> None:
    before = [["abcd", None, "ef"], None, [], ["ghij"]]
    assert mask({"truncate": 1}, before, "array") == [["a", None, "e"], None, [], ["g"]]
    assert mask({"round": 10}, [[14, 16], None, []], NUMBERS) == [[10, 20], None, []]
    assert mask({"truncate": 1}, [[["ab"], []], None], NESTED) == [[["a"], []], None]


def test_an_item_is_masked_as_the_same_value_in_a_column() -> None:
    [[item]] = mask({"template": "{hash:16}"}, [["ann"]], "array")
    assert [item] == mask({"template": "{hash:16}"}, ["ann"])


def test_items_belong_to_the_person_of_their_row() -> None:
    day = 19_000
    [[a, b], [c]] = mask("shift", [[day, day + 1], [day]], DATES, subject=["ann", "bob"])
    assert (b - a).days == 1 and a != c


def test_a_constant_replaces_the_array() -> None:
    assert mask({"constant": {"value": ["x"]}}, [["a", "b"], None], "array") == [["x"], None]


def test_a_limit_is_learnt_from_all_items() -> None:
    assert mask({"top_bottom": {"percentiles": [0, 50]}}, [[1, 2], [3, 4], None], NUMBERS) == [[1, 2], [2, 2], None]


def test_a_transformer_that_does_not_fit_the_items_is_refused() -> None:
    with pytest.raises(TransformerUnfit, match="the column is text, and it masks smallint"):
        masker_for({"round": 10}, context("array"))


@settings(max_examples=50)
@given(st.lists(st.none() | st.lists(st.none() | st.text(max_size=3), max_size=4), max_size=20), cuts)
def test_slices_of_arrays_are_masked_as_the_whole(values: list[list[str | None] | None], places: list[int]) -> None:
    at = context("array")
    array = pa.array(values, at.column.type.arrow)
    together = masker_for({"template": "{hash:8}"}, at).apply(array, rows_of(array))
    assert in_batches(masker_for({"template": "{hash:8}"}, at), array, rows_of(array), places).equals(together)
    assert [None if v is None else len(v) for v in together.to_pylist()] == [None if v is None else len(v) for v in values]
