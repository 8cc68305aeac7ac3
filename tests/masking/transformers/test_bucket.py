"""bucket: ranges, and what stands for them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerInvalid, TransformerUnfit
from masking.transformers.registry import read

from .columns import context, mask, masker_for

D = dt.date


@pytest.mark.parametrize(
    ("type", "parameters", "before", "after"),
    [
        ("integer", 10, [37, 40, -1, None], [30, 40, -10, None]),
        ("integer", {"width": 10, "as": "midpoint"}, [37, -1], [35, -5]),
        ("integer", {"width": 10, "origin": 5}, [14, 15, 4], [5, 15, -5]),
        ("integer", {"edges": [18, 65]}, [17, 18, 64, 65, 90], [17, 18, 18, 65, 65]),
        ("integer", {"edges": [18, 65], "as": "midpoint"}, [3, 20, 90], [17, 41, 65]),
        ("numeric", 0.25, [Decimal("1.30"), Decimal("-0.01")], [Decimal("1.25"), Decimal("-0.25")]),
        ("numeric", {"edges": [0, 9.99], "as": "midpoint"}, [Decimal("5")], [Decimal("4.99")]),
        ("double", {"width": 10, "as": "midpoint"}, [37.5, float("-inf")], [35.0, float("-inf")]),
        ("smallint", 20_000, [2**15 - 1, -(2**15)], [20_000, -(2**15)]),
        ("wide", {"edges": [10**28]}, [Decimal(10**28), Decimal(10**27)], [Decimal(10**28), Decimal("9" * 28 + ".999999999")]),
        ("text", 10, ["37", " 41 ", "x", "-3.5", None, "1e5", "9" * 40], ["30-40", "40-50", "*", "-10-0", None, "*", "*"]),
        ("text", {"edges": [18, 65]}, ["17", "18", "70"], ["<18", "18-65", "65+"]),
        ("text", {"width": 2.5, "as": "lower"}, ["4"], ["2.5"]),
        ("text", {"width": 5, "as": "midpoint"}, ["4"], ["2.5"]),
        ("text", {"edges": [0, Decimal("98765432109876543210.123456789")]}, ["5"], ["0-98765432109876543210.123456789"]),
        ("char", 10_000, ["12345"], ["*"]),  # the label does not fit
        ("date", "30d", [D(2024, 5, 15), D(1970, 1, 5), D(1970, 1, 4)], [D(2024, 4, 21), D(1970, 1, 5), D(1969, 12, 6)]),
        ("date", {"edges": ["1980-01-01", "2000-01-01"]}, [D(1979, 12, 31), D(1980, 1, 1), D(2024, 1, 1)], [D(1979, 12, 31), D(1980, 1, 1), D(2000, 1, 1)]),
        ("date", {"width": "7d", "origin": "2024-01-01", "as": "midpoint"}, [D(2024, 1, 3)], [D(2024, 1, 4)]),
        ("timestamp", {"width": "6h"}, [dt.datetime(2024, 1, 1, 13)], [dt.datetime(2024, 1, 1, 12)]),
        ("date", {"width": "900000d", "origin": "2024-01-01"}, [D(2, 1, 1)], [D(1, 1, 1)]),
    ],
)  # fmt: skip
def test_one_value_stands_for_each_range(type: str, parameters: Any, before: list[Any], after: list[Any]) -> None:
    assert mask({"bucket": parameters}, before, type) == after


@settings(max_examples=50)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20), st.integers(2, 2**40))
def test_a_value_lies_in_its_range(values: list[int], width: int) -> None:
    for value, lower in zip(values, mask({"bucket": width}, values, "integer")):
        assert lower <= value < lower + width and (lower % width == 0 or lower == -(2**31))


@pytest.mark.parametrize("parameters", [{}, {"width": 1, "edges": [1]}, {"edges": [1], "origin": 0}, {"edges": []}])
def test_width_or_edges_must_be_given(parameters: Any) -> None:
    with pytest.raises(TransformerInvalid):
        read({"bucket": parameters}, "t.c")


@pytest.mark.parametrize(
    ("type", "parameters", "says"),
    [
        ("integer", {"width": 10, "as": "label"}, "a label is text"),
        ("integer", {"edges": [5, 3]}, "'edges' must ascend"),
        ("integer", {"width": 0}, "'width' must be greater than 0"),
        ("integer", "10d", "'width' must be a number"),
        ("date", 10, "'width' must be a length of time"),
        ("date", "6h", "'width' must be whole days"),
        ("date", "soon", "soon"),
        ("integer", {"edges": ["x"]}, "not one of type integer"),
        ("smallint", {"edges": [100_000]}, "not one of type smallint"),
        ("integer", {"edges": [18, 19, 65]}, "the range from 18 on holds one value, which would stay"),
        ("date", {"edges": ["2024-01-01", "2024-01-02"]}, "the range from 2024-01-01 on holds one value"),
        ("numeric", {"edges": [1, "1.01"]}, "the range from 1 on holds one value"),
        ("smallint", {"edges": [0, 2**15 - 1]}, "the range from 32767 on holds one value"),
        ("smallint", {"edges": [-(2**15) + 1, 0]}, "the range below -32767 holds one value"),
    ],
)
def test_ranges_that_the_type_does_not_have_are_refused(type: str, parameters: Any, says: str) -> None:
    with pytest.raises(TransformerUnfit) as caught:
        masker_for({"bucket": parameters}, context(type))
    assert says in str(caught.value)


def test_a_check_of_the_column_holds_afterwards() -> None:
    assert mask({"bucket": 10}, [19, 25], "integer", checks=["c >= 18"]) == [18, 20]
