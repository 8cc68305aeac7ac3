"""What holds for every transformer: nulls stay, types hold, any cutting into batches gives the same, and so does any order."""

from __future__ import annotations

import json
from decimal import Context as Exact
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerUnfit
from masking.fitting import fitted
from masking.transformers import TRANSFORMERS
from masking.transformers.base import Learner, Rows
from masking.transformers.registry import read
from schemas.types import KINDS, SqlType

from .columns import OTHER_KEY, TYPES, context, cuts, in_batches, masker_for, rows_of

MOMENTS = st.integers(-(2**63), 2**63 - 1)
NUMBERS: dict[str, st.SearchStrategy[Any]] = {
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "numeric": st.decimals(-99999999, 99999999, places=2),
    "wide": st.integers(-(10**38) + 1, 10**38 - 1).map(lambda units: Decimal(units).scaleb(-9, Exact(prec=40))),
    "real": st.floats(width=32),
    "double": st.floats(),
}
TIMES = {"date": st.integers(-(2**31), 2**31 - 1), "timestamp": MOMENTS, "timestamptz": MOMENTS}
TEXTS = {
    "text": st.text(),
    "varchar": st.text(max_size=12),
    "char": st.text(max_size=5),
}
OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "time": st.integers(0, 86_399_999_999),
    "interval": MOMENTS,
    "uuid": st.binary(min_size=16, max_size=16),
    "json": st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=8,
    ).map(json.dumps),
    "bytes": st.binary(max_size=8),
    "enum": st.sampled_from(["a", "b"]),
    "array": st.lists(st.none() | st.text(max_size=6), max_size=4),
}
VALUES = {**NUMBERS, **TIMES, **TEXTS, **OTHERS}

CASES: list[tuple[Any, list[str]]] = [
    ("keep", list(VALUES)),
    ("null", list(VALUES)),
    ("shuffle", list(VALUES)),
    ({"shuffle": ["id"]}, ["text"]),
    ({"constant": "1"}, ["smallint", "wide", "double", "text", "char", "json", "bytes"]),
    ({"constant": "2000-01-01"}, list(TIMES)),
    ({"template": "u{hash:4}"}, [*TEXTS, "array", "json"]),
    ({"template": "{digits:3}-{letters:2}{hash.id:2}{hash.subject:2}"}, ["text", "varchar"]),
    ({"replace": {"pattern": "[aeiou]", "with": "_"}}, [*TEXTS, "array", "json"]),
    ({"replace": {"pattern": "(.)", "with": r"\1\1", "unmatched": "null"}}, ["text", "varchar"]),
    ({"partial": {"last": 1, "hide": 2}}, [*TEXTS, "array", "json"]),
    ({"partial": {"last": 0, "first": 2, "hide": 1, "separators": False}}, list(TEXTS)),
    ("coordinates", [*TEXTS, "array", "json"]),
    ({"prefix": 2}, [*TEXTS, "array", "json"]),
    ({"prefix": {"ipv4": 24}}, ["text", "varchar"]),
    ({"truncate": 2}, [*NUMBERS, *TEXTS, "array", "json"]),
    ({"truncate": 1000}, [*NUMBERS, "json"]),
    *[({"truncate": span}, [*TIMES]) for span in ("year", "quarter", "month", "week")],
    ({"truncate": "day"}, ["timestamp", "timestamptz"]),
    ({"truncate": "hour"}, ["time", "timestamp"]),
    ({"round": 100}, [*NUMBERS, "json"]),
    ({"noise": 0.1}, [*NUMBERS, "json"]),
    ({"noise": {"spread": 1e6, "unit": "absolute", "distribution": "laplace", "sign": False}}, list(NUMBERS)),
    ({"noise": {"spread": 5, "distribution": "uniform", "per": "subject", "sign": False}}, list(NUMBERS)),
    ({"noise": {"spread": 0.5, "unit": "deviations"}}, [*NUMBERS, *TIMES, "json"]),
    ({"noise": "3d"}, [*TIMES, "interval"]),
    ({"bucket": 7}, [*NUMBERS, *TEXTS, "json"]),
    ({"bucket": {"edges": [0, 10, 1000], "as": "midpoint"}}, [*NUMBERS, "text"]),
    ({"bucket": {"width": "30d", "as": "midpoint"}}, list(TIMES)),
    ({"bucket": {"edges": ["1990-01-01", "2000-01-01"]}}, list(TIMES)),
    ({"top_bottom": {"bottom": 0, "top": 100}}, [*NUMBERS, "json"]),
    ({"top_bottom": {"percentiles": [10, 90]}}, [*NUMBERS, *TIMES, "time", "interval", "json"]),
    ({"generalise": {"hierarchy": {"a": ["c"], "0": ["d"]}}}, [*TEXTS, "array", "json"]),
    ({"shift": 30}, list(TIMES)),
    ({"shift": {"days": 400, "unit": "second"}}, list(TIMES)),
    ({"shift": {"days": 14, "unit": "week", "scope": "all"}}, list(TIMES)),
]
EACH = [(mask, type) for mask, types in CASES for type in types]


def test_every_transformer_is_among_the_cases() -> None:
    tried = {type(read(mask, "t.c")) for mask, _ in EACH}
    assert tried == {kind for kind in TRANSFORMERS if kind.__module__ in OURS}


OURS = {f"masking.transformers.{name}" for name in (
    "keep", "null", "constant", "template", "replace", "partial", "prefix", "truncate", "round", "noise", "bucket", "top_bottom",
    "generalise", "shift", "shuffle", "coordinates",
)}  # fmt: skip


