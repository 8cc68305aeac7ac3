"""keep, null and constant: as it is, nothing, one value."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from masking.errors import TransformerUnfit

from .columns import context, mask, masker_for


def test_keep_keeps() -> None:
    assert mask("keep", ["a", None, ""]) == ["a", None, ""]
    assert mask("keep", [["a"], None, []], "array") == [["a"], None, []]
    assert mask("keep", ['{"a": 1.0}'], "json") == ['{"a": 1.0}']


def test_null_leaves_nothing() -> None:
    assert mask("null", ["a", None], "text") == [None, None]
    assert mask("null", [["a"]], "array") == [None]


def test_null_is_refused_where_none_may_be() -> None:
    with pytest.raises(TransformerUnfit, match="t.c: 'null' does not fit: the column is NOT NULL; use constant"):
        masker_for("null", context("text", null=False))


@pytest.mark.parametrize(
    ("type", "value", "before", "after"),
    [
        ("text", "x", ["a", None], ["x", None]),
        ("integer", 0, [5, None], [0, None]),
        ("smallint", "7", [5], [7]),
        ("numeric", 1.5, [Decimal(2), None], [Decimal("1.50"), None]),
        ("double", "0.1", [1.0], [0.1]),
        ("boolean", False, [True, None], [False, None]),
        ("date", "2000-01-01", [dt.date(2024, 5, 5)], [dt.date(2000, 1, 1)]),
        ("date", dt.date(2000, 1, 1), [dt.date(2024, 5, 5)], [dt.date(2000, 1, 1)]),
        ("timestamp", "2000-01-01T08:00:00", [dt.datetime(2024, 5, 5)], [dt.datetime(2000, 1, 1, 8)]),
        ("time", "08:30", [dt.time(9)], [dt.time(8, 30)]),
        ("json", {"a": [1, "x"]}, ['{"b":2}', None], ['{"a":[1,"x"]}', None]),
        ("json", "{}", ["[1]"], ["{}"]),
        ("array", ["x"], [["a", "b"], None], [["x"], None]),
        ("enum", "b", ["a"], ["b"]),
        ("bytes", "x", [b"a"], [b"x"]),
    ],
)
def test_constant_is_written_as_the_type_is(type: str, value: Any, before: list[Any], after: list[Any]) -> None:
    assert mask({"constant": {"value": value}}, before, type) == after


@pytest.mark.parametrize(
    ("type", "value", "why"),
    [
        ("smallint", 40_000, "not one of type smallint"),
        ("integer", 1.5, "not one of type integer"),
        ("numeric", "1.234", r"not one of type numeric\(10,2\)"),
        ("numeric", "123456789.00", r"not one of type numeric\(10,2\)"),
        ("char", "abcdef", "is longer than 5 characters"),
        ("enum", "c", "is not of enum"),
        ("json", "{", "not one of type json"),
        ("date", "yesterday", "not one of type date"),
        ("uuid", "1", "not one of type uuid"),
        ("boolean", "maybe", "not one of type boolean"),
        ("array", "x", r"not one of type text\[\]"),
        ("double", float("inf"), "not one of type double"),
        ("text", ["x"], "not one of type text"),
    ],
)
def test_a_constant_that_the_column_cannot_hold_is_refused_without_showing_it(type: str, value: Any, why: str) -> None:
    with pytest.raises(TransformerUnfit, match=why) as caught:
        masker_for({"constant": {"value": value}}, context(type))
    assert "yesterday" not in str(caught.value) and "40" not in str(caught.value)
