"""What is worked out of a declaration: whose the rows of each table are, and what is known of each column's values."""

from __future__ import annotations

import datetime
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpsql.binding.constants import constant
from dpsql.column_facts import FLOAT_STEPS
from dpsql.declaration import Declaration, declare
from dpsql.errors import DeclarationInvalid
from dpsql.formulas import _decimals
from dpsql.functions.emission import literal
from dpsql.kept import group_key
from dpsql.tree import Facts
from schemas import read_schema
from schemas.model import Column, ForeignKey, Rows, Schema, Table
from schemas.privacy import ColumnPrivacy, Privacy
from schemas.privacy_values import declared_values
from schemas.reader import parse_schema
from schemas.types import SqlType


def declared(tables: str, privacy: str = "{unit: users.id}") -> Declaration:
    return declare(parse_schema(f"schema: s\ntables:\n{tables}privacy: {privacy}\n", "s.yaml"))


def refused(tables: str, privacy: str = "{unit: users.id}") -> list[str]:
    with pytest.raises(DeclarationInvalid) as raised:
        declared(tables, privacy)
    return [line.removeprefix("privacy of schema 's': ") for line in str(raised.value).splitlines()]


def table(name: str, *columns: str) -> str:
    return f"  {name}:\n    rows: 5\n    columns: {{id: {{type: bigint, key: true}}{''.join(', ' + c for c in columns)}}}\n"


USERS = table("users")
ORDERS = table("orders", "user_id: {references: users.id}")


def way(declaration: Declaration, name: str) -> list[str]:
    reach = declaration.reach(name)
    assert reach is not None
    return [f"{', '.join(key.columns)}->{key.table}({', '.join(key.target)})" for key in reach.path]


def facts_of(column: str, privacy: str = "") -> Facts:
    """The facts of a column `c` of the users, of which `privacy` is declared."""
    section = "{unit: users.id" + (f", columns: {{users.c: {privacy}}}" if privacy else "") + "}"
    return declared(table("users", f"c: {column}"), section).facts["users", "c"]


# The ways to the unit


def test_rows_belong_to_the_unit_along_foreign_keys() -> None:
    found = declared(USERS + ORDERS + table("items", "order_id: {references: orders.id}") + table("audit"))
    assert way(found, "users") == []
    assert way(found, "orders") == ["user_id->users(id)"]
    assert way(found, "items") == ["order_id->orders(id)", "user_id->users(id)"]
    assert found.reach("audit") is None


def test_several_ways_have_to_be_told_apart() -> None:
    messages = table("messages", "sender_id: {references: users.id}", "recipient_id: {references: users.id, null: 0.5}")
    [problem] = refused(USERS + messages + table("attachments", "message_id: {references: messages.id}"))
    assert problem == (
        "table 'messages' reaches users.id in several ways; say which, as in `through: {messages: sender_id}`: sender_id -> users.id; "
        "or recipient_id -> users.id (can be null: such rows belong to nobody)"
    )
    found = declared(USERS + messages, "{unit: users.id, through: {messages: recipient_id}}")
    assert way(found, "messages") == ["recipient_id->users(id)"]


def test_a_longer_way_has_to_be_told_from_a_shorter_one() -> None:
    tables = USERS + ORDERS + table("reviews", "order_id: {references: orders.id}", "reviewer_id: {references: users.id}")
    [problem] = refused(tables)
    assert "order_id -> orders.user_id -> users.id; or reviewer_id -> users.id" in problem
    assert way(declared(tables, "{unit: users.id, through: {reviews: order_id}}"), "reviews") == [
        "order_id->orders(id)",
        "user_id->users(id)",
    ]


def test_tables_below_one_with_several_ways_follow_its_choice() -> None:
    tables = (
        USERS
        + table("messages", "sender_id: {references: users.id}", "recipient_id: {references: users.id}")
        + table("attachments", "message_id: {references: messages.id}")
    )
    found = declared(tables, "{unit: users.id, through: {messages: recipient_id}}")
    assert way(found, "attachments") == ["message_id->messages(id)", "recipient_id->users(id)"]


def test_references_of_a_table_to_itself_are_no_ways() -> None:
    users = table("users", "manager_id: {references: users.id, acyclic: true, null: 0.1}")
    parts = table("posts", "user_id: {references: users.id}", "answers: {references: posts.id, acyclic: true, null: 0.5}")
    assert way(declared(users + parts), "posts") == ["user_id->users(id)"]


