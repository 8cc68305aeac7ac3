"""truncate: texts, dates, numbers, cut."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from masking.errors import TransformerUnfit

from .columns import TYPES, context, mask, masker_for

MOMENT = dt.datetime(2024, 5, 15, 13, 14, 15, 16)
UTC = dt.UTC


@pytest.mark.parametrize(
    ("type", "to", "before", "after"),
    [
        ("text", 3, ["abcdef", "ab", "", None, "日本語日本"], ["abc", "a", "", None, "日本語"]),
        ("text", 4, ["Anna", "Jörg", "x", "12345"], ["An", "Jö", "", "1234"]),  # no text stays whole
        ("text", 0, ["abc"], [""]),
        ("date", "year", [dt.date(2024, 5, 15), None, dt.date(1, 1, 1), dt.date(9999, 12, 31)], [dt.date(2024, 1, 1), None, dt.date(1, 1, 1), dt.date(9999, 1, 1)]),
        ("date", "quarter", [dt.date(2024, 5, 15), dt.date(1969, 12, 31)], [dt.date(2024, 4, 1), dt.date(1969, 10, 1)]),
        ("date", "month", [dt.date(2024, 2, 29)], [dt.date(2024, 2, 1)]),
        ("date", "week", [dt.date(2024, 5, 15), dt.date(2024, 5, 13), dt.date(1969, 12, 31)], [dt.date(2024, 5, 13), dt.date(2024, 5, 13), dt.date(1969, 12, 29)]),
        ("timestamp", "hour", [MOMENT, dt.datetime(1900, 1, 1, 5, 59)], [dt.datetime(2024, 5, 15, 13), dt.datetime(1900, 1, 1, 5)]),
        ("timestamp", "second", [MOMENT], [MOMENT.replace(microsecond=0)]),
        # the hour that Vienna repeats in autumn is two hours in UTC
        ("timestamptz", "hour", [dt.datetime(2024, 10, 27, 0, 30, tzinfo=UTC), dt.datetime(2024, 10, 27, 1, 30, tzinfo=UTC)], [dt.datetime(2024, 10, 27, 0, tzinfo=UTC), dt.datetime(2024, 10, 27, 1, tzinfo=UTC)]),
        ("time", "minute", [dt.time(23, 59, 59, 999999)], [dt.time(23, 59)]),
        ("integer", 1000, [1999, -1999, 999, 2**31 - 1, -(2**31)], [1000, -1000, 0, 2147483000, -2147483000]),
        ("bigint", 10**18, [2**63 - 1, -(2**63)], [9 * 10**18, -9 * 10**18]),
        ("numeric", 0.5, [Decimal("1.99"), Decimal("-1.99")], [Decimal("1.50"), Decimal("-1.50")]),
        ("double", 0.25, [1.99, -1.99, float("inf")], [1.75, -1.75, float("inf")]),
    ],
)  # fmt: skip
def test_values_are_cut(type: str, to: object, before: list[Any], after: list[Any]) -> None:
    assert mask({"truncate": to}, before, type) == after


def test_the_infinity_of_a_database_stays() -> None:
    infinite = pa.array([2**63 - 1, -(2**63)], pa.int64()).cast(pa.timestamp("us"))
    masked = masker_for({"truncate": "month"}, context("timestamp")).apply(infinite, None)
    assert masked.equals(infinite)


@pytest.mark.parametrize(
    ("type", "to", "says"),
    [
        ("date", "hour", "'to' must be one of year, quarter, month, week for a column of type date"),
        ("time", "day", "'to' must be one of hour, minute, second"),
        ("date", 3, "'to' must be one of year"),
        ("text", "month", "'to' must be a number for a column of type text"),
        ("text", 1.5, "a whole number of characters"),
        ("integer", 0, "must be greater than 0"),
        ("integer", 0.5, "0.5 is finer than the column, which is integer"),
        ("numeric", 0.001, "0.001 is finer than the column, which is numeric"),
    ],
)
def test_what_does_not_go_with_the_type_is_refused(type: str, to: object, says: str) -> None:
    with pytest.raises(TransformerUnfit) as caught:
        masker_for({"truncate": to}, context(TYPES[type]))
    assert says in str(caught.value)
