"""Proposals of what to declare: true of all data that the schema makes, ready to use, and silent where nothing is known."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

import datagen
from dpsql.declaration import declare
from dpsql.errors import DeclarationInvalid
from dpsql.suggesting import Suggestion, section_text, suggest
from dpsql.suggesting.expressions import range_of_expression
from dpsql.suggesting.ranges import Range, Unranged, between, closed
from dpsql.tree import Facts
from schemas import read_schema
from schemas.model import Schema
from schemas.reader import parse_schema, schema_text
from schemas.times import format_moment


def schema_of(columns: str, more: str = "") -> Schema:
    text = f"schema: s\nanchor: 2026-01-01\ntables:\n  users:\n    rows: 40\n    columns:\n      id: {{type: bigint, key: true}}\n{columns}{more}"
    return parse_schema(text, "s.yaml")


def of_column(column: str, others: str = "") -> tuple[Any, ...] | str:
    """The bounds, or else the values, that are proposed of a column `c`; or why there are none."""
    found = suggest(schema_of(f"      c: {column}\n{others}"))
    said = found.privacy.columns.get("users.c")
    if said is None:
        return found.unbounded.get("users.c", "open" if "users.c" in found.unclosed else "nothing")
    return said.bounds or said.values or ()


@pytest.mark.parametrize(
    ("column", "bounds"),
    [
        ("{type: integer, generate: {uniform: [-5, 700]}}", ("-5", "700")),
        ('{type: "numeric(6,2)", generate: {uniform: [0.5, 70]}}', ("0.5", "70")),
        ("{type: double, generate: {uniform: [0.1, 0.7]}}", ("0.1", "0.7")),
        ("{type: integer, generate: {normal: {mean: 5, sd: 3, min: -90, max: 90}}}", ("-90", "90")),
        ("{type: integer, generate: {lognormal: {median: 5, sigma: 1}, max: 90}}", ("0", "90")),
        ("{type: double, generate: {beta: {a: 2, b: 3}}}", ("0", "1")),
        ("{type: integer, generate: {zipf: 1.3}}", ("1", "100000")),
        ("{type: double, generate: {histogram: {edges: [0, 1, 4.5], weights: [1, 1]}}}", ("0", "4.5")),
        ('{type: "numeric(8,2)", generate: {finance.price: {max: 80}}}', ("1", "80")),
        ("{type: double, generate: geo.latitude}", ("-90", "90")),
        ("{type: date, generate: {between: [2020-01-05, now]}}", ("2020-01-05", "2026-01-01")),
        ("{type: timestamptz, generate: {between: [-10d, now]}}", ("2025-12-22", "2026-01-01")),
        ("{type: integer, check: c <= 7, generate: {exponential: 2}}", ("0", "7")),
        ("{type: integer, check: c <= 700, generate: {uniform: [0, 9000]}}", ("0", "700")),
        ("{type: integer, null: 0.5, generate: {expression: CASE WHEN id > 5 THEN id % 50 END}}", ("-50", "50")),
    ],
)
def test_bounds_follow_from_generators_and_checks(column: str, bounds: tuple[str, str]) -> None:
    assert of_column(column) == bounds


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("{type: text, generate: {choice: {free: 6, pro: 3}}}", ("free", "pro")),
        ("{type: text, generate: {list: [b, a]}}", ("b", "a")),
        ("{type: text, generate: {constant: x}}", ("x",)),
        ("{type: text, generate: {states: {new: {paid: 1}, paid: {void: 0.5}}}}", ("new", "paid", "void")),
        ("{type: integer, generate: {choice: [10, 30, 20]}}", ("10", "30", "20")),
        ('{type: "numeric(3,1)", generate: {choice: [1.5, 2]}}', ("1.5", "2")),
        ("{type: date, generate: {choice: [2020-01-01, 2021-01-01]}}", ("2020-01-01", "2021-01-01")),
        ("{type: text, generate: {expression: \"CASE WHEN id > 3 THEN 'a' WHEN id > 2 THEN 'b' ELSE 'a' END\"}}", ("a", "b")),
        ("{type: text, generate: {by: d, cases: {true: {choice: [x, z]}}, else: {constant: z}}}", ("x", "z")),
    ],
)
def test_closed_lists_follow_from_generators(column: str, values: tuple[str, ...]) -> None:
    assert of_column(column, "      d: {type: boolean, generate: {boolean: 0.5}}\n") == values


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("{type: integer, generate: {normal: {mean: 5, sd: 3, max: 9}}}", "its generator 'normal' has no `min`, and no check bounds it"),
        ("{type: integer, generate: {poisson: 3}}", "its generator 'poisson' has no `max`, and no check bounds it"),
        ("{type: integer, generate: {expression: id * 2}}", "it follows 'users.id', and there it tells rows apart"),
        ('{type: integer, generate: {expression: "length(id::text)"}}', "its SQL says more than arithmetic over columns"),
        ("{type: integer, generate: {expression: \"d - DATE '2020-01-01'\"}}", "it takes times from times"),
        ("{type: date, generate: {expression: d + 3}}", "it adds what is of different kinds, such as times and numbers"),
        ("{type: integer, generate: {expression: 6 / (d2 - 5)}}", "its SQL divides by what may be zero"),
        ("{type: text, generate: person.name}", "open"),
        ("{type: time, generate: {between: [08:00, 09:00]}}", "nothing"),
        ("{type: boolean, generate: {boolean: 0.5}}", "nothing"),
        ('{type: integer, check: "c BETWEEN 0 AND 9", generate: {uniform: [0, 9]}}', "nothing"),
        ("{type: integer, unique: true, generate: {uniform: [0, 900]}}", "nothing"),
    ],
)
def test_what_is_not_known_is_not_made_up(column: str, why: str) -> None:
    others = (
        "      d: {type: date, generate: {between: [2020-01-01, 2021-01-01]}}\n      d2: {type: integer, generate: {uniform: [1, 9]}}\n"
    )
    assert of_column(column, others) == why


def test_expressions_have_the_range_of_their_parts() -> None:
    ranges = {"a": between(Fraction(-2), Fraction(3)), "b.c": between(Fraction(1), Fraction(4)), "t": closed(["x"])}

    def bounds(sql: str, whole: bool = False) -> tuple[Fraction | None, Fraction | None]:
        found = range_of_expression(sql, ranges.__getitem__, whole=whole)
        return found.low, found.high

    assert bounds("a + b.c * 2") == (0, 11)
    assert bounds("-a - b.c") == (-7, 1)
    assert bounds("a * b.c") == (-8, 12)
    assert bounds("a / b.c") == (-2, 3)
    assert bounds("abs(a)") == (0, 3)
    assert bounds("greatest(a, b.c)") == (1, 4)
    assert bounds("least(a, b.c)") == (-2, 3)
    assert bounds("coalesce(a, 90)") == (-2, 90)
    assert bounds("round(b.c * 0.37, 1)") == (Fraction(3, 10), Fraction(15, 10))
    assert bounds("a * 0.5", whole=True) == (-1, 2)
    assert bounds("CASE WHEN t = 'x' THEN a ELSE 10 END") == (-2, 10)
    assert bounds("CAST(a * 0.5 AS integer)") == (-1, 2)
    with pytest.raises(Unranged):
        range_of_expression("t || 'y'", ranges.__getitem__, whole=False)
    with pytest.raises(Unranged):
        range_of_expression(" + ".join(["a"] * 20_000), ranges.__getitem__, whole=False)


def test_months_are_as_long_as_the_longest_and_as_short_as_the_shortest() -> None:
    start = Range(Fraction(0), Fraction(0), None, "moment")
    found = range_of_expression("t + n * INTERVAL '1 month'", {"t": start, "n": between(Fraction(0), Fraction(2))}.__getitem__, whole=False)
    assert found.high is not None
    assert format_moment(int(found.high)).startswith("1970-03-04")  # 62 days


def test_contributions_follow_from_the_rows_that_are_made_for_each() -> None:
    more = """\
  orders:
    rows: {per: users, count: {zipf: 1.1, min: 1, max: 6}}
    columns: {id: {type: bigint, key: true}, user_id: {references: users.id}}
  items:
    rows: {per: orders, count: {uniform: [1, 7]}}
    columns: {id: {type: bigint, key: true}, order_id: {references: orders.id}, line: {type: integer, generate: ordinal}}
  visits:
    rows: {per: users, count: {poisson: 5}}
    columns: {id: {type: bigint, key: true}, user_id: {references: users.id}}
