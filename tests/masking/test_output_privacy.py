"""What a schema says of privacy, and what of it holds of the masked rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from masking.keys import read_key
from masking.masked import MaskedSource
from masking.policy.reader import parse_policy
from masking.proof import column_entries, examined, scan
from schemas import parse_schema
from schemas.errors import InputError
from schemas.model import Schema
from schemas.privacy import Budget, ColumnPrivacy, Privacy
from tests.masking.memory_source import MemorySource

SCHEMA = """
schema: shop
tables:
  plans:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      name: {type: text, generate: {list: [a, b]}}
  users:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      plan_id: {references: plans.id}
      age: {type: integer, generate: {uniform: [1, 9]}}
      sex: {type: text, generate: {list: [f, m]}}
      city: {type: text, generate: address.city}
  orders:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      user_id: {references: users.id}
      giver_id: {references: users.id, null: 0.5}
      total: {type: "numeric(8,2)", generate: {uniform: [1, 9]}}
  lines:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      order_id: {references: orders.id}
privacy:
  unit: users.id
  public: [plans]
  through: {orders: user_id}
  columns:
    users.age: {bounds: [0, 120]}
    users.sex: {values: [f, m]}
    orders.total: {bounds: [0, 1000]}
  contributions: {orders: 50, lines: 200}
  groups: 5
  budget: {epsilon: 3, delta: 1e-6}
"""
POLICY = {
    "plans": {"id": "keep", "name": "keep"},
    "users": {"id": "hash: {form: integer}", "plan_id": "reference", "age": "keep", "sex": "keep", "city": "keep"},
    "orders": {"id": "keep", "user_id": "reference", "giver_id": "reference", "total": "keep"},
    "lines": {"id": "keep", "order_id": "reference"},
}

PERSONAL = """
schema: shop
tables:
  users:
    rows: 40
    columns:
      id: {type: bigint, key: true}
      email: {type: text, generate: person.email}
      phone: {type: bigint, generate: {uniform: [1, 9]}}
      manager: {type: text, null: 0.9, generate: {list: [a, b]}}
      number: {type: bigint, null: 0.9, generate: {uniform: [1, 9]}}
      role: {type: text, generate: {list: [guest, user]}}
privacy:
  unit: users.id
  columns:
    users.manager: {values: [nobody, user7@mail.example]}
    users.number: {bounds: [0, 4915100000007]}
    users.role: {values: [guest, user]}
"""
PERSONAL_POLICY = """
policy: shop
tables:
  users:
    columns:
      id: {class: direct, entity: person_id, mask: {hash: {form: integer}}}
      email: {class: direct, entity: email, mask: email}
      phone: {class: direct, entity: phone, mask: {hash: {form: integer}}}
      manager: {class: public, mask: keep}
      number: {class: public, mask: keep}
      role: {class: public, mask: keep}
