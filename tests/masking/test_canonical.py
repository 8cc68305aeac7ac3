"""Canonical texts: equal values of different types have equal texts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.canonical import texts_of
from masking.errors import MaskingFailed


@given(st.integers(-(2**15), 2**15 - 1))
def test_integers_and_numerics_of_one_value_agree(number: int) -> None:
    types = [pa.int16(), pa.int32(), pa.int64(), pa.decimal128(10, 0), pa.decimal128(38, 9)]
    assert {
        texts_of(pa.array([number]).cast(kind) if i < 3 else pa.array([Decimal(number)], kind))[0].as_py() for i, kind in enumerate(types)
    } == {str(number)}


@given(st.decimals(min_value=-1000, max_value=1000, places=4))
def test_numerics_of_one_value_agree_whatever_their_scale(number: Decimal) -> None:
    texts = {texts_of(pa.array([number], pa.decimal128(30, scale)))[0].as_py() for scale in (4, 6, 9)}
    assert len(texts) == 1
    assert Decimal(texts.pop()) == number


@pytest.mark.parametrize("scale", [1, 2, 4])
@given(st.lists(st.none() | st.integers(-(10**9), 10**18 - 1) | st.integers(0, 2000), max_size=20))
def test_narrow_numerics_are_written_as_wide_ones_are(scale: int, units: list[int | None]) -> None:
    numbers = pa.array([None if n is None else Decimal(n).scaleb(-scale) for n in units], pa.decimal128(18, scale))
    assert texts_of(numbers).equals(texts_of(numbers.cast(pa.decimal128(38, scale))))
    assert texts_of(numbers.slice(1)).equals(texts_of(numbers).slice(1))
    assert texts_of(numbers.filter(pa.array([n is None or n >= 0 for n in units], pa.bool_()))).to_pylist() == [
        None if n is None else f"{Decimal(n).scaleb(-scale):f}".rstrip("0").rstrip(".") for n in units if n is None or n >= 0
    ]


@given(st.lists(st.none() | st.uuids(), max_size=5))
def test_uuids_agree_with_their_text(uuids: list[UUID | None]) -> None:
    values = pa.array([None if u is None else u.bytes for u in uuids], pa.uuid())
    assert texts_of(values).to_pylist() == [None if u is None else str(u) for u in uuids]
    assert texts_of(values.slice(1)).to_pylist() == [None if u is None else str(u) for u in uuids[1:]]


def test_other_types_have_a_text_and_nested_ones_none() -> None:
    assert texts_of(pa.array([date(2020, 2, 29), None])).to_pylist() == ["2020-02-29", None]
    assert texts_of(pa.array([b"\xff\x00"], pa.binary())).to_pylist() == ["ff00"]
    assert texts_of(pa.array([1.0, 0.5])).to_pylist() == ["1", "0.5"]
    with pytest.raises(MaskingFailed):
        texts_of(pa.array([[1]]))