def test_references_away_from_the_unit_are_no_ways() -> None:
    tenants = table("tenants")
    found = declared(
        tenants + table("users", "tenant_id: {references: tenants.id}") + table("bills", "tenant_id: {references: tenants.id}")
    )
    assert found.reach("tenants") is None
    assert found.reach("bills") is None


def test_ways_that_go_round_in_a_circle_are_refused() -> None:
    def plain(name: str, **targets: str) -> Table:
        columns = (Column("id", SqlType("bigint")), *(Column(c, SqlType("bigint")) for c in targets))
        return Table(name, columns, Rows(1), ("id",), foreign_keys=tuple(ForeignKey((c,), t, ("id",)) for c, t in targets.items()))

    tables = (plain("users"), plain("a", b_id="b", user_id="users"), plain("b", a_id="a", user_id="users"))
    with pytest.raises(DeclarationInvalid, match=r"lead in a circle and never to users\.id: a, b"):
        declare(Schema("s", tables), Privacy("users.id", through={"a": "b_id", "b": "a_id"}))
    found = declare(Schema("s", tables), Privacy("users.id", through={"a": "b_id", "b": "user_id"}))
    assert way(found, "a") == ["b_id->b(id)", "user_id->users(id)"]


def test_a_composite_key_to_the_unit_needs_its_own_column_alone() -> None:
    tables = """\
  users:
    rows: 5
    unique: [[tenant, id]]
    columns: {id: {type: bigint, key: true}, tenant: {type: bigint, generate: {sequence: 1}}}
  orders:
    rows: 5
    foreign_keys: [{columns: [tenant, user_id], references: "users(tenant, id)"}]
    columns: {id: {type: bigint, key: true}, tenant: {type: bigint}, user_id: {type: bigint}}
"""
    found = declared(tables)
    assert way(found, "orders") == ["user_id->users(id)"]
    assert found.facts["orders", "user_id"].identifies
    assert not found.facts["orders", "tenant"].identifies


def test_two_keys_of_which_one_says_all_that_the_other_says_are_one_way() -> None:
    schema = parse_schema(f"schema: s\ntables:\n{table('users', 'tenant: {type: bigint, generate: {sequence: 1}}')}{ORDERS}", "s.yaml")
    users, orders = schema.tables
    number = Column("tenant", SqlType("bigint"))
    both = ForeignKey(("tenant", "user_id"), "users", ("tenant", "id"))
    orders = replace(orders, columns=(*orders.columns, number), foreign_keys=(both, *orders.foreign_keys))
    assert way(declare(replace(schema, tables=(users, orders)), Privacy("users.id")), "orders") == ["user_id->users(id)"]


def test_a_reference_to_another_unique_column_of_the_unit_is_a_way() -> None:
    users = table("users", "email: {type: text, unique: true, generate: person.email}")
    found = declared(users + table("logins", "email: {references: users.email}"))
    assert way(found, "logins") == ["email->users(email)"]


def test_names_with_dots_are_told_apart() -> None:
    found = declared('  "app.users":\n    rows: 5\n    columns: {"id.x": {type: bigint, key: true}}\n', '{unit: "app.users.id.x"}')
    assert (found.unit_table, found.unit_column) == ("app.users", "id.x")
    assert found.facts["app.users", "id.x"].identifies


# How many rows


def test_a_unit_has_one_row_where_keys_say_so() -> None:
    profiles = table("profiles", "user_id: {references: users.id, unique: true}") + table(
        "photos", "profile_id: {references: profiles.id, unique: true}"
    )
    found = declared(USERS + profiles + ORDERS)
    for name in ("users", "profiles", "photos"):
        reach = found.reach(name)
        assert reach is not None
        assert (reach.rows, reach.structural) == (1, True)
    reach = found.reach("orders")
    assert reach is not None
    assert (reach.rows, reach.structural) == (None, False)


def test_declared_contributions_hold_below_too_where_keys_are_unique() -> None:
    tables = (
        USERS
        + ORDERS
        + table("receipts", "order_id: {references: orders.id, unique: true}")
        + table("items", "order_id: {references: orders.id}")
    )
    found = declared(tables, "{unit: users.id, contributions: {orders: 50}}")
    assert {name: (reach.rows, reach.structural) for name, reach in found.reaches.items()} == {
        "users": (1, True), "orders": (50, False), "receipts": (50, False), "items": (None, False),
    }  # fmt: skip


# What cannot be declared


