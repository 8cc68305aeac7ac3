"""round: to the nearest multiple of a step."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerInvalid, TransformerUnfit
from masking.transformers.registry import read

from .columns import context, mask, masker_for


@pytest.mark.parametrize(
    ("type", "to", "before", "after"),
    [
        ("integer", 100, [149, 150, 250, -150, -250, None, 0], [100, 200, 200, -200, -200, None, 0]),
        ("numeric", 0.5, [Decimal("1.24"), Decimal("1.25"), Decimal("1.75")], [Decimal("1.00"), Decimal("1.00"), Decimal("2.00")]),
        ("wide", 10**27, [Decimal("12345678901234567890123456789.123456789")], [Decimal(12 * 10**27)]),
        ("double", 0.1, [0.26, -0.26, float("inf")], [0.30000000000000004, -0.30000000000000004, float("inf")]),
        ("smallint", 10_000, [2**15 - 1, -(2**15)], [30_000, -30_000]),
        ("smallint", 20_000, [2**15 - 1], [2**15 - 1]),  # 40,000 is out of range
        ("bigint", 10**19, [2**63 - 1], [2**63 - 1]),
        ("integer", 10**30, [7], [0]),
    ],
)
def test_numbers_are_rounded(type: str, to: object, before: list[Any], after: list[Any]) -> None:
    assert mask({"round": to}, before, type) == after


@settings(max_examples=50)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20), st.integers(2, 2**63))
def test_integers_are_rounded_exactly(values: list[int], step: int) -> None:
    expected = [min(max(round(Fraction(v, step)) * step, -(2**63)), 2**63 - 1) for v in values]
    assert mask({"round": step}, values, "bigint") == expected


def test_a_check_of_the_column_holds_afterwards() -> None:
    assert mask({"round": 100}, [20, 1990], "integer", checks=["c >= 18 AND c < 2000"]) == [18, 1999]


def test_a_step_must_be_positive_and_no_finer_than_the_column() -> None:
    with pytest.raises(TransformerInvalid, match="'to' must be greater than 0"):
        read({"round": 0}, "t.c")
    with pytest.raises(TransformerUnfit, match="0.001 is finer than the column"):
        masker_for({"round": 0.001}, context("numeric"))
