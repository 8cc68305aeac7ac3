"""Decimals that are written as texts, exactly or not at all."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decimal_texts import decimals

WIDE = pa.decimal128(38, 9)


@settings(max_examples=30)
@given(st.lists(st.none() | st.decimals(-(10**29) + 1, 10**29 - 1, places=9), max_size=20))
def test_what_fits_comes_as_it_was_written(values: list[Decimal | None]) -> None:
    texts = pa.array([None if v is None else format(v, "f") for v in values], pa.string())
    assert decimals(texts, WIDE).to_pylist() == values


@given(st.integers(30, 400), st.integers(1, 9))
def test_what_is_too_wide_is_refused_and_never_wrapped_around(digits: int, first: int) -> None:
    for text in (str(first) + "0" * (digits - 1), "-" + str(first) * digits, "0." + "0" * digits + str(first)):
        for type in (WIDE, pa.decimal128(12, 2), pa.decimal128(29, 29)):
            with pytest.raises(pa.ArrowInvalid):
                decimals(pa.array(["0", text]), type)


def test_every_precision_is_held_to_its_width() -> None:
    for precision in range(1, 39):
        for scale in range(precision + 1):
            type, whole = pa.decimal128(precision, scale), precision - scale
            for digits in range(40):
                text = "9" * digits or "0"
                if digits <= whole:
                    assert decimals(pa.array([text]), type)[0].as_py() == Decimal(text)
                else:
                    with pytest.raises(pa.ArrowInvalid):
                        decimals(pa.array([text]), type)


@pytest.mark.parametrize("text", ["nan", "NaN" * 20, "", "1.2.3", "Infinity"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(pa.ArrowInvalid):
        decimals(pa.array([text]), WIDE)


def test_zeros_at_the_end_take_no_room() -> None:
    assert decimals(pa.array(["1.5" + "0" * 60]), WIDE).to_pylist() == [Decimal("1.500000000")]