"""


def masked(
    changes: dict[str, str] | None = None, rest: str = "", schema: Schema | None = None, privacy: Privacy | None = None
) -> MaskedSource:
    """A source under the policy above, but for `changes`: the masks of columns, and tables that are dropped."""
    lines = ["policy: p", rest, "tables:"]
    for table, columns in POLICY.items():
        if (changes or {}).get(table) == "drop":
            lines.append(f"  {table}: drop")
            continue
        lines.append(f"  {table}:\n    columns:")
        for column, mask in columns.items():
            said = (changes or {}).get(f"{table}.{column}", mask)
            said = f"{{{said}}}" if said.startswith(("hash:", "noise:", "top_bottom:")) else said
            lines.append(f"      {column}: {{class: public, mask: {said}}}")
    source = MemorySource(schema or parse_schema(SCHEMA), {})
    return MaskedSource(source, parse_policy("\n".join(lines)), read_key("ephemeral"), privacy=privacy)


def test_all_of_it_stays_where_the_persons_are_told_apart_as_before() -> None:
    found = masked()
    assert found.schema.privacy == parse_schema(SCHEMA).privacy
    assert found.left_out == ()


def test_bounds_and_values_stay_where_the_values_are_the_columns_own() -> None:
    found = masked({"users.age": "noise: {spread: 3}", "users.sex": "shuffle", "orders.total": "drop"})
    assert found.schema.privacy is not None
    assert found.schema.privacy.columns == {"users.sex": ColumnPrivacy(values=("f", "m"))}
    assert found.left_out == (
        "privacy: the bounds of users.age are left out, since `noise` does not keep the column's range",
        "privacy: the bounds of orders.total are left out, since the column is",
    )


def test_bounds_go_where_only_some_rows_are_masked_into_another_range() -> None:
    for mask in ("{round: {to: 5}}, when: id > 3, else: keep", "keep, when: id > 3, else: {round: {to: 5}}"):
        found = masked({"orders.total": mask})
        assert found.schema.privacy is not None
        assert "orders.total" not in found.schema.privacy.columns


def test_bounds_go_where_a_column_is_made_anonymous() -> None:
    anonymity = "anonymity: [{subject: users.id, quasi_identifiers: [users.age], k: 2}]"
    found = masked({}, anonymity)
    assert found.schema.privacy is not None
    assert "users.age" not in found.schema.privacy.columns
    assert "privacy: the bounds of users.age are left out, since anonymity recodes the column" in found.left_out


def test_nothing_is_said_of_persons_who_are_not_there() -> None:
    """References to a key that is dropped are dropped with it."""
    found = masked({"users.id": "drop", "orders.user_id": "drop", "orders.giver_id": "drop"})
    assert found.schema.privacy is None
    assert "privacy: all of it is left out with the unit users.id" in found.left_out
    found = masked({"users": "drop", "orders.user_id": "drop", "orders.giver_id": "drop"})
    assert found.schema.privacy is None


def test_a_unit_that_becomes_null_is_no_unit() -> None:
    schema = parse_schema(
        SCHEMA.replace("address.city", "address.city, unique: true, null: 0.5").replace("unit: users.id", "unit: users.city")
    )
    assert masked({"users.city": "keep"}, schema=schema).schema.privacy is not None
    found = masked({"users.city": "null"}, schema=schema)
    assert found.schema.privacy is None
    assert found.left_out == ("privacy: all of it is left out, since the unit users.city becomes null",)


def test_a_unit_that_the_source_does_not_keep_unique_is_no_unit() -> None:
    found = masked(privacy=Privacy("users.city", public=("plans",)))
    assert found.schema.privacy is None
    assert found.left_out == ("privacy: all of it is left out, since the unit users.city is not unique there",)


def test_what_hangs_on_a_dropped_table_goes_with_it() -> None:
    found = masked({"orders": "drop", "lines.order_id": "drop", "plans": "drop", "users.plan_id": "keep"})
    privacy = found.schema.privacy
    assert privacy is not None
    assert (privacy.public, privacy.through, privacy.contributions) == ((), {}, {})
    assert (privacy.groups, privacy.budget) == (5, Budget(3.0, 1e-6))
    assert sum(line.startswith("privacy: ") for line in found.left_out) == 5


def test_a_table_of_which_a_subset_takes_some_rows_is_public_no_longer() -> None:
    """Its rows are those that the persons of the subset have."""
    some = masked({}, "subset: {root: users, percent: 10, children: {orders: all}}")
    assert some.schema.privacy is not None
    assert some.schema.privacy.public == ()
    assert "privacy: plans is public no longer, since which of its rows are in the subset depends on persons" in some.left_out
    whole = masked({}, "subset: {root: users, percent: 10, children: {orders: all}, whole: [plans]}")
    assert whole.schema.privacy is not None
    assert whole.schema.privacy.public == ("plans",)


def test_a_database_that_says_nothing_of_privacy_can_be_given_it() -> None:
    schema = parse_schema(SCHEMA)
    found = masked(schema=replace(schema, privacy=None), privacy=schema.privacy)
    assert found.schema.privacy == schema.privacy


@pytest.mark.parametrize(
    ("privacy", "message"),
    [
        (Privacy("user.id"), "there is no column 'user.id' in the source; did you mean 'users.id'?"),
        (Privacy("users.id", public=("plan",)), "there is no table 'plan' in the source; did you mean 'plans'?"),
        (Privacy("users.id", through={"orders": "usr_id"}), "there is no column 'orders.usr_id' in the source"),
        (Privacy("users.id", columns={"users.agee": ColumnPrivacy(bounds=(0, 1))}), "there is no column 'users.agee' in the source"),
    ],
)
def test_privacy_of_another_database_is_refused(privacy: Privacy, message: str) -> None:
    with pytest.raises(InputError) as caught:
        masked(privacy=privacy)
    assert message in str(caught.value)


def test_bounds_that_do_not_fit_the_type_of_the_source_are_left_out() -> None:
    given = Privacy("users.id", columns={"users.age": ColumnPrivacy(bounds=("0.5", "9.5")), "orders.total": ColumnPrivacy(bounds=(1, 2))})
    found = masked(privacy=given)
    assert found.schema.privacy is not None
    assert list(found.schema.privacy.columns) == ["orders.total"]
    assert found.left_out == ("privacy: the bounds of users.age are left out, since they are none of its type in the source, integer",)


def test_what_is_declared_of_columns_tells_of_nobody() -> None:
    """Lists and long bounds that hold a person's value are left out before anything is written; words and short limits stay."""
    rows = [{"id": 7_919 * i, "email": f"user{i}@mail.example", "phone": 4_915_100_000_000 + i, "role": "guest"} for i in range(1, 41)]
    schema = parse_schema(PERSONAL)
    policy = parse_policy(PERSONAL_POLICY)
    made = MaskedSource(MemorySource(schema, {"users": rows}), policy, read_key("ephemeral"))
    made.prepare()
    privacy = made.schema.privacy
    assert privacy is not None
    assert privacy.columns == {"users.role": ColumnPrivacy(values=("guest", "user"))}
    assert [line for line in made.left_out if line.startswith("privacy")] == [
        "privacy: the values of users.manager are left out, since a value of a person stands in them",
        "privacy: the bounds of users.number are left out, since a value of a person stands in them",
    ]
    assert not any("user7" in line or "4915100000007" in line for line in made.left_out)
    finished = MemorySource(replace(made.schema, privacy=schema.privacy), {})
    report = scan(finished, MemorySource(schema, {"users": rows}), examined(column_entries(policy)))
    assert not report.passed
    assert report.said == ["privacy: users.manager", "privacy: users.number"]