@pytest.mark.parametrize(
    ("privacy", "problem"),
    [
        ("{unit: users.id, public: [orders]}", "table 'orders' is said to be public, and by 'user_id' its rows belong to units"),
        ("{unit: users.id, public: [users]}", "table 'users' holds the units, so it cannot be public"),
        ("{unit: users.id, public: [plans], contributions: {plans: 3}}", "table 'plans' is public, so that no unit has rows in it"),
        ("{unit: users.id, contributions: {users: 3}}", "table 'users' holds the units themselves: each has one row there, and there is no way to choose"),
        ("{unit: users.id, contributions: {plans: 3}}", "contributions of 'plans': its rows belong to no unit, since no reference leads from it to users.id"),
        ("{unit: users.id, through: {orders: plan_id}}", "through: {orders: plan_id} names no reference that leads to users.id; those that do are 'user_id'"),
        ("{unit: users.id, through: {plans: id}}", "through: {plans: id} names no reference that leads to users.id; none of that table does"),
        ("{unit: users.id, columns: {users.gross: {bounds: [0, 9]}}}", "there is no stored column 'users.gross'; what is hidden or computed cannot be asked for"),
        ("{unit: users.id, columns: {users.draft: {bounds: [0, 9]}}}", "there is no stored column 'users.draft'; what is hidden or computed cannot be asked for"),
    ],
)  # fmt: skip
def test_what_contradicts_the_schema_is_refused(privacy: str, problem: str) -> None:
    users = table("users", "net: {type: integer, generate: {uniform: [0, 9]}}", "gross: {type: integer, computed: net * 2}",
                  "draft: {type: integer, hidden: true, generate: {uniform: [0, 9]}}")  # fmt: skip
    orders = table("orders", "user_id: {references: users.id}", "plan_id: {references: plans.id}")
    assert problem in refused(table("plans") + users + orders, privacy)


def test_all_that_is_wrong_is_told_at_once() -> None:
    schema = parse_schema(f"schema: s\ntables:\n{USERS}{ORDERS}", "s.yaml")
    columns = {"orders.totl": ColumnPrivacy((0, 1)), "orders.id": ColumnPrivacy((5, 1))}
    with pytest.raises(DeclarationInvalid) as raised:
        declare(schema, Privacy("users.idd", ("order",), columns=columns, groups=0))
    assert len(str(raised.value).splitlines()) == 4
    assert "did you mean 'users.id'?" in str(raised.value)
    with pytest.raises(DeclarationInvalid, match="bounds of 'orders.id': the lower bound 5 is above the upper one 1"):
        declare(schema, Privacy("users.id", columns={"orders.id": ColumnPrivacy((5, 1))}))


def test_a_schema_that_says_nothing_of_privacy_is_refused_with_what_to_do() -> None:
    with pytest.raises(DeclarationInvalid, match="add `privacy: .*dp suggest"):
        declare(parse_schema(f"schema: s\ntables:\n{USERS}", "s.yaml"))


# The facts of columns


def test_a_column_has_no_bounds_by_its_type_alone() -> None:
    for column in ("{type: smallint, generate: {uniform: [1, 9]}}", '{type: "numeric(4,1)", generate: {uniform: [1, 9]}}'):
        assert not facts_of(column).bounded
        assert facts_of(column).values is None


def test_declared_bounds_are_exact() -> None:
    found = facts_of('{type: "numeric(6,2)", generate: {uniform: [1, 9]}}', "{bounds: [-0.10, 99.5]}")
    assert (found.lo, found.hi, found.step) == (Fraction(-1, 10), Fraction(199, 2), Fraction(1, 100))


def test_no_digit_of_a_number_is_lost() -> None:
    long = Decimal("-12345678901234567890123456789.123456789")
    assert literal(constant(Fraction(long)), "duckdb") == f"({long})"
    assert _decimals([Fraction(long)], Fraction(1, 10**9)).to_pylist() == [long]
    assert group_key([long]) != group_key([Decimal("-12345678901234567890123456789.123456788")])
    assert declared_values([str(long)], SqlType("numeric", 38, 9)) == (long,)
    with pytest.raises(ValueError, match="more than 8 decimals"):
        declared_values([str(long)], SqlType("numeric", 38, 8))


