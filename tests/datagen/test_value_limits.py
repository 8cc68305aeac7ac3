"""Values at the limits of their types: made exactly, or refused with a clear error; never wrapped, cut or lost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

import bundles
from datagen.errors import GenerationFailed
from schemas.errors import SchemaError
from tests.datagen.making import column_of, source_of

LOW, HIGH = -(2**63), 2**63 - 1


def table_of(*columns: str, rows: int = 4, more: str = "") -> pa.Table:
    lines = "".join(f"      {c}\n" for c in ("id: {type: bigint, key: true}", *columns))
    return source_of(f"tables:\n  t:\n    rows: {rows}\n    columns:\n{lines}{more}").read("t").read_all()


def test_numbers_may_be_drawn_from_all_that_a_bigint_holds():
    values = column_of(f"{{uniform: [{LOW}, {HIGH}]}}", rows=4000).to_pylist()
    assert len(set(values)) == 4000
    assert min(values) < LOW + 2**55  # the draws are fixed
    assert max(values) > HIGH - 2**55
    keys = column_of(f"{{uniform: [{LOW}, {HIGH}]}}", rows=4000, extra=", unique: true").to_pylist()
    assert len(set(keys)) == 4000
    assert min(keys) < 0 < max(keys)


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("numeric(38,0)", "-99999999999999999999999999999999999999"),
        ("numeric", "12345678901234567890123456789.123456789"),
        ("numeric(38,38)", "0.00000000000000000000000000000000000001"),
    ],
)
def test_given_numerics_keep_all_their_digits(type, value):
    assert column_of(f'{{constant: "{value}"}}', type, rows=2).to_pylist() == [Decimal(value)] * 2


@pytest.mark.parametrize("type", ["numeric(38,4)", "numeric(38,30)"])
def test_a_number_that_needs_too_many_digits_after_a_conversion_is_refused_and_not_wrapped(type):
    with pytest.raises(GenerationFailed, match=r"t\.y cannot be made: a value is beyond the 18 digits"):
        table_of("x: {type: bigint, generate: {constant: 9000000000000000000}}", f'y: {{type: "{type}", generate: {{from: x}}}}')
    small = table_of("x: {type: bigint, generate: {constant: 9}}", 'y: {type: "numeric(38,4)", generate: {from: x}}')
    assert small["y"].to_pylist() == [Decimal("9.0000")] * 4


def test_rounding_to_fewer_decimals_holds_at_the_largest_numbers():
    made = table_of(
        'x: {type: "numeric(20,1)", generate: {list: ["922337203685477580.7", "-0.5", "0.4", "-0.6"]}}',
        "y: {type: bigint, generate: {from: x}}",
    )
    assert made["y"].to_pylist() == [922337203685477581, 0, 0, -1]


@pytest.mark.parametrize("value", ["18446744073709551617", "-10000000000000000000000000001"])
def test_numerics_beyond_what_generators_compute_with_are_never_taken_for_others(value):
    big = f'x: {{type: "numeric(38,0)", generate: {{constant: "{value}"}}}}'
    assert table_of(big)["x"].to_pylist() == [Decimal(value)] * 4
    with pytest.raises(GenerationFailed, match=r"t\.y cannot be made: a value of numeric\(38,0\) is beyond the 18 digits"):
        table_of(big, "y: {type: bigint, generate: {from: x}}")
    child = f"  c:\n    rows: {{per: t, count: 3}}\n    columns:\n      t: {{references: t.id}}\n      {big}\n"
    with pytest.raises(GenerationFailed, match=r"t\.s cannot be made"):
        table_of('s: {type: "numeric(38,0)", generate: {sum: c.x}}', more=child)


@pytest.mark.parametrize("family", [True, False])
def test_sums_that_leave_64_bits_are_refused_and_not_wrapped(family):
    rows = "{per: t, count: 3}" if family else "12"
    child = f"  c:\n    rows: {rows}\n    columns:\n      t: {{references: t.id}}\n      x: {{type: bigint, generate: {{constant: 9000000000000000000}}}}\n"
    with pytest.raises(GenerationFailed, match=r"t\.s cannot be made: a total is beyond"):
        table_of("s: {type: bigint, generate: {sum: c.x}}", more=child)
    fine = child.replace("9000000000000000000", "700000000000000000")
    assert sum(table_of("s: {type: bigint, generate: {sum: c.x}}", more=fine)["s"].to_pylist()) == 12 * 700000000000000000


def test_counts_stay_inside_a_column_that_is_too_short_for_their_tail():
    assert 32_000 < max(column_of("{poisson: 32700}", "smallint", rows=3000).to_pylist()) <= 32_767
    assert max(column_of("{poisson: 95}", "numeric(2,0)", rows=3000).to_pylist()) <= 99


@pytest.mark.parametrize(
    ("generate", "type", "message"),
    [
        ("{sequence: {start: 1, step: 10000000000000000000000}}", "bigint", "beyond the numbers of 64 bits"),
        ("{sequence: 10000000000000000000000}", "text", "beyond the numbers of 64 bits"),
        ("{beta: {a: 1000000000000, b: 1000000000000}}", "double", "too extreme a shape"),
        ("{beta: {a: 0.000000001, b: 0.000000001}}", "double", "too extreme a shape"),
        ("{lognormal: {median: 1.0e+300, sigma: 50}}", "double", "beyond the largest double"),
        ("{normal: {mean: 0, sd: 1.0e+308}}", "real", "beyond the largest real"),
        ("{uniform: [-1.0e+39, 1.0e+39]}", "real", "beyond the largest real"),
        ("{constant: 1.0e+39}", "real", "not all of type real"),
        (
            "{poisson: 3}",
            "numeric(38,38)",
            "the whole numbers of poisson do not fit numeric\\(38,38\\): its generated numbers have at most 18 digits",
        ),
        ("{uniform: [0, 1]}", "numeric(38,38)", "values from 0 to 1 do not fit numeric\\(38,38\\): its generated numbers have"),
        ("{uniform: [0, 1]}", "numeric(1,1)", "values from 0 to 1 do not fit numeric\\(1,1\\)$"),
        ("{uniform: [0.2, 0.8]}", "integer", "uniform: integer has no value from 0\\.2 to 0\\.8"),
        ("{uniform: [0.001, 0.009]}", "numeric(8,2)", "uniform: numeric\\(8,2\\) has no value from 0\\.001 to 0\\.009"),
        ("{histogram: {edges: [0.1, 0.9], weights: [1]}}", "integer", "histogram: integer has no value from 0\\.1 to 0\\.9"),
        ("{geo.longitude: {locale: en_US}}", "numeric(4,2)", "too few digits before the point"),
    ],
)
def test_recipes_that_reach_beyond_their_type_are_refused_at_their_place(generate, type, message):
    with pytest.raises(SchemaError, match=rf"test\.yaml:\d+:\d+: .*{message}"):
        column_of(generate, type, rows=1)


@pytest.mark.filterwarnings("error")
def test_floats_may_be_drawn_from_almost_all_that_they_hold():
    assert max(map(abs, column_of("{uniform: [-3.4e+38, 3.4e+38]}", "real").to_pylist())) < float("inf")


def test_expressions_make_lengths_of_time():
    made = table_of(
        "a: {type: timestamptz, generate: {between: [-2y, -1y]}}",
        "b: {type: timestamptz, generate: {after: a, within: 90d}}",
        "x: {type: interval, generate: {expression: b - a}}",
        "y: {type: interval, generate: {expression: x * 2}}",
        "z: {type: interval, generate: {expression: \"x + interval '1 month'\"}}",
    )
    for a, b, x, y, z in zip(*(made[n].to_pylist() for n in "abxyz"), strict=True):
        assert (x, y, z) == (b - a, 2 * (b - a), b - a + timedelta(days=30))


def test_expressions_mean_what_they_mean_in_postgresql_and_in_checks(tmp_path):
    made = source_of(
        "tables:\n  t:\n    rows: 4\n    columns:\n      id: {type: bigint, key: true}\n"
        "      half: {type: integer, check: half = id / 2, generate: {expression: id / 2}}\n"
        "      share: {type: 'numeric(4,2)', check: share = id / 4.0, generate: {expression: id / 4.0}}\n"
        "      like: {type: boolean, check: \"\\\"like\\\" = ('a_' || id LIKE 'a\\\\_%')\", generate: {expression: \"'a_' || id LIKE 'a\\\\_%'\"}}\n"
    )
    found = bundles.build(made, store=tmp_path).table("t").to_arrow().to_pydict()
    assert found["half"] == [0, 1, 1, 2]
    assert found["share"] == [Decimal(n) / 4 for n in (1, 2, 3, 4)]
    assert found["like"] == [True] * 4
    assert not bundles.verify(bundles.open("synthetic:latest", tmp_path)).not_checked


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (('x: {type: "varchar(3)", generate: {expression: "id || \'abc\'"}}',), "longer than varchar"),
        (("x: {type: {enum: [a, b]}, generate: {expression: \"case when id > 2 then 'c' else 'a' end\"}}",), "no value of enum"),
        (
            ("d: {type: date, generate: {between: [0001-01-01, 0001-02-01]}}", "x: {type: date, generate: {before: d, within: 9y}}"),
            "years 1 to 9999",
        ),
        *(
            (
                (
                    f"d: {{type: {source}, generate: {{between: [2020-01-01, 2025-01-01]}}}}",
                    f"x: {{type: {type}, generate: {{after: d, within: 9000y, at_least: 8500y{more}}}}}",
                ),
                "years 1 to 9999",
            )
            for source, type, more in (
                ("timestamptz", "timestamptz", ""),
                ("timestamptz", "date", ""),
                ("date", "date", ""),
                ("date", "date", ", until: d"),
                ("timestamp", "timestamp", ", mean: 8600y"),
            )
        ),
        (
            ("d: {type: date, generate: {between: [9999-01-01, 9999-12-31]}}", "x: {type: date, generate: {expression: d + 900}}"),
            "years 1 to 9999",
        ),
        (('x: {type: text, generate: {template: "{row:0999999999}"}}',), "32bit"),
    ],
)
def test_values_that_their_column_cannot_hold_are_refused_while_they_are_made(columns, message):
    with pytest.raises(GenerationFailed, match=rf"t\.x.*{message}"):
        table_of(*columns)


def test_values_of_expressions_that_fit_are_sound(tmp_path):
    made = source_of(
        "tables:\n  t:\n    rows: 5\n    columns:\n      id: {type: bigint, key: true}\n"
        "      e: {type: {enum: [a, b]}, null: 0, generate: {expression: \"case when id > 3 then null when id > 1 then 'a' else 'b' end\"}}\n"
        "      v: {type: varchar(3), null: 0, generate: {expression: \"nullif('ü' || id, 'ü2')\"}}\n"
    )
    assert bundles.verify(bundles.build(made, store=tmp_path)).ok


@pytest.mark.parametrize(("source", "value"), [("bigint", "123"), ("double", "1.5"), ("numeric(4,2)", "1.25")])
def test_numbers_that_do_not_fit_a_text_are_refused_and_not_cut(source, value):
    taken = f'x: {{type: "{source}", generate: {{constant: {value}}}}}', 'y: {type: "varchar(2)", generate: {from: x}}'
    with pytest.raises(GenerationFailed, match=r"t\.y cannot be made: a number has more characters than varchar\(2\)"):
        table_of(*taken)
    assert table_of(taken[0], taken[1].replace("(2)", "(4)"))["y"].to_pylist() == [value] * 4


def test_a_value_without_weight_is_not_chosen_where_values_must_differ():
    choice = "x: {{type: text, unique: true, generate: {{choice: {{a: 99, c: {}, b: 1}}}}}}"
    assert set(table_of(choice.format(0), rows=2)["x"].to_pylist()) == {"a", "b"}
    with pytest.raises(SchemaError, match="3 unique values are asked for and there are only 2"):
        table_of(choice.format(0), rows=3)
    assert set(table_of(choice.format(1), rows=3)["x"].to_pylist()) == {"a", "b", "c"}


def test_negative_numbers_are_not_padded_into_a_format():
    counted = "{{type: text, generate: {{sequence: {{start: 1, step: -1, format: '{}'}}}}}}"
    with pytest.raises(SchemaError, match="a sequence with a width cannot have negative numbers, and 4 rows from 1 by -1 end at -2"):
        table_of("x: " + counted.format("A{n:03}"))
    assert table_of("x: " + counted.format("A{n}"))["x"].to_pylist() == ["A1", "A0", "A-1", "A-2"]
    assert table_of("x: " + counted.format("A{n:03}"), rows=2)["x"].to_pylist() == ["A001", "A000"]


@pytest.mark.parametrize(("type", "expected"), [("double", 3_000_000.0), ("integer", 3_000_000), ("bigint", 3_000_000)])
def test_small_integers_are_computed_with_as_postgresql_does(type, expected):
    small = "sm: {type: smallint, generate: {constant: 30000}}", "tx: {type: text, generate: {constant: ab}}"
    made = table_of(*small, f'y: {{type: {type}, generate: {{expression: "sm * 100"}}}}')
    assert made["y"].to_pylist() == [expected] * 4
    made = table_of(*small, f'y: {{type: {type}, generate: {{expression: "sm * 100 + length(reverse(tx))"}}}}')
    assert made["y"].to_pylist() == [expected + 2] * 4


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CAST(tx AS varchar(1))", "h"),
        ("CAST(tx AS varchar)", "hällo"),
        ("CAST(tx AS char(2)) || 'x'", "häx"),
        ("upper(CAST(CAST(tx AS varchar(3)) AS varchar(9)))", "HÄL"),
        ("CAST(nr AS varchar(2)) || tx", "12hällo"),
    ],
)
def test_casts_to_shorter_texts_cut_as_in_postgresql(sql, expected):
    made = table_of(
        "tx: {type: text, generate: {constant: hällo}}", "nr: {type: bigint, generate: {constant: 1234}}",
        f'y: {{type: text, generate: {{expression: "{sql}"}}}}',
    )  # fmt: skip
    assert made["y"].to_pylist() == [expected] * 4
