"""What is checked of masked values before anything is written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from masking.errors import MaskingFailed
from masking.fitting import fitted
from schemas.model import Column, Rows, Table
from schemas.types import SqlType


def put(values: pa.Array, type: SqlType, null: bool = True, raw: pa.Array | None = None) -> pa.Array:
    column = Column("c", type, 0.0 if null else None)
    return fitted(values, column, Table("t", (column,), Rows(1)), pa.nulls(len(values)) if raw is None else raw)


@pytest.mark.parametrize(
    ("values", "type"),
    [
        (pa.array([1, None], pa.int64()), SqlType("smallint")),
        (pa.array([1], pa.int32()), SqlType("numeric", 5, 2)),
        (pa.array(["a", None], pa.large_string()), SqlType("varchar", length=1)),
        (pa.array(["日本"]), SqlType("char", length=2)),
        (pa.array(["a"]).dictionary_encode(), SqlType("enum", values=("a", "b"))),
        (pa.array(["{}", "null", "1e999"]), SqlType("json")),
        (pa.array([Decimal("1.50")], pa.decimal128(38, 9)), SqlType("numeric", 5, 2)),
        (pa.array([["a"], None, [None]]), SqlType("array", item=SqlType("varchar", length=1))),
        (pa.array([], pa.string()), SqlType("enum", values=("a",))),
    ],
)
def test_what_fits_takes_the_type_of_the_column(values: pa.Array, type: SqlType) -> None:
    found = put(values, type)
    assert found.type == type.arrow and len(found) == len(values)


SECRET = "ann@example.org"


@pytest.mark.parametrize(
    ("values", "type", "says"),
    [
        (pa.array([1, 40_000, 50_000, 40_000]), SqlType("smallint"), "3 of 4 masked values are not of type smallint"),
        (pa.array(["1", SECRET]), SqlType("integer"), "1 of 2 masked values are not of type integer"),
        (pa.array([1.5, 2.0]), SqlType("integer"), "1 of 2 masked values are not of type integer"),
        (pa.array([Decimal("1.234")]), SqlType("numeric", 5, 2), "1 of 1 masked values are not of type numeric(5,2)"),
        (pa.array([SECRET, "a", None]), SqlType("varchar", length=3), "1 times it is longer than 3 characters (of 3 values looked at)"),
        (pa.array([SECRET, None]), SqlType("enum", values=("a",)), "1 times it is not of enum(a)"),
        (pa.array([SECRET, "{}", "[NaN]"]), SqlType("json"), "2 times it is not JSON"),
        (pa.array([[SECRET, "a"]]), SqlType("array", item=SqlType("char", length=1)), "1 times it has an item that is longer than 1 characters"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_counted_and_not_shown(values: pa.Array, type: SqlType, says: str) -> None:
    with pytest.raises(MaskingFailed) as caught:
        put(values, type)
    assert str(caught.value).startswith("t.c: ") and says in str(caught.value) and "ann@" not in str(caught.value)
    assert caught.value.exit_code == 1


def test_digits_beyond_the_precision_are_found_though_arrow_carries_them() -> None:
    raw = pa.py_buffer((10**5).to_bytes(16, "little") + (10**5 - 1).to_bytes(16, "little") + (2**128 - 10**5).to_bytes(16, "little"))
    values = pa.Array.from_buffers(pa.decimal128(5, 2), 3, [None, raw])
    with pytest.raises(MaskingFailed, match="2 times it has more than 5 digits"):
        put(values, SqlType("numeric", 5, 2))


@pytest.mark.parametrize("values", [[None, "a"], [None]])
def test_null_is_refused_where_none_may_be(values: list[Any]) -> None:
    assert put(pa.array(values, pa.string()), SqlType("text")).null_count == 1
    with pytest.raises(MaskingFailed, match="1 times it is null, and the column is NOT NULL"):
        put(pa.array(values, pa.string()), SqlType("text"), null=False)


@pytest.mark.parametrize(
    ("raw", "mending"),
    [
        ("ann", "mask it in the policy by what is short enough (`hash: {length: 3}`, `truncate: {to: 3}`), or `drop` it"),
        (SECRET, "values of the source itself do not fit varchar(3), so change the column's type there, or mask it in the policy by"),
    ],
)
def test_what_is_too_long_says_what_is_short_enough_and_whether_the_source_is(raw: str, mending: str) -> None:
    with pytest.raises(MaskingFailed) as caught:
        put(pa.array(["annabel"]), SqlType("varchar", length=3), raw=pa.array([raw]))
    assert f"(of 1 values looked at); {mending}" in str(caught.value) and "ann" not in str(caught.value)


def test_what_breaks_another_promise_is_masked_by_another_transformer() -> None:
    with pytest.raises(MaskingFailed, match=r"looked at\); mask it by another transformer in the policy, or `drop` it$"):
        put(pa.array(["b"]), SqlType("enum", values=("a",)))
