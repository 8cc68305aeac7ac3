"""top_bottom: extremes brought to a limit."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import TransformerInvalid, TransformerUnfit
from masking.transformers.registry import read

from .columns import context, mask, masker_for, rows_of

D = dt.date


@pytest.mark.parametrize(
    ("type", "parameters", "before", "after"),
    [
        ("integer", {"bottom": 10, "top": 90}, [5, 10, 50, 95, None], [10, 10, 50, 90, None]),
        ("integer", {"top": 90}, [-5, 95], [-5, 90]),
        ("numeric", {"top": 99.5}, [Decimal("99.51")], [Decimal("99.50")]),
        ("wide", {"top": "10"}, [Decimal("1e28"), Decimal(-1)], [Decimal(10), Decimal(-1)]),
        ("double", {"bottom": 0, "top": 1}, [float("inf"), float("-inf"), 0.5], [1.0, 0.0, 0.5]),
        ("date", {"bottom": "1930-01-01"}, [D(1920, 5, 5), D(1950, 1, 1)], [D(1930, 1, 1), D(1950, 1, 1)]),
        ("time", {"bottom": "08:00"}, [dt.time(3)], [dt.time(8)]),
        ("integer", {"percentiles": [10, 90]}, list(range(1, 101)), [10] * 10 + list(range(11, 90)) + [90] * 11),
        ("integer", {"percentiles": [5, 95]}, [None, None], [None, None]),
        ("date", {"percentiles": [0, 50]}, [D(2024, 1, 1), D(2024, 1, 2), D(2024, 1, 3)], [D(2024, 1, 1), D(2024, 1, 2), D(2024, 1, 2)]),
    ],
)
def test_values_are_held_between_the_limits(type: str, parameters: Any, before: list[Any], after: list[Any]) -> None:
    assert mask({"top_bottom": parameters}, before, type) == after


def test_what_is_no_number_stays_and_does_not_count() -> None:
    masked = mask({"top_bottom": {"percentiles": [0, 50]}}, [1.0, math.nan, 2.0], "double")
    assert masked[0] == 1.0 and math.isnan(masked[1]) and masked[2] == 1.0


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60), st.floats(0, 49), st.floats(51, 99))
def test_percentiles_are_by_nearest_rank(values: list[int], low: float, high: float) -> None:
    ordered = sorted(values)
    bottom, top = (ordered[max(1, math.ceil(p / 100 * len(values))) - 1] for p in (low, high))
    assert mask({"top_bottom": {"percentiles": [low, high]}}, values, "integer") == [min(max(v, bottom), top) for v in values]


@pytest.mark.parametrize(
    "parameters", [{}, {"top": 1, "percentiles": [1, 99]}, {"percentiles": [99, 1]}, {"percentiles": [1]}, {"percentiles": [1, 101]}]
)
def test_limits_or_percentiles_must_be_given(parameters: Any) -> None:
    with pytest.raises(TransformerInvalid):
        read({"top_bottom": parameters}, "t.c")


def test_limits_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TransformerUnfit, match="'bottom' is above 'top'"):
        masker_for({"top_bottom": {"bottom": 2, "top": 1}}, context("integer"))
    with pytest.raises(TransformerUnfit, match="not one of type smallint"):
        masker_for({"top_bottom": {"top": 99_999}}, context("smallint"))


def test_percentiles_without_having_read_the_column_mask_nothing() -> None:
    values = pa.array([1, 2], pa.int32())
    with pytest.raises(TransformerUnfit, match="has not read its column yet"):
        masker_for({"top_bottom": {"percentiles": [1, 99]}}, context("integer")).apply(values, rows_of(values))
