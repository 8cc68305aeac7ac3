"""The `privacy:` section of a schema file: what it takes, what it says of mistakes, and that it is written as it was read."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from schemas.document import from_document, to_document
from schemas.errors import SchemaError
from schemas.privacy import Budget, ColumnPrivacy, Privacy
from schemas.privacy_values import declared_bounds, declared_values
from schemas.reader import parse_schema
from schemas.types import SqlType
from schemas.writer import to_yaml

TABLES = """\
schema: shop
types: {mood: [happy, sad]}
tables:
  plans:
    rows: 3
    columns:
      id: {type: integer, key: true}
  users:
    rows: 9
    columns:
      id:      {type: bigint, key: true}
      plan_id: {references: plans.id}
      country: {type: varchar(2), generate: {choice: [DE, FR]}}
      mood:    {type: mood, generate: {choice: [happy, sad]}}
      active:  {type: boolean, generate: {boolean: 0.5}}
      age:     {type: smallint, generate: {uniform: [18, 90]}}
      score:   {type: double, generate: {uniform: [0, 1]}}
      balance: {type: "numeric(6,2)", generate: {uniform: [0, 99]}}
      born:    {type: date, generate: {between: [1950-01-01, 2000-01-01]}}
      seen:    {type: timestamptz, generate: {between: [-1y, now]}}
      left:    {type: timestamp, generate: {between: [-1y, now]}}
      wakes:   {type: time, generate: {between: [06:00, 09:00]}}
      tags:    {type: json, generate: {constant: []}}
  orders:
    rows: 20
    columns:
      id:      {type: bigint, key: true}
      user_id: {references: users.id}
      total:   {type: "numeric(10,2)", generate: {uniform: [0, 999]}}
"""

WHOLE = """\
privacy:
  unit: users.id
  public: [plans]
  through: {orders: user_id}
  contributions: {orders: 50}
  groups: 5
  budget: {epsilon: 3, delta: 1e-6, analyst: {epsilon: 1, delta: 1e-7}}
  columns:
    orders.total: {bounds: [0, 10_000]}
    users.country: {values: [DE, FR, "12"]}
    users.balance: {bounds: [-0.5, 99.25]}
    users.born: {bounds: [1900-01-01, 2010-12-31]}
    users.seen: {bounds: ["2020-01-01T00:00:00Z", 2025-12-31]}
    users.active: {values: [true]}
