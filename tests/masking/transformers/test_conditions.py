"""when and else: which rows are masked by which transformer, and what a condition may say."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import MaskingFailed, TransformerUnfit
from masking.transformers.base import Learner
from masking.transformers.conditions import Condition, Conditional
from masking.transformers.registry import read
from schemas.model import Column

from .columns import TYPES, context, cuts, in_batches, rows_of

OTHERS = [Column(name, type, 0.0) for name, type in TYPES.items()]
AT = context("text", others=OTHERS)


def choose(when: str, mask: Any = "null", otherwise: Any = "keep") -> Conditional:
    return Conditional(read(mask, "t.c"), when, read(otherwise, "t.c"))


def masked(when: str, values: list[Any], mask: Any = "null", otherwise: Any = "keep", **columns: pa.Array) -> list[Any]:
    array = pa.array(values, pa.string())
    masker = choose(when, mask, otherwise).bind(AT)
    if isinstance(masker, Learner):
        masker.learn(array, rows_of(array, **columns))
        masker.finish()
    return masker.apply(array, rows_of(array, **columns)).to_pylist()


def test_rows_that_the_condition_accepts_are_masked_and_null_is_not_accepted() -> None:
    countries = pa.array(["DE", "AT", None, "DE"])
    assert masked("text = 'DE'", ["abc"] * 4, {"truncate": 1}, {"truncate": 2}, text=countries) == ["a", "ab", "ab", "a"]
    assert masked("NOT text = 'DE'", ["abc"] * 4, {"truncate": 1}, {"truncate": 2}, text=countries) == ["ab", "a", "ab", "ab"]


@pytest.mark.parametrize(
    ("when", "column", "values", "holds"),
    [
        ("integer % 2 = 0", "integer", [1, 2, None], [False, True, False]),
        ("numeric = 1.10", "numeric", [Decimal("1.1"), Decimal("1.11")], [True, False]),
        ("wide > 12345678901234567890", "wide", [Decimal("12345678901234567890"), Decimal("12345678901234567891")], [False, True]),
        ("date >= '2024-01-01'", "date", [dt.date(2023, 12, 31), dt.date(2024, 1, 1)], [False, True]),
        ("extract(year from date) = 2024", "date", [dt.date(2024, 5, 5)], [True]),
        ("timestamptz < '2024-03-31T01:00:00Z'", "timestamptz", [dt.datetime(2024, 3, 31, tzinfo=dt.UTC), dt.datetime(2024, 3, 31, 1, tzinfo=dt.UTC)], [True, False]),
        ("text LIKE 'a\\_%' OR text ILIKE 'B%'", "text", ["a_1", "ab", "bx"], [True, False, True]),
        ("text IN ('a', 'b') AND text <> 'a'", "text", ["a", "b", None], [False, True, False]),
        ("text IS NULL", "text", ["a", None], [False, True]),
        ("text IS DISTINCT FROM 'a'", "text", ["a", None], [False, True]),
        ("coalesce(lower(trim(text)), 'x') = 'x'", "text", [" X ", None, "y"], [True, True, False]),
        ("CASE WHEN boolean THEN integer IS NULL ELSE false END", "boolean", [True, False], [True, False]),
        ("boolean", "boolean", [True, False, None], [True, False, False]),
        ("uuid = '00000000-0000-0000-0000-000000000001'", "uuid", [b"\0" * 15 + b"\1", b"\0" * 16], [True, False]),
        ("enum = 'a'", "enum", ["a", "b"], [True, False]),
        ("t.TEXT = 'a'", "text", ["a"], [True]),
        ("text::integer = 5", "text", ["5", "6"], [True, False]),
        ("1 = 1", "text", ["a"], [True]),
    ],
)  # fmt: skip
def test_conditions_are_evaluated_as_sql(when: str, column: str, values: list[Any], holds: list[bool]) -> None:
    array = (
        pa.array(values, TYPES[column].arrow)
        if column != "uuid"
        else pa.ExtensionArray.from_storage(pa.uuid(), pa.array(values, pa.binary(16)))
    )
    columns = {"boolean": pa.nulls(len(values), pa.bool_()), "integer": pa.nulls(len(values), pa.int32()), column: array}
    rows = rows_of(pa.array([None] * len(values), pa.string()), **columns)
    assert Condition(when, AT.table, "t.c").holds(rows).tolist() == holds


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("tex = 'a'", "there is no column 'tex' in t; did you mean 'text'?"),
        ("u.text = 'a'", "there is no column 'u.text' in t"),
        ("\"TEXT\" = 'a'", "there is no column 'TEXT' in t"),
        ("text = (SELECT 'a')", "not a query"),
        ("EXISTS (SELECT 1)", "not a query"),
        ("text IN (SELECT 'a')", "not a query"),
        ("random() > 0.5", "may not be used"),
        ("now() > timestamp", "the function current_timestamp may not be used"),
        ("read_text('/etc/passwd') = 'a'", "the function read_text may not be used"),
        ("text ~ '(a+)+$'", "may not be used"),
        ("count(*) > 1", "may not be used"),
        ("row_number() OVER () = 1", "may not be used"),
        ("text", "it must be true or false for a row"),
        ("1", "it must be true or false for a row"),
        ("text > 5", "its parts do not go together"),
        ("", "it is empty"),
        ("text = 'a", "a quote or comment is not closed"),
        ("text = 'a'; DROP TABLE batch", "not"),
        ("text = 'a' --", ""),
        ("text == ", ""),
    ],
)
def test_what_a_condition_may_not_say_is_refused_before_any_row(when: str, says: str) -> None:
    if when == "text = 'a' --":  # a comment does no harm
        Condition(when, AT.table, "t.c")
        return
    with pytest.raises(TransformerUnfit) as caught:
        Condition(when, AT.table, "t.c")
    assert str(caught.value).startswith("t.c: the condition of `when` is wrong: ") and says in str(caught.value)


def test_a_condition_that_fails_for_a_row_does_not_show_the_row() -> None:
    rows = rows_of(pa.array(["a"]), text=pa.array(["ann@example.org"]))
    with pytest.raises(MaskingFailed) as caught:
        Condition("text::integer = 5", AT.table, "t.c").holds(rows)
    assert "ann@" not in str(caught.value) and caught.value.__cause__ is None


def test_a_transformer_that_does_not_fit_is_refused_on_either_side() -> None:
    for mask, otherwise in (({"round": 1}, "keep"), ("keep", {"round": 1})):
        with pytest.raises(TransformerUnfit, match="'round' does not fit"):
            choose("text = 'a'", mask, otherwise).bind(AT)


def test_what_is_learnt_is_learnt_from_the_accepted_rows() -> None:
    at = context("integer", others=OTHERS)
    masker = choose("text = 'a'", {"top_bottom": {"percentiles": [0, 50]}}).bind(at)
    values, columns = pa.array([1, 2, 9, 99], pa.int32()), {"text": pa.array(["a", "a", "a", "b"])}
    assert in_batches(masker, values, rows_of(values, **columns), [2]).to_pylist() == [1, 2, 2, 99]


def test_arrays_and_documents_may_be_conditional() -> None:
    at = context("json", others=OTHERS)
    values = pa.array(['{"a":"xyz"}', '{"a":"xyz"}'])
    assert choose("id = 0", {"truncate": 1}, "null").bind(at).apply(values, rows_of(values)).to_pylist() == ['{"a":"x"}', None]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.none() | st.text(max_size=3), st.none() | st.sampled_from("ab")), max_size=20), cuts)
def test_batches_change_nothing_and_no_row_is_lost(pairs: list[tuple[str | None, str | None]], places: list[int]) -> None:
    values, columns = pa.array([p[0] for p in pairs], pa.string()), {"text": pa.array([p[1] for p in pairs], pa.string())}
    result = in_batches(choose("text = 'a'", {"template": "{hash:8}"}).bind(AT), values, rows_of(values, **columns), places).to_pylist()
    for (value, kind), found in zip(pairs, result):
        assert found == value if kind != "a" or value is None else len(found) == 8


def test_whole_numbers_are_divided_as_postgresql_divides_them() -> None:
    at = context("integer")
    condition = Condition("c / 2 = 3 OR c / 2 = -3", at.table, "t.c")
    assert condition.holds(rows_of(pa.array([6, 7, -7, 8], pa.int32()))).tolist() == [True, True, True, False]


def test_the_time_zone_of_the_machine_changes_nothing() -> None:
    script = (
        "import pyarrow as pa; from masking.transformers.conditions import Condition\n"
        "from tests.masking.transformers.columns import context, rows_of\n"
        "at = context('timestamptz'); values = pa.array([1_704_074_400_000_000], at.column.type.arrow)\n"  # 2024-01-01 02:00 UTC
        "print(Condition('extract(year FROM c) = 2024', at.table, 't.c').holds(rows_of(values)).tolist())"
    )
    run = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TZ": "America/New_York"}, capture_output=True, text=True)
    assert run.stdout == "[True]\n", run.stderr