def test_whole_numbers_between_bounds_are_a_closed_list() -> None:
    assert facts_of("{type: integer, generate: {uniform: [1, 9]}}", "{bounds: [-1, 2]}").values == (-1, 0, 1, 2)
    assert len(facts_of("{type: integer, generate: {uniform: [1, 9]}}", "{bounds: [1, 10_000]}").values or ()) == 10_000
    assert facts_of("{type: integer, generate: {uniform: [1, 9]}}", "{bounds: [0, 10_000]}").values is None


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=6), st.decimals(0, 10**9, allow_nan=False, places=6))
def test_floating_point_values_lie_on_a_grid_of_a_power_of_two_with_at_most_two_to_the_forty_steps(low: object, width: object) -> None:
    schema = parse_schema(f"schema: s\ntables:\n{table('users', 'c: {type: double, generate: {uniform: [0, 1]}}')}", "s.yaml")
    bounds = (low, low + width)  # type: ignore[operator]
    found = declare(schema, Privacy("users.id", columns={"users.c": ColumnPrivacy(bounds)})).facts["users", "c"]
    assert found.step is not None
    assert {found.step.numerator & (found.step.numerator - 1), found.step.denominator & (found.step.denominator - 1)} == {0}
    steps = Fraction(found.hi - found.lo) / found.step  # type: ignore[operator, arg-type]
    assert steps <= FLOAT_STEPS
    assert not steps or steps > FLOAT_STEPS // 2


def test_checks_close_and_bound_columns() -> None:
    assert facts_of("{type: text, check: \"c IN ('a', 'b')\", generate: {choice: [a, b]}}").values == ("a", "b")
    assert facts_of('{type: integer, check: "c IN (1, 5)", generate: {choice: [1, 5]}}').values == (1, 5)
    found = facts_of('{type: integer, check: "c BETWEEN 0 AND 120", generate: {uniform: [1, 9]}}')
    assert (found.lo, found.hi) == (0, 120)
    found = facts_of('{type: double, check: "c >= 0 AND c <= 0.5", generate: {uniform: [0, 0.5]}}')
    assert (found.lo, found.hi) == (0, Fraction(1, 2))
    found = facts_of("{type: date, check: \"c BETWEEN '2020-01-01' AND '2021-01-01'\", generate: {between: [2020-01-01, 2021-01-01]}}")
    assert (found.lo, found.hi) == (datetime.date(2020, 1, 1), datetime.date(2021, 1, 1))
    assert not facts_of('{type: integer, check: "c >= 0", generate: {uniform: [1, 9]}}').bounded


def test_what_is_declared_goes_before_checks() -> None:
    column = '{type: integer, check: "c BETWEEN 0 AND 120", generate: {uniform: [1, 9]}}'
    assert facts_of(column, "{bounds: [18, 90]}").hi == 90
    assert facts_of(column, "{values: [1, 2]}").values == (1, 2)
    assert (facts_of(column, "{values: [7, 2]}").lo, facts_of(column, "{values: [7, 2]}").hi) == (2, 7)


def test_truths_and_enums_are_closed_by_their_types() -> None:
    assert facts_of("{type: boolean, generate: {boolean: 0.5}}").values == (False, True)
    assert facts_of("{type: {enum: [b, a]}, generate: {choice: [a, b]}}").values == ("b", "a")


def test_ids_of_units_are_no_keys_whatever_is_declared_of_them() -> None:
    tables = (
        table("users", "invited_by: {references: users.id, acyclic: true, null: 0.5}")
        + """\
  accounts:
    rows: 5
    columns: {user_id: {references: users.id, key: true}, n: {type: integer, generate: {uniform: [1, 9]}}}
  orders:
    rows: 5
    columns: {id: {type: bigint, key: true}, account: {references: accounts.user_id}}
"""
    )
    found = declared(tables, "{unit: users.id, columns: {users.id: {bounds: [1, 100]}, users.invited_by: {values: [1, 2]}}}")
    for place in (("users", "id"), ("users", "invited_by"), ("accounts", "user_id"), ("orders", "account")):
        assert found.facts[place].identifies
        assert found.facts[place].values is None
        assert found.facts[place].table is None
    assert not found.facts["accounts", "n"].identifies


def test_public_tables_close_the_references_to_them_and_their_own_columns() -> None:
    plans = table("plans", "kind: {type: text, generate: {choice: [a, b]}}", "price: {type: double, generate: {uniform: [1, 2]}}")
    found = declared(plans + table("users", "plan_id: {references: plans.id, null: 0.5}"), "{unit: users.id, public: [plans]}")
    homes = {place: (facts.table, facts.table_column) for place, facts in found.facts.items()}
    assert homes == {
        ("plans", "id"): ("plans", "id"), ("plans", "kind"): ("plans", "kind"), ("plans", "price"): (None, None),
        ("users", "id"): (None, None), ("users", "plan_id"): ("plans", "id"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["companyos", "tpch"])
def test_the_built_in_schemas_can_be_asked(name: str) -> None:
    schema = read_schema(name)
    found = declare(schema)
    assert found.budget is not None
    assert found.reaches
    assert found.facts.keys() == {(t.name, c.name) for t in schema.tables for c in t.stored_columns}