"""
    found = suggest(schema_of("", more))
    assert found.privacy.contributions == {"orders": 6}
    assert found.many == {"items": 42}
    assert "#   items: 42" in section_text(found)
    assert found.privacy.columns["items.line"].bounds == ("1", "7")


def test_ways_are_chosen_that_cannot_be_null_and_told() -> None:
    more = """\
  messages:
    rows: 9
    columns: {id: {type: bigint, key: true}, reader_id: {references: users.id, null: 0.5}, sender_id: {references: users.id}}
"""
    found = suggest(schema_of("", more))
    assert found.privacy.through == {"messages": "sender_id"}
    assert found.ways == {"messages": "sender_id -> users.id, not reader_id -> users.id"}


def test_only_tables_that_are_of_class_public_and_of_nobody_are_proposed_as_public() -> None:
    more = """\
  plans:
    rows: 3
    columns: {id: {type: bigint, key: true, class: public}, name: {type: text, class: public, generate: {choice: [a, b]}}}
  counted:
    rows: 3
    columns: {id: {type: bigint, key: true, class: public}, n: {type: bigint, class: public, generate: {from: c_id.n}},
      c_id: {references: tenants.id, class: public}}
  tenants:
    rows: 3
    columns: {id: {type: bigint, key: true}, n: {type: bigint, generate: {count: users}}}
  agents:
    rows: 3
    columns: {id: {type: bigint, key: true}, name: {type: text, generate: person.name}}
  rates:
    rows: 3
    columns: {id: {type: bigint, key: true}, rate: {type: double, generate: {uniform: [0, 1]}}}
