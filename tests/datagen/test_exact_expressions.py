"""Expressions that are evaluated without a database give what DuckDB gives, null for null and digit for digit."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

import datagen
from datagen import exact, expression
from datagen.errors import GenerationFailed, RecipeError
from schemas.reader import parse_schema
from tests.datagen.making import source_of

COLUMNS = """tables:
  t:
    rows: {rows}
    columns:
      id:  {{type: bigint, key: true}}
      n:   {{type: integer, null: 0.2, generate: {{uniform: [-40, 40]}}}}
      big: {{type: bigint, generate: {{uniform: [-9000000000, 9000000000]}}}}
      d:   {{type: "numeric(9,2)", null: 0.1, generate: {{uniform: [-500, 500]}}}}
      e:   {{type: "numeric(6,4)", generate: {{uniform: [-2, 2]}}}}
      far: {{type: "numeric(18,4)", generate: {{uniform: [-900000000, 900000000]}}}}
      s1:  {{type: date, null: 0.1, generate: {{between: [2020-01-01, 2020-03-01]}}}}
      s2:  {{type: date, generate: {{between: [2020-01-01, 2020-03-01]}}}}
      at:  {{type: timestamptz, null: 0.3, generate: {{between: [2020-01-01, 2020-03-01]}}}}
      till: {{type: timestamptz, null: 0.2, generate: {{between: [2015-01-01, 2030-03-01]}}}}
      b:   {{type: boolean, null: 0.2, generate: {{boolean: 0.5}}}}
      c:   {{type: text, null: 0.2, generate: {{choice: {{red: 5, blue: 3, "": 1}}}}}}
      w:   {{type: text, null: 0.1, generate: {{words: {{uniform: [0, 1]}}}}}}
      x:   {{type: "{type}", null: 0, generate: {{expression: "{sql}"}}}}