"""


def read(section: str) -> Privacy:
    privacy = parse_schema(TABLES + section, "shop.yaml").privacy
    assert privacy is not None
    return privacy


def problems(section: str) -> list[str]:
    with pytest.raises(SchemaError) as raised:
        parse_schema(TABLES + section, "shop.yaml")
    return [f"{p.at.line - TABLES.count(chr(10)) if p.at else 0}: {p.message}" for p in raised.value.problems]


def test_a_whole_section_is_read() -> None:
    assert read(WHOLE) == Privacy(
        "users.id",
        ("plans",),
        {"orders": "user_id"},
        {
            "orders.total": ColumnPrivacy(("0", "10_000")),
            "users.country": ColumnPrivacy(values=("DE", "FR", "12")),
            "users.balance": ColumnPrivacy(("-0.5", "99.25")),
            "users.born": ColumnPrivacy(("1900-01-01", "2010-12-31")),
            "users.seen": ColumnPrivacy(("2020-01-01T00:00:00Z", "2025-12-31")),
            "users.active": ColumnPrivacy(values=("true",)),
        },
        {"orders": 50},
        5,
        Budget(3.0, 1e-6, 1.0, 1e-7),
    )


def test_the_unit_alone_is_enough() -> None:
    assert read("privacy: {unit: users.id}\n") == Privacy("users.id")


def test_a_section_survives_being_written_and_kept_in_a_bundle() -> None:
    schema = parse_schema(TABLES + WHOLE, "shop.yaml")
    again = parse_schema(to_yaml(schema), "again.yaml")
    assert again.privacy == schema.privacy
    assert from_document(to_document(schema)) == schema
    assert "orders.total: {bounds: [0, " in to_yaml(schema)


def test_a_schema_with_the_unit_alone_is_kept_as_it_always_was() -> None:
    document = to_document(parse_schema(TABLES + "privacy: {unit: users.id}\n", "shop.yaml"))
    assert document["privacy_unit"] == "users.id"
    assert not document.get("privacy")


def test_values_of_python_are_kept_as_texts() -> None:
    said = ColumnPrivacy((datetime.date(2020, 1, 1), datetime.datetime(2021, 1, 1, 8)), (True, 3, Decimal("1.50"), "x"))
    assert said == ColumnPrivacy(("2020-01-01", "2021-01-01T08:00:00"), ("true", "3", "1.50", "x"))


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("privacy: {public: [plans]}\n", "1: privacy needs `unit: table.column`"),
        ("privacy: {unit: user.id}\n", "1: the privacy unit must be a column, as table.column, not 'user.id'; did you mean 'users.id'?"),
        ("privacy: {unit: users.id, publik: [plans]}\n", "1: unknown key 'publik' in privacy; did you mean 'public'?"),
        ("privacy:\n  unit: users.id\n  public: [plan]\n", "3: privacy names a table that there is not: 'plan'; did you mean 'plans'?"),
        ("privacy:\n  unit: users.id\n  through: {orders: user}\n", "3: table 'orders' has no column 'user'; did you mean 'user_id'?"),
        ("privacy:\n  unit: users.id\n  through: {ordres: user_id}\n", "3: privacy names a table that there is not: 'ordres'; did you mean 'orders'?"),
        ("privacy:\n  unit: users.id\n  contributions: {orders: 0}\n", "3: the rows of 'orders' must be at least 1, not '0'"),
        ("privacy:\n  unit: users.id\n  contributions: {orders: many}\n", "3: the rows of 'orders' must be a whole number, not 'many'"),
        ("privacy:\n  unit: users.id\n  groups: 0\n", "3: groups must be at least 1, not '0'"),
        ("privacy:\n  unit: users.id\n  budget: {delta: 0.1}\n", "3: budget needs an epsilon above 0, and a delta from 0 to below 1"),
        ("privacy:\n  unit: users.id\n  budget: {epsilon: -1}\n", "3: budget needs an epsilon above 0, and a delta from 0 to below 1"),
        ("privacy:\n  unit: users.id\n  budget: {epsilon: 1, delta: 1}\n", "3: budget needs an epsilon above 0, and a delta from 0 to below 1"),
        ("privacy:\n  unit: users.id\n  budget: {epsilon: 1, analyst: {delta: 0}}\n", "3: analyst needs an epsilon above 0, and a delta from 0 to below 1"),
    ],
)  # fmt: skip
def test_mistakes_in_the_section_are_told_with_their_place(section: str, told: str) -> None:
    assert told in problems(section)


@pytest.mark.parametrize(
    ("column", "said", "told"),
    [
        ("users.agee", "{bounds: [1, 2]}", "privacy names a column that there is not: 'users.agee'; did you mean 'users.age'?"),
        ("users.age", "{}", "the privacy of 'users.age' is `bounds` or `values`"),
        ("users.age", "{bound: [1, 2]}", "unknown key 'bound' in the privacy of 'users.age'; did you mean 'bounds'?"),
        ("users.age", "{bounds: [1, 2], values: [1]}", "'users.age' has either bounds or a closed list of values, not both"),
        ("users.age", "{bounds: [1]}", "bounds of 'users.age': bounds are two values, the lower one first"),
        ("users.age", "{bounds: [1, 2, 3]}", "bounds of 'users.age': bounds are two values, the lower one first"),
        ("users.age", "{bounds: 7}", "bounds of 'users.age' must be a list, not '7'"),
        ("users.age", "{bounds: [9, 2]}", "bounds of 'users.age': the lower bound 9 is above the upper one 2"),
        ("users.age", "{bounds: [0, 1.5]}", "bounds of 'users.age': '1.5' is no value of type smallint: it is not whole"),
        ("users.age", "{bounds: [0, 40000]}", "bounds of 'users.age': '40000' is no value of type smallint: it is too large"),
        ("users.age", "{bounds: [0, .inf]}", "bounds of 'users.age': '.inf' is no value of type smallint: it is no number"),
        ("users.score", "{bounds: [0, NaN]}", "bounds of 'users.score': 'NaN' is no value of type double: it is no number"),
        ("users.score", "{values: [0, 1]}", "values of 'users.score': a column of type double has no closed list of values; texts, whole and exact numbers, "
                                            "dates and truths have"),
        ("users.balance", "{bounds: [0, 0.125]}", "bounds of 'users.balance': '0.125' is no value of type numeric(6,2): it has more than 2 decimals"),
        ("users.balance", "{bounds: [0, 10000]}", "bounds of 'users.balance': '10000' is no value of type numeric(6,2): it is too large"),
        ("users.country", "{bounds: [0, 9]}", "bounds of 'users.country': a column of type varchar(2) has no bounds; only numbers, dates and time stamps have"),
        ("users.country", "{values: [DE, GER]}", "values of 'users.country': 'GER' is no value of type varchar(2): it is too long"),
        ("users.country", "{values: [DE, DE]}", "values of 'users.country': the value 'DE' stands twice"),
        ("users.country", "{values: []}", "values of 'users.country': a closed list has 1 to 10,000 values, not 0"),
        ("users.mood", "{values: [happy, angry]}", "values of 'users.mood': 'angry' is no value of type mood: its values are happy, sad"),
        ("users.active", "{values: [yes]}", "values of 'users.active': 'yes' is no value of type boolean: write true or false"),
        ("users.born", "{bounds: [1900-01-01, 2010-02-30]}", "bounds of 'users.born': '2010-02-30' is no value of type date"),
        ("users.born", "{bounds: [1900-01-01, '2010-01-01T08:00']}", "bounds of 'users.born': '2010-01-01T08:00' is no value of type date"),
        ("users.left", "{bounds: [2020-01-01, '2021-01-01T08:00Z']}", "bounds of 'users.left': '2021-01-01T08:00Z' is no value of type timestamp: it has no time zone"),
        ("users.wakes", "{bounds: [06:00, 09:00]}", "bounds of 'users.wakes': a column of type time has no bounds; only numbers, dates and time stamps have"),
        ("users.tags", "{values: [a]}", "values of 'users.tags': a column of type json has no closed list of values; texts, whole and exact numbers, dates "
                                        "and truths have"),
    ],
)  # fmt: skip
def test_mistakes_in_a_column_are_told_with_its_name(column: str, said: str, told: str) -> None:
    section = f"privacy:\n  unit: users.id\n  columns:\n    {column}: {said}\n"
    assert f"4: {told}" in problems(section)


def test_all_mistakes_are_told_at_once() -> None:
    section = (
        "privacy:\n  unit: users.id\n  public: [plan]\n  groups: 0\n  columns: {users.age: {bounds: [2, 1]}, users.x: {values: [1]}}\n"
    )
    assert len(problems(section)) == 4


def test_a_date_as_the_upper_bound_of_time_stamps_means_the_end_of_that_day() -> None:
    low, high = declared_bounds(("2020-01-01", "2020-12-31"), SqlType("timestamp"))
    assert (low, high) == (datetime.datetime(2020, 1, 1), datetime.datetime(2020, 12, 31, 23, 59, 59, 999_999))
    assert declared_bounds(("2020-01-01", "2020-12-31T00:00"), SqlType("timestamp"))[1] == datetime.datetime(2020, 12, 31)
    assert declared_bounds(("2020-01-01", "2020-12-31"), SqlType("date"))[1] == datetime.date(2020, 12, 31)


def test_time_stamps_with_a_zone_are_instants() -> None:
    low, high = declared_bounds(("2020-01-01T02:00+02:00", "2020-01-01T00:00Z"), SqlType("timestamptz"))
    assert low == high == datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    assert declared_bounds(("2020-01-01", "2020-01-01"), SqlType("timestamptz"))[0] == low


def test_numbers_are_exact() -> None:
    assert declared_bounds(("0.1", "1e3"), SqlType("double")) == (Decimal("0.1"), Decimal(1000))
    assert declared_values(("1", "1_000"), SqlType("bigint")) == (1, 1000)
    with pytest.raises(ValueError, match="stands twice"):
        declared_values(("1", "1.0"), SqlType("integer"))
