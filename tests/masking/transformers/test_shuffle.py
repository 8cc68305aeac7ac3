"""shuffle: the same values, in other rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import MaskingFailed, TransformerUnfit
from schemas.model import Column
from schemas.types import SqlType

from .columns import OTHER_KEY, context, cuts, in_batches, mask, masker_for, rows_of

GROUP = Column("g", SqlType("text"), 0.0)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.none() | st.integers(0, 9), st.none() | st.sampled_from(["a", "ab", ""])), max_size=40), cuts)
def test_each_group_keeps_its_values_and_its_nulls(pairs: list[tuple[int | None, str | None]], places: list[int]) -> None:
    values, groups = pa.array([p[0] for p in pairs], pa.int32()), pa.array([p[1] for p in pairs], pa.string())
    masked = in_batches(masker_for({"shuffle": ["g"]}, context("integer", others=[GROUP])), values, rows_of(values, g=groups), places)
    assert masked.is_null().equals(values.is_null())
    before, after = Counter(zip(groups.to_pylist(), values.to_pylist())), Counter(zip(groups.to_pylist(), masked.to_pylist()))
    assert before == after
    for group in set(groups.to_pylist()):
        old = [v for v, g in zip(values.to_pylist(), groups.to_pylist()) if g == group and v is not None]
        new = [v for v, g in zip(masked.to_pylist(), groups.to_pylist()) if g == group and v is not None]
        if len(set(old)) > 1:
            assert old != new


@settings(max_examples=50)
@given(st.lists(st.integers(), unique=True, min_size=2, max_size=40))
def test_where_all_values_differ_every_row_gets_another_and_unique_stays_unique(values: list[int]) -> None:
    texts = [str(v) for v in values]
    masked = mask("shuffle", texts, unique=True)
    assert sorted(masked) == sorted(texts) and all(a != b for a, b in zip(masked, texts))


def test_a_value_alone_in_its_group_stays() -> None:
    groups = {"g": pa.array(["a", "b", "b"])}
    assert mask({"shuffle": ["g"]}, ["x", "y", "z"], columns=groups, others=[GROUP]) == ["x", "z", "y"]


def test_another_key_deals_otherwise() -> None:
    values = [str(v) for v in range(50)]
    assert mask("shuffle", values) == mask("shuffle", values) != mask("shuffle", values, key=OTHER_KEY)


def test_arrays_and_documents_are_dealt_whole() -> None:
    assert mask("shuffle", [["a"], ["b", "c"]], "array") == [["b", "c"], ["a"]]
    assert mask("shuffle", ['{"a":1}', "[]"], "json") == ["[]", '{"a":1}']


def test_a_table_needs_a_key_or_a_unique_set_that_is_not_null() -> None:
    at = context("text")
    keyless = replace(at.table, key=())
    with pytest.raises(TransformerUnfit, match="t has no key by which its rows are told apart"):
        masker_for("shuffle", replace(at, table=keyless))
    with pytest.raises(TransformerUnfit, match="there is no column 'gruop' in t"):
        masker_for({"shuffle": ["gruop"]}, at)
    with pytest.raises(TransformerUnfit, match="cannot be shuffled within itself"):
        masker_for({"shuffle": ["c"]}, at)


def test_rows_that_are_new_or_not_apart_are_an_error() -> None:
    at = context("text")
    values = pa.array(["a", "b"])
    masker = masker_for("shuffle", at)
    with pytest.raises(TransformerUnfit, match="has not read its column yet"):
        masker.apply(values, rows_of(values))
    masker.learn(values, rows_of(values))  # type: ignore[attr-defined]
    masker.finish()  # type: ignore[attr-defined]
    with pytest.raises(MaskingFailed, match="the source changed meanwhile"):
        masker.apply(values, rows_of(values, id=pa.array([0, 7])))
    twice = masker_for("shuffle", at)
    twice.learn(values, rows_of(values, id=pa.array([0, 0])))  # type: ignore[attr-defined]
    with pytest.raises(MaskingFailed, match="two rows have the same id"):
        twice.finish()  # type: ignore[attr-defined]