"""
    found = suggest(schema_of("      tenant_id: {references: tenants.id}\n", more))
    assert found.privacy.public == ("plans",)
    assert found.unplaced == {
        "counted": "'n' is made from rows of 'users', which belong to units",
        "tenants": "'n' is made from rows of 'users', which belong to units",
        "agents": "'name' is of class personal",
        "rates": "declare it `public` if nothing in it depends on anybody",
    }


def test_what_the_schema_declares_already_stays() -> None:
    schema = schema_of(
        "      c: {type: integer, generate: {uniform: [0, 9]}}\n      d: {type: timestamptz, generate: {after: e, within: 2d}}\n"
        "      e: {type: timestamptz, generate: {between: [-1y, now]}}\n",
        "privacy: {unit: users.id, groups: 3, columns: {users.c: {bounds: [2, 5]}, users.e: {bounds: [2025-06-01, 2025-07-01]}}}\n",
    )
    found = suggest(schema)
    assert found.privacy.groups == 3
    assert found.privacy.columns["users.c"].bounds == ("2", "5")
    assert found.privacy.columns["users.d"].bounds == ("2025-06-01", "2025-07-03")
    assert not found.guessed


def test_the_unit_is_guessed_by_the_name_of_its_table_and_otherwise_asked_for() -> None:
    assert suggest(schema_of("")).guessed
    text = "schema: s\ntables:\n  things:\n    rows: 1\n    columns: {id: {type: bigint, key: true}, n: {type: integer, generate: {uniform: [1, 9]}}}\n"
    schema = parse_schema(text, "s.yaml")
    with pytest.raises(DeclarationInvalid, match="--unit TABLE.COLUMN"):
        suggest(schema)
    assert suggest(schema, "things.id").privacy.columns["things.n"].bounds == ("1", "9")
    with pytest.raises(DeclarationInvalid, match="'things.idd' is no column that is a key or unique; did you mean 'things.id'"):
        suggest(schema, "things.idd")
    with pytest.raises(DeclarationInvalid, match="'things.n' is no column that is a key or unique"):
        suggest(schema, "things.n")


@pytest.mark.parametrize(
    ("name", "unit"), [("companyos", None), ("companyos", "tenants.id"), ("tpch", None), ("tpch", "orders.o_orderkey")]
)
def test_a_proposal_can_be_pasted_and_used(name: str, unit: str | None) -> None:
    schema = read_schema(name)
    found = suggest(schema, unit)
    text = _without_privacy(name) + section_text(found)
    pasted = parse_schema(text, "pasted.yaml")
    assert pasted.privacy == found.privacy
    assert declare(pasted).unit_table == found.privacy.unit.rpartition(".")[0]
    again = suggest(pasted)
    assert again.privacy == found.privacy


def _without_privacy(name: str) -> str:
    lines = schema_text(name)[0].splitlines(keepends=True)
    start = next(n for n, line in enumerate(lines) if line.startswith("privacy:"))
    end = next((n for n, line in enumerate(lines) if n > start and line[0] not in " \n#"), len(lines))
    return "".join(lines[:start] + lines[end:])


@pytest.mark.parametrize(
    ("name", "unit", "scale"), [("companyos", "tenants.id", 0.01), ("companyos", "users.id", 0.01), ("tpch", "customer.c_custkey", 0.002)]
)
def test_what_is_proposed_is_true_of_all_data_that_the_schema_makes(name: str, unit: str, scale: float) -> None:
    schema = replace(read_schema(name), privacy=None)
    found = suggest(schema, unit)
    source = datagen.source(schema, scale=scale)
    declaration = declare(schema, found.privacy)
    looked_at = 0
    for table in schema.tables:
        columns = [c for c in table.stored_columns if f"{table.name}.{c.name}" in found.privacy.columns]
        if not columns:
            continue
        data = source.read(table.name).read_all()
        for column in columns:
            looked_at += 1
            outside = list(_outside(data.column(column.name), declaration.facts[table.name, column.name]))
            assert not outside, f"{table.name}.{column.name}: {outside[:3]}"
    assert looked_at > 10
    for name, most in {**found.many, **found.privacy.contributions}.items():
        _assert_contributions(source, declaration.reaches[name].path, name, most)


def _outside(column: pa.ChunkedArray, facts: Facts) -> Iterator[Any]:
    for value in set(column.to_pylist()) - {None}:
        plain = value if isinstance(value, (str, bool, datetime.date)) else Fraction(value)
        if (facts.values is not None and plain not in facts.values) or (facts.lo is not None and not facts.lo <= plain <= facts.hi):  # type: ignore[operator]
            yield value


def _assert_contributions(source: Any, path: Any, name: str, most: int) -> None:
    """No unit has more rows in a table than is proposed."""
    counts: dict[Any, int] = {}
    units: Any = source.read(name).read_all().column(path[0].columns[0]).to_pylist()
    for key, following in pairwise(path):
        parent = source.read(key.table).read_all()
        parents = dict(zip(parent.column(key.target[0]).to_pylist(), parent.column(following.columns[0]).to_pylist(), strict=True))
        units = [parents.get(u) for u in units]
    for unit in units:
        counts[unit] = counts.get(unit, 0) + 1
    counts.pop(None, None)
    assert max(counts.values()) <= most


def test_the_section_says_what_is_left_open() -> None:
    text = section_text(
        Suggestion(
            suggest(schema_of("")).privacy, True, unbounded={"users.c": "why"}, unplaced={"agents": "because"}, unclosed=("users.t",)
        )
    )
    assert "# users.id is a guess" in text
    assert "#   users.c: why" in text
    assert "#   agents: because" in text
    assert "released from a threshold on: users.t" in text
    assert "`budget: {epsilon: 3, delta: 1e-6}`" in text


@pytest.mark.parametrize(("name", "scale"), [("companyos", 0.01), ("tpch", 0.002)])
def test_what_the_built_in_schemas_declare_is_true_of_their_data(name: str, scale: float) -> None:
    schema = read_schema(name)
    declaration = declare(schema)
    assert schema.privacy is not None
    source = datagen.source(schema, scale=scale)
    for path in schema.privacy.columns:
        found = schema.at(path)
        assert found is not None
        column = source.read(found[0].name).read_all().column(found[1].name)
        assert not list(_outside(column, declaration.facts[found[0].name, found[1].name])), path
    for table, most in schema.privacy.contributions.items():
        _assert_contributions(source, declaration.reaches[table].path, table, most)