"""

literals = st.sampled_from(["0", "1", "7", "12", "0.5", "0.05", "1.25"])
numbers = st.recursive(
    st.one_of(st.sampled_from(["n", "d", "e"]), literals),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " - ", " * "]), inner).map(lambda p: f"({''.join(p)})"),
        inner.map(lambda a: f"(-{a})"),
        inner.map(lambda a: f"floor({a})"),
        st.tuples(st.sampled_from(["least", "greatest", "coalesce"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
    ),
    max_leaves=4,
)
orders = st.sampled_from([" = ", " <> ", " < ", " <= ", " > ", " >= "])
conditions = st.recursive(
    st.one_of(
        st.tuples(numbers, orders, numbers).map("".join),
        st.tuples(st.sampled_from(["s1", "s2"]), orders, st.sampled_from(["s1", "s2", "DATE '2020-02-01'"])).map("".join),
        st.sampled_from(
            ["c = 'red'", "c <> ''", "w = 'elit'", "c = w", "c IN ('red', 'green')", "n IN (1, 2, 3)", "n NOT IN (4)", "b", "NOT b"]
        ),
        st.sampled_from(["c IS NULL", "w IS NOT NULL", "d IS NULL", "b IS NULL", "n BETWEEN 1 AND 9", "d NOT BETWEEN 0.5 AND 99"]),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map(lambda p: f"({''.join(p)})"), inner.map(lambda a: f"(NOT {a})")
    ),
    max_leaves=4,
)


def chosen(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """CASE with one or two conditions, with and without ELSE."""
    return st.tuples(conditions, values, conditions, values, st.one_of(st.just(""), values.map(lambda v: f" ELSE {v}"))).map(
        lambda p: f"CASE WHEN {p[0]} THEN {p[1]} WHEN {p[2]} THEN {p[3]}{p[4]} END"
    )


moments = st.sampled_from(["at", "till", "coalesce(at, till)", "TIMESTAMPTZ '2020-02-01T00:00:00Z'", "at + INTERVAL '1 day'"])
lengths = st.recursive(
    st.tuples(moments, moments).map(lambda p: f"extract(epoch FROM {p[0]} - {p[1]})"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["3", "86400", "31536000", "0.7"])).map(lambda p: f"{p[0]} / {p[1]}"),
        st.tuples(st.sampled_from(["n", "d", "e", "0.05"]), inner).map(" * ".join),
        inner.map(lambda a: f"floor({a})"),
        st.tuples(inner, st.sampled_from(["0", "1.5", "e"])).map(lambda p: f"coalesce({p[0]}, {p[1]})"),
    ),
    max_leaves=3,
)
expressions = st.one_of(
    st.tuples(st.sampled_from(["numeric(18,3)", "numeric(18,6)", "bigint"]), lengths),
    st.tuples(st.sampled_from(["numeric(18,3)", "numeric(18,6)", "bigint"]), st.one_of(numbers, chosen(numbers))),
    st.tuples(st.just("boolean"), conditions),
    st.tuples(st.just("text"), chosen(st.sampled_from(["c", "w", "'red'", "'other'", "NULL"]))),
    st.tuples(st.just("date"), chosen(st.sampled_from(["s1", "s2", "DATE '2020-02-01'", "NULL"]))),
    st.tuples(st.just("timestamptz"), chosen(st.sampled_from(["at", "NULL"]))),
)


def made(sql: str, type: str, rows: int = 400) -> pa.Array:
    return source_of(COLUMNS.format(sql=sql, type=type, rows=rows)).read("t").read_all().column("x").combine_chunks()


def by_duckdb(sql: str, type: str, rows: int = 400) -> pa.Array:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expression, "compile_exact", refuse)
        return made(sql, type, rows)


def refuse(*_: object) -> None:
    raise exact.NotExact


def columns_of(sql: str) -> set[str]:
    import sqlglot

    return {c.name for c in sqlglot.parse_one(sql, read="postgres").find_all(exp.Column)}


@given(expressions)
@settings(deadline=None)
@pytest.mark.slow
def test_values_are_those_of_duckdb(expression_of_type):
    type, sql = expression_of_type
    if not columns_of(sql):
        return
    try:
        expected = by_duckdb(sql, type)
    except Exception:  # DuckDB finds no common type, or overflows: nothing to compare with
        return
    assert made(sql, type).equals(expected), sql


@pytest.mark.parametrize(
    ("sql", "type"),
    [
        ("d * (1 - e) * (1 + e)", "numeric(12,2)"),
        ("round(d * e, 2)", "numeric(12,2)"),
        ("d * 0.5", "bigint"),
        ("id % 7", "integer"),
        ("(0 - id) % 7", "integer"),
        ("CASE n WHEN 1 THEN 'one' WHEN 2 THEN c ELSE w END", "text"),
        ("CASE WHEN n IS NULL THEN s1 WHEN b THEN s2 END", "date"),
        ("c IN ('red', 'blue') AND NOT b OR n IS NULL", "boolean"),
        ("greatest(n, d, e)", "numeric(9,4)"),
        ("CASE WHEN id IS NOT NULL THEN w ELSE 'none' END", "text"),
        ("floor(d * e)", "integer"),
        ("1 + floor(d) - floor(e)", "numeric(9,2)"),
        ("coalesce(b, n > 3, FALSE)", "boolean"),
        ("coalesce(at < TIMESTAMPTZ '2020-02-01T00:00:00Z', b)", "boolean"),
        ("at + INTERVAL '36 hours'", "timestamptz"),
        (
            "at + CASE n WHEN 1 THEN INTERVAL '1 second' WHEN 2 THEN INTERVAL '5 minutes' WHEN 3 THEN NULL ELSE INTERVAL '8 hours' END",
            "timestamptz",
        ),
        ("till - (n - 1) * INTERVAL '1 day'", "timestamptz"),
        ("CASE WHEN b THEN at + INTERVAL '90 minutes' * n ELSE till END", "timestamptz"),
        ("extract(epoch FROM at - till) / 31536000", "numeric(9,6)"),
        ("extract(epoch FROM till - at) / 2", "bigint"),
        ("coalesce(extract(epoch FROM coalesce(till, TIMESTAMPTZ '2020-02-01T00:00:00Z') - at) / 31536000, 0)", "numeric(12,8)"),
        ("floor(e * extract(epoch FROM till - at) / 86400)", "integer"),
        ("CASE WHEN b THEN at - INTERVAL '2 days' ELSE TIMESTAMPTZ '2020-01-01T00:00:00Z' + INTERVAL '90 seconds' END", "timestamptz"),
    ],
)
def test_these_need_no_database(sql, type, monkeypatch):
    expected = by_duckdb(sql, type, 3000)
    monkeypatch.setattr(expression._Evaluator, "__call__", refuse)
    assert made(sql, type, 3000).equals(expected)


def test_numbers_that_may_not_fit_64_bits_are_left_to_the_database():
    sql = "big * 1.5 * big"
    assert made(sql, "numeric(38,3)").equals(by_duckdb(sql, "numeric(38,3)"))


@pytest.mark.parametrize(
    ("sql", "type"),
    [
        ("extract(epoch FROM at - till) * far / 1000", "numeric(18,2)"),  # beyond 2**52, where there are no halves
        ("till + big * INTERVAL '1 second'", "timestamptz"),  # DuckDB multiplies by 32 bits
    ],
)
def test_large_numbers_are_those_of_duckdb_too(sql, type):
    try:
        expected = by_duckdb(sql, type, 3000)
    except GenerationFailed:
        with pytest.raises(GenerationFailed):
            made(sql, type, 3000)
    else:
        assert made(sql, type, 3000).equals(expected)


def test_a_half_goes_where_duckdb_takes_it():
    """Of whole numbers to the even one, of decimals away from zero, and not where the double lies beside it."""
    moment = "TIMESTAMPTZ '2020-01-01T00:00:00Z' + INTERVAL '1 second'"
    for type in ("bigint", "numeric(18,6)", "numeric(9,1)"):
        for divisor in (2, 8, 20, 31_536_000):
            sql = f"id * extract(epoch FROM {moment} - TIMESTAMPTZ '2020-01-01T00:00:00Z') / {divisor}"
            assert made(sql, type, 2_000).equals(by_duckdb(sql, type, 2_000))


def test_a_result_that_does_not_fit_its_column_is_refused():
    with pytest.raises(GenerationFailed, match=r"t\.x: the expression failed"):
        made("id * 1000", "smallint")


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("10 / lo", "it divides by zero; a divisor of NULLIF(..., 0), and `null: 0` at the column, give null instead"),
        ("name", "Conversion Error: Could not convert string 'no' to INT32 when casting from source column name"),
    ],
)
def test_an_expression_that_fails_on_a_row_is_told_with_its_place_in_the_words_of_the_schema(sql, why):
    text = (
        "schema: s\ntables:\n  t:\n    rows: 50\n    columns:\n      id: {type: bigint, key: true}\n"
        "      lo: {type: integer, generate: {uniform: [0, 2]}}\n      name: {type: text, generate: {constant: no}}\n"
        f"      x: {{type: integer, generate: {{expression: {sql}}}}}\n"
    )
    with pytest.raises(GenerationFailed) as caught:
        datagen.source(parse_schema(text, "f.yaml")).read("t").read_all()
    assert str(caught.value) == f"f.yaml:9:36: t.x: the expression failed: {why}"


@pytest.mark.parametrize(
    ("type", "sql", "why"),
    [
        ("date", "lo + 1", "lo + 1 is integer, and no date can be made of it"),
        ("timestamptz", "lo", "lo is integer, and no timestamptz can be made of it"),
        ("time", "lo > 1", "lo > 1 is boolean, and no time can be made of it"),
        ("integer", "day", "day is date, and no integer can be made of it"),
        ("date", "CASE WHEN lo > 900 THEN lo END", "CASE WHEN lo > 900 THEN lo END is integer, and no date can be made of it"),
        ("text", "upper(CAST(CAST(lo AS date) AS text))", "lo is integer, and no date can be made of it"),
    ],
)
def test_a_cast_that_no_row_can_pass_is_told_before_any_is_made(type, sql, why):
    text = (
        "schema: s\ntables:\n  t:\n    rows: 50\n    columns:\n      id: {type: bigint, key: true}\n"
        "      lo: {type: integer, generate: {uniform: [0, 2]}}\n      day: {type: date, generate: {between: [2020-01-01, 2020-03-01]}}\n"
        f"      x: {{type: {type}, generate: {{expression: {sql}}}}}\n"
    )
    with pytest.raises(RecipeError) as caught:
        datagen.source(parse_schema(text, "f.yaml"))
    assert str(caught.value) == f"f.yaml:9:{text.splitlines()[8].index('{expression') + 1}: expression: {why}"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("type", "sql"),
    [
        ("boolean", "n + 1"),
        ("date", "CASE WHEN n > 900 THEN NULL END"),
        ("date", "upper(CAST(CASE WHEN n > 900 THEN NULL END AS text))"),
        ("date", "upper(CAST(CASE WHEN b THEN CAST(NULL AS date) END AS text))"),
        ("date", "upper(CAST(s1 AS text))"),
        ("integer", "initcap(CAST(n AS text))"),
        ("uuid", "CASE WHEN n > 900 THEN CAST(c AS uuid) END"),
        ("timestamptz", "s1"),
        ("text", "initcap(CAST(s1 AS text) || CAST(b AS text))"),
    ],
)
def test_casts_that_some_row_can_pass_are_left_to_the_rows(type, sql):
    assert len(by_duckdb(sql, type)) == 400


@pytest.mark.parametrize("compiled", [made, by_duckdb])
def test_conditions_of_very_many_parts_are_made(compiled):
    assert compiled(" OR ".join(f"n = {i}" for i in range(900, 2_000)), "boolean") == compiled("n >= 900 AND n < 2000", "boolean")
