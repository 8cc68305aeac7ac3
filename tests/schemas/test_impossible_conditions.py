"""Checks and rules that no row can satisfy are told before any row is made; those that one may satisfy are not."""

from __future__ import annotations

import json

import pytest

from schemas.errors import Mark, SchemaError
from schemas.reader import parse_schema

SHOP = """\
schema: shop
anchor: 2026-01-01
tables:
  rooms:
    rows: 10
    columns:
      id: {{type: bigint, key: true}}
      floor: {{type: smallint, generate: {{uniform: [1, 9]}}}}
  stays:
    rows: 300
    columns:
      id: {{type: bigint, key: true}}
      room_id: {{references: rooms.id}}
      nights: {{type: integer, generate: {{uniform: [1, 5]}}}}
      discount: {{type: "numeric(4,2)", null: 0.5, generate: {{normal: {{mean: 5, sd: 2}}, min: 0, max: 10}}}}
      rate: {{type: real, generate: {{beta: {{a: 2, b: 3}}}}}}
      price: {{type: "numeric(8,2)", generate: {{lognormal: {{median: 80, sigma: 1}}}}}}
      stepped: {{type: integer, generate: {{uniform: [5, 9], step: 4}}}}
      status: {{type: text, generate: {{choice: {{open: 3, paid: 1, gone: 0}}}}}}
      kind: {{type: text, generate: {{constant: room}}}}
      floor_no: {{type: integer, generate: {{constant: 7}}}}
      bill: {{type: "numeric(38,2)", generate: {{constant: 123456789012345678901234567890.55}}}}
      starts_at: {{type: timestamptz, generate: {{between: [2020-01-01, 2024-01-01]}}}}
      ends_at: {{type: timestamptz, generate: {{after: starts_at, within: 9d}}}}
    {where}: [{condition}]
"""


def problems(where: str, condition: str) -> list[str]:
    try:
        parse_schema(SHOP.format(where=where, condition=json.dumps(condition)), "shop.yaml")
    except SchemaError as error:
        return [f"{p.at} {p.message}" for p in error.problems]
    return []


@pytest.mark.parametrize("where", ["checks", "rules"])
@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("nights > 5", "'nights' is from 1 to 5"),
        ("nights BETWEEN 6 AND 9", "'nights' is from 1 to 5"),
        ("nights IN (0, 7)", "'nights' is from 1 to 5"),
        ("not nights <= 5", "'nights' is from 1 to 5"),
        ("discount > 10", "'discount' is from 0 to 10"),
        ("rate > 1.1 OR rate < -0.1", "'rate' is from"),
        ("price < 0", "'price' is 0 or more"),
        ("nights + 3 > 8 - discount + 10", "'nights' is from 1 to 5"),
        ("stepped < 5", "'stepped' is from 5 to 9"),
        ("status = 'done'", "'status' is one of open, paid"),
        ("status IN ('gone', 'done')", "'status' is one of open, paid"),
        ("starts_at > '2024-02-01'", "'starts_at' is from 2019-12-31"),
        ("starts_at < CAST('2019-06-01' AS DATE)", "'starts_at' is from 2019-12-31"),
        ("ends_at < starts_at", "'ends_at' is made after 'starts_at'"),
        ("nights > 0 AND nights > 7", "nights > 7: 'nights'"),
        ("nights = CAST(6.5 AS integer)", "'nights' is from 1 to 5"),
        ("floor_no <> 7", "'floor_no' is from 7 to 7"),
        ("kind <> 'room'", "'kind' is one of room"),
        ("kind NOT IN ('room', 'suite')", "'kind' is one of room"),
        ("nights > 0 AND FALSE", "no row can satisfy FALSE"),
        ("nights > 0 AND 1 > 2", "no row can satisfy 1 > 2"),
        ("nights > 3 AND nights < 3", "no row can satisfy nights < 3: 'nights' is from 3 to 5 where nights > 3"),
        ("nights BETWEEN 4 AND 2", "no row can satisfy nights BETWEEN 4 AND 2: 'nights' is from 4 to 5 where nights >= 4"),
        ("2 >= nights AND nights + discount > 12", "'nights' is from 1 to 2 where 2 >= nights, 'discount' is from 0 to 10"),
        ("status = 'open' AND (nights > 7 OR status = 'paid')", "'status' is one of open where status = 'open'"),
    ],
)
def test_a_condition_that_no_row_can_satisfy_is_told_with_its_place_and_reason(where, condition, why):
    [found] = problems(where, condition)
    assert found.startswith(f"{Mark(25, len(where) + 8)} {where[:-1]}: ")
    assert "no row can satisfy" in found
    assert why in found


def test_names_in_checks_are_folded_as_a_database_folds_them():
    [found] = problems("checks", "NIGHTS = 6")
    assert "'NIGHTS' is from 1 to 5" in found


def test_a_rule_over_the_row_that_is_referenced_is_judged_by_its_columns():
    [found] = problems("rules", "nights + 1 > room_id.floor + 6")
    assert "'room_id.floor' is from 1 to 9" in found


@pytest.mark.parametrize(
    "condition",
    [
        "nights >= 5", "nights > 4 OR nights < 0", "nights <> 3", "discount IS NULL OR discount > 9", "rate >= 1", "price > 100000",
        "status <> 'gone'", "status = 'open'", "starts_at >= '2024-01-01'", "ends_at <= starts_at", "starts_at < ends_at", "nights * 3 > 20",
        "length(status) > 9", "nights > discount", "CASE WHEN nights > 9 THEN FALSE ELSE TRUE END", "status > 'z'", "nights = discount",
        "floor_no = CAST(6.5 AS integer)", "floor_no = CAST(7.4 AS numeric(3,0))", "kind = CAST('rooms' AS varchar(4))", "CAST(9 AS text) > CAST(10 AS text)",
        "starts_at >= CAST('2024-01-01 23:00' AS date)", "CAST('2020-01-01 23:00' AS date) = DATE '2020-01-01'", "nights BETWEEN SYMMETRIC 6 AND 0",
        "bill = 123456789012345678901234567890.55", "nights + 1e999999999 > 1e999999999 + 1e999999999", "kind = 'room'", "TRUE",
        "nights > 3 AND nights < 5", "nights >= 3 AND nights <= 3", "nights > 3 OR nights < 3", "NOT (nights > 3 AND nights < 3)", "nights > 4 AND stepped < 6",
        "status = 'open' AND status <> 'paid'", "nights > discount AND nights < 2", "nights > 3 AND discount < 3",
    ],
)  # fmt: skip
def test_a_condition_that_a_row_may_satisfy_or_that_is_not_understood_is_not_refused(condition):
    assert problems("checks", condition) == []


def test_nothing_is_said_of_a_table_without_rows():
    text = SHOP.format(where="checks", condition='"nights > 5"').replace("rows: 300", "rows: 0")
    assert parse_schema(text, "shop.yaml").table("stays").checks
