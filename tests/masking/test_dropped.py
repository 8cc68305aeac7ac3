"""What a policy drops is looked for all the same."""

from __future__ import annotations

import sqlite3

import pytest

import bundles
from masking import MaskedSource, open_source, parse_policy, policy_yaml
from masking.errors import Survivors
from masking.keys import MaskingKey
from tests.masking.memory_source import MemorySource

SCHEMA = """
schema: shop
tables:
  users:
    rows: 60
    columns:
      id: {type: bigint, key: true}
      email: {type: text, generate: person.email}
  log:
    rows: 60
    columns:
      id: {type: bigint, key: true}
      line: {type: text, generate: company.name}
"""
POLICY = """
policy: shop
tables:
  users: %s
  log:
    columns:
      id: {class: public, mask: keep}
      line: {class: public, mask: keep}
"""
COLUMN = "{columns: {id: {class: public, mask: keep}, email: %s}}"
KEY = MaskingKey(bytes(range(32)), "env")


def masked(users: str, line: str) -> MaskedSource:
    emails = [f"anna.{i}.weber@mail{i}.example" for i in range(60)]
    source = MemorySource.of(
        SCHEMA,
        users=[{"id": i, "email": email} for i, email in enumerate(emails)],
        log=[{"id": i, "line": line.format(email)} for i, email in enumerate(emails)],
    )
    made = MaskedSource(source, parse_policy(POLICY % users), KEY)
    made.prepare()
    return made


@pytest.mark.parametrize("users", ["drop", COLUMN % "drop", COLUMN % "{class: direct, entity: email, mask: drop}"])
def test_a_dropped_value_that_stands_elsewhere_stops_the_bundle(users: str, tmp_path) -> None:
    with pytest.raises(Survivors, match=r"log\.line: 60 values of users\.email"):
        bundles.build(masked(users, "mail to {} sent"), store=tmp_path)


def test_a_dropped_table_that_stands_nowhere_else_is_just_gone(tmp_path) -> None:
    built = bundles.build(masked("drop", "mail sent"), store=tmp_path)
    assert [t.name for t in built.schema.tables] == ["log"]
    assert built.provenance["certificate"]["scan"]["values"] >= 60


def test_a_dropped_column_is_written_as_it_was_read() -> None:
    policy = parse_policy(POLICY % COLUMN % "drop")
    assert parse_policy(policy_yaml(policy)) == policy


def test_a_dropped_column_may_hold_what_cannot_be_carried(tmp_path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE users (id integer PRIMARY KEY, email text, birthday date)")
        database.executemany("INSERT INTO users VALUES (?, ?, 'no day')", [(i, f"anna.{i}.weber@mail{i}.example") for i in range(60)])
    policy = (
        POLICY.partition("  log:")[0] % "{columns: {id: {class: public, mask: keep}, email: {class: direct, mask: email}, birthday: drop}}"
    )
    with open_source(f"sqlite:///{tmp_path}/shop.db") as source:
        made = MaskedSource(source, parse_policy(policy), KEY)
        made.prepare()
        built = bundles.build(made, store=tmp_path / "store")
    assert [c.name for c in built.schema.table("users").columns] == ["id", "email"]
