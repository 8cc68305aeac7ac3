"""A policy must speak of the whole source: what is new is let through by nobody, and one key is masked in one way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from masking.agreement import agree, differences
from masking.errors import PolicyInvalid, PolicyOutdated
from masking.output_schema import output_schema
from masking.policy.model import Policy, VirtualReference
from masking.policy.reader import parse_policy
from masking.references import Place, families
from schemas import parse_schema
from schemas.model import Column, Schema
from schemas.types import SqlType

SCHEMA = parse_schema("""
schema: shop
tables:
  users:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      email: {type: text, unique: true, generate: person.email}
      boss: {references: users.id, null: 0.5}
  orders:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      user_id: {references: users.id}
      total: {type: "numeric(10,2)", generate: {uniform: [0, 9]}}
    checks: [total >= 0]
  notes:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      kind: {type: text, generate: words}
      about: {type: bigint, generate: sequence}
""")

COLUMNS = {
    "users": {
        "id": "{class: direct, mask: {hash: {form: integer}}}",
        "email": "{class: direct, entity: email, mask: email}",
        "boss": "{class: direct, mask: reference}",
    },
    "orders": {
        "id": "{class: public, mask: keep}",
        "user_id": "{class: direct, mask: reference}",
        "total": "{class: public, mask: keep}",
    },
    "notes": {
        "id": "{class: public, mask: keep}",
        "kind": "{class: public, mask: keep}",
        "about": "{class: public, mask: keep}",
    },
}


def policy(changes: dict[str, str | None] | None = None, rest: str = "", schema: Schema = SCHEMA) -> Policy:
    """The policy of all columns, with other treatments for some `table.column` (None: left out), or `drop` for a table."""
    lines = ["policy: shop", "tables:"]
    changes = changes or {}
    for table, columns in COLUMNS.items():
        if table in changes:
            if changes[table]:
                lines.append(f"  {table}: {changes[table]}")
            continue
        lines += [f"  {table}:", "    columns:"]
        for column, said in columns.items():
            treatment = changes.get(f"{table}.{column}", said)
            if treatment is not None:
                lines.append(f"      {column}: {treatment}")
    return parse_policy("\n".join([*lines, rest]), "p.yaml")


def test_a_policy_of_the_whole_source_agrees() -> None:
    family = agree(SCHEMA, policy())
    assert family.root(Place("orders", "user_id")) == Place("users", "id")
    assert family.root(Place("users", "boss")) == Place("users", "id")
    assert differences(SCHEMA, policy()) == []


@pytest.mark.parametrize("left_out", ["users.email", "notes"])
def test_what_the_policy_does_not_know_stops_the_run(left_out: str) -> None:
    with pytest.raises(PolicyOutdated, match=f"{left_out} is in the source and not in the policy") as caught:
        agree(SCHEMA, policy({left_out: None}))
    assert caught.value.exit_code == 1


def test_a_column_of_another_type_than_the_reviewed_one_stops_the_run() -> None:
    with pytest.raises(PolicyOutdated, match=r"orders\.total was text when the policy was written and is numeric\(10,2\) now"):
        agree(SCHEMA, policy({"orders.total": "{class: public, type: text, mask: keep}"}))


@pytest.mark.parametrize(
    ("changes", "rest", "message"),
    [
        (
            {"orders.total": "{class: public, mask: keep}\n      totl: {class: public, mask: keep}"},
            "",
            "'orders.totl': there is no such column; did you mean",
        ),
        ({}, "references: [{from: nots.about, to: users.id}]", "there is no table 'nots'; did you mean 'notes'?"),
        ({}, "references: [{from: notes.abut, to: users.id}]", "'notes.abut': there is no such column; did you mean 'about'?"),
        ({"notes.about": "{class: direct, mask: reference}"}, "", "references none"),
        ({"orders.user_id": "{class: direct, mask: keep}"}, "", "must be masked alike"),
        ({"users": "drop"}, "", "is masked as users.id, which is dropped"),
        ({"users.id": "drop"}, "", "is masked as users.id, which is dropped"),
        ({"users.id": "{class: direct, mask: code, when: id > 3, else: keep}"}, "", "cannot be masked in some rows only"),
    ],
)
def test_what_cannot_be_is_said_at_its_place(changes, rest, message) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        agree(SCHEMA, policy(changes, rest))
    assert message in str(caught.value)
    assert str(caught.value).startswith("p.yaml:")


def test_a_virtual_reference_joins_its_column_to_the_family() -> None:
    about = {"notes.about": "{class: direct, mask: reference}"}
    family = agree(SCHEMA, policy(about, "references: [{from: notes.about, to: users.id}]"))
    assert family.root(Place("notes", "about")) == Place("users", "id")


def test_a_reference_of_some_rows_joins_nothing() -> None:
    references = policy({}, "references: [{from: notes.about, to: users.id, when: \"kind = 'user'\"}]").references
    assert not families(SCHEMA, references).is_member(Place("notes", "about"))


def test_a_cycle_of_references_has_one_root() -> None:
    edges = [VirtualReference("users", ("id",), "orders", ("id",)), VirtualReference("orders", ("id",), "users", ("id",))]
    family = families(SCHEMA, edges)
    assert {family.root(p) for p in (Place("users", "id"), Place("orders", "id"), Place("orders", "user_id"))} == {Place("orders", "id")}


def test_the_output_has_no_columns_by_which_generators_alone_would_go() -> None:
    orders = SCHEMA.table("orders")
    hidden = replace(orders, columns=(*orders.columns, Column("is_total", SqlType("boolean"), hidden=True)))
    source = replace(SCHEMA, tables=tuple(hidden if t is orders else t for t in SCHEMA.tables))
    assert output_schema(source, policy())[0] == output_schema(SCHEMA, policy())[0]


def test_the_output_has_no_trace_of_what_is_dropped() -> None:
    schema, said = output_schema(SCHEMA, policy({"orders.total": "drop", "orders.user_id": "drop", "notes": "drop"}))
    assert [t.name for t in schema.tables] == ["users", "orders"]
    orders = schema.table("orders")
    assert [c.name for c in orders.columns] == ["id"]
    assert not orders.foreign_keys
    assert not orders.checks
    assert any("total >= 0" in line for line in said)