def column(values: list[Any], type: SqlType) -> pa.Array:
    """Values as integers of their smallest unit, where they are times."""
    arrow = type.arrow
    if pa.types.is_temporal(arrow):
        plain = pa.array(values, pa.int32() if type.kind == "date" else pa.int64())
        return plain.cast(arrow)
    if type.kind == "uuid":
        return pa.ExtensionArray.from_storage(arrow, pa.array(values, pa.binary(16)))
    return pa.array(values, arrow)


@pytest.mark.parametrize(("mask", "types"), CASES, ids=[str(mask) for mask, _ in CASES])
@settings(max_examples=10)
@given(st.data())
def test_batches_and_order_change_nothing_nulls_stay_and_results_fit(mask: Any, types: list[str], data: st.DataObject) -> None:
    hold(mask, data.draw(st.sampled_from(types)), data)


@pytest.mark.slow
@pytest.mark.parametrize(("mask", "type"), EACH, ids=str)
@settings(max_examples=30)
@given(st.data())
def test_batches_and_order_change_nothing_nulls_stay_and_results_fit_for_each_type(mask: Any, type: str, data: st.DataObject) -> None:
    hold(mask, type, data)


def hold(mask: Any, type: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | VALUES[type], max_size=30))
    subjects = data.draw(st.lists(st.none() | st.sampled_from(["1", "2", "3"]), min_size=len(values), max_size=len(values)))
    at = context(type, subject=True)
    array, whole = column(values, at.column.type), column(values, at.column.type)
    rows = rows_of(array, subjects)
    together = in_batches(masker_for(mask, at), whole, rows, [])
    assert same(in_batches(masker_for(mask, at), array, rows, data.draw(cuts)), together)

    assert together.type == array.type and len(together) == len(array)
    if "null" not in str(mask):
        nulls = array.is_null()
        assert together.filter(nulls).null_count == nulls.true_count
        if type != "array":
            assert together.null_count == array.null_count
    if pa.types.is_temporal(array.type) and data.draw(st.booleans()):
        fitted(together, at.column, at.table, array)

    order = pa.array(data.draw(st.permutations(range(len(values)))), pa.int64())
    masker = masker_for(mask, at)
    if isinstance(masker, Learner):
        masker.learn(array, rows)
        masker.finish()
    assert same(masker.apply(array.take(order), rows.take(order)), together.take(order))


def same(a: pa.Array, b: pa.Array) -> bool:
    if pa.types.is_floating(a.type):  # NaN is equal to NaN here
        return (
            a.cast(pa.float64()).to_numpy(zero_copy_only=False).tobytes() == b.cast(pa.float64()).to_numpy(zero_copy_only=False).tobytes()
        )
    return a.equals(b)


@pytest.mark.parametrize("kind", [k for k in TRANSFORMERS if k.__module__ in OURS], ids=lambda k: k.name)
def test_a_column_of_another_type_is_refused_with_the_types_that_fit(kind: Any) -> None:
    mask = next(mask for mask, _ in EACH if (mask == kind.name if isinstance(mask, str) else kind.name in mask))
    for type in set(KINDS) - set(kind.fits) - {"json", "array"}:
        with pytest.raises(TransformerUnfit) as caught:
            masker_for(mask, context(type))
        assert str(caught.value).startswith(f"t.c: '{kind.name}' does not fit: the column is ")
        assert all(fitting in str(caught.value) for fitting in kind.fits)


@pytest.mark.parametrize("mask", [{"template": "{hash:16}"}, {"noise": 0.5}, {"shift": 30000}, "shuffle"], ids=str)
def test_another_key_gives_other_values(mask: Any) -> None:
    type = {"template": "text", "noise": "bigint", "shift": "date"}.get(next(iter(mask)), "bigint")
    values = column(list(range(10_000, 10_100)), TYPES[type]) if type != "text" else pa.array([f"v{i}" for i in range(100)])
    found = []
    for key in (context().key, OTHER_KEY):
        at = context(type, subject=True, key=key)
        found.append(in_batches(masker_for(mask, at), values, rows_of(values, [str(i) for i in range(100)]), []).to_pylist())
    assert sum(a == b for a, b in zip(*found)) < 20


@pytest.mark.parametrize(("mask", "type"), [(m, t) for m, t in EACH if t in ("text", "integer", "date")], ids=str)
def test_an_empty_batch_is_an_empty_batch(mask: Any, type: str) -> None:
    at = context(type, subject=True)
    empty = pa.array([], at.column.type.arrow)
    assert in_batches(masker_for(mask, at), empty, rows_of(empty, []), []).equals(empty)
    masker = masker_for(mask, at)
    if isinstance(masker, Learner):
        masker.learn(empty, rows_of(empty, []))
        masker.finish()
    assert masker.apply(empty, rows_of(empty, [])).equals(empty)


@pytest.mark.parametrize(
    "name", ["bucket", "constant", "generalise", "noise", "partial", "prefix", "replace", "round", "top_bottom", "truncate"]
)
def test_what_makes_values_alike_is_refused_where_they_must_differ(name: str) -> None:
    mask, type = next((mask, type) for mask, type in EACH if not isinstance(mask, str) and name in mask)
    with pytest.raises(TransformerUnfit, match=f"'{name}' does not fit: the column is unique, and different values may become alike"):
        masker_for(mask, context(type, subject=True, unique=True))


def test_rows_know_their_columns_after_taking() -> None:
    rows = Rows({"a": pa.array([1, 2, 3])}, 3, pa.array(["x", "y", "z"])).take(pa.array([2, 0, 0]))
    assert rows.columns["a"].to_pylist() == [3, 1, 1] and rows.length == 3 and list(rows.columns) == ["a"]
    assert rows.subject is not None and rows.subject.to_pylist() == ["z", "x", "x"]
