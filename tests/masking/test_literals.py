"""What people wrote into a schema and a policy stands in the bundle, and so must tell of nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pytest

import bundles
from masking import MaskedSource, parse_policy
from masking.errors import Survivors
from masking.keys import MaskingKey
from masking.known import KnownPlace, KnownValues
from masking.literals import holds_a_person, places_of_persons, require_no_person
from masking.output_schema import output_schema
from masking.proof import column_entries, examined, scan
from schemas import parse_schema
from schemas.model import Check, ForeignKey, Index, Unique
from tests.masking.memory_source import MemorySource

SCHEMA = """
schema: shop
tables:
  users:
    rows: 40
    columns:
      id: {type: bigint, key: true}
      email: {type: text, generate: person.email, default: "'quendolin.hidden@secret.example'", comment: "ask Quendolin Hidden"}
      role: {type: text, generate: company.name, default: "'guest'"}
      internal: {type: boolean, computed: "email = 'quendolin.hidden@secret.example'"}
    checks: ["email <> 'user7@mail.example'", "role <> 'nobody'", "internal or id > 0"]
"""
POLICY = """
policy: shop
tables:
  users:
    columns:
      id: {class: direct, entity: person_id, mask: {hash: {form: integer}}}
      email: {class: direct, entity: email, mask: email%s}
      role: {class: public, mask: keep}
%s
"""
KEY = MaskingKey(bytes(range(32)), "env")


def masked(when: str = "", more: str = "") -> MaskedSource:
    rows = [{"id": 7919 * i + 1_000_003, "email": f"user{i}@mail.example", "role": "guest"} for i in range(40)]
    rows.append({"id": 5_000_011, "email": "quendolin.hidden@secret.example", "role": "guest"})
    made = MaskedSource(MemorySource.of(SCHEMA, users=rows), parse_policy(POLICY % (when, more)), KEY)
    made.prepare()
    return made


def test_the_schema_of_the_bundle_holds_no_value_of_a_person(tmp_path) -> None:
    made = masked()
    assert made.schema.table("users").column("role").default == "'guest'"
    assert [c.sql for c in made.schema.table("users").checks] == ["role <> 'nobody'"]
    assert not made.schema.table("users").has("internal")
    built = bundles.build(made, store=tmp_path)
    for blob in (tmp_path / "blobs/sha256").iterdir():
        raw = blob.read_bytes().lower()
        assert b"quendolin" not in raw
        assert b"user7@mail" not in raw
    said = json.dumps(built.provenance["certificate"]["decisions"])
    assert said.count("a value of a person stands in it") == 3


@pytest.mark.parametrize(
    ("when", "more", "place"),
    [
        (""", when: "email <> 'user7@mail.example'", else: {constant: nobody}""", "", "users.email, when"),
        ("""\n        , when: "role = 'guest'", else: {constant: "user7@mail.example"}""", "", "users.email, else"),
    ],
)
def test_a_policy_that_says_a_value_of_a_person_is_told_where_before_anything_is_masked(when: str, more: str, place: str) -> None:
    with pytest.raises(Survivors) as raised:
        masked(when, more)
    assert place in str(raised.value)
    assert "user7" not in str(raised.value)


def test_limits_and_words_of_other_columns_are_let_through() -> None:
    masked(""", when: "id > 1000003 and role = 'guest'", else: {constant: nobody}""")


def test_names_and_labels_of_a_schema_are_searched_as_well() -> None:
    schema = parse_schema(SCHEMA)
    known = KnownValues(b"a secret of the tests")
    known.add(KnownPlace("users.email", "email"), pa.array(["user7@mail.example"]))
    known.add(KnownPlace("users.name", "person_name"), pa.array(["Walter Hidden"]))
    known.seal()
    policy = parse_policy(POLICY % ("", ""))
    require_no_person(known, policy, replace(schema, tables=tuple(replace(t, checks=()) for t in schema.tables)))
    labelled = replace(schema, enums={"role": ("guest", "user7@mail.example")})
    with pytest.raises(Survivors, match="role, a label of the type"):
        require_no_person(known, policy, labelled)
    (users,) = schema.tables
    named = replace(schema, tables=(users, replace(users, name="letters_of_walter_hidden")))
    with pytest.raises(Survivors, match="the name of table 2") as raised:
        require_no_person(known, policy, named)
    assert "walter" not in str(raised.value)


def test_the_scan_of_a_finished_bundle_searches_its_schema_and_certificate() -> None:
    source = MemorySource.of(SCHEMA, users=[{"id": 7919 * i, "email": f"user{i}@mail.example", "role": "guest"} for i in range(1, 41)])
    made = masked()
    empty = MemorySource(made.schema, {})
    columns = examined(column_entries(parse_policy(POLICY % ("", ""))))
    assert scan(empty, source, columns).passed
    (users,) = made.schema.tables
    leaky = MemorySource(replace(made.schema, tables=(replace(users, checks=(Check("email <> 'user7@mail.example'"),)),)), {})
    report = scan(leaky, source, columns)
    assert not report.passed and report.said == ["users: its checks"] and "user7" not in str(report.document())
    entry = {"table": "users", "column": "email", "parameters": {"constant": "user9@mail.example"}, "evidence": [], "when": None}
    assert scan(empty, source, columns, certificate={"columns": [entry]}).said == ["the certificate: users.email"]
    assert scan(leaky, source, columns, allowed=1).passed


def test_names_of_constraints_and_indexes_that_hold_a_person_are_left_out() -> None:
    schema = parse_schema(SCHEMA)
    (users,) = schema.tables
    named = replace(
        users,
        unique=(Unique(("email",), "uq_user7@mail.example"),),
        foreign_keys=(ForeignKey(("id",), "users", ("id",), "fk_quendolin_hidden"), ForeignKey(("id",), "users", ("id",), "fk_boss")),
        checks=(Check("id > 0", "ban_Quendolin_Hidden"), Check("id < 9", "most")),
        indexes=(Index(("role",), 'ix "Quendolin Hidden"'), Index(("id",), "ix_id")),
    )
    known = KnownValues(b"a secret of the tests")
    known.add(KnownPlace("users.email", "email"), pa.array(["user7@mail.example"]))
    known.add(KnownPlace("users.name", "person_name"), pa.array(["Quendolin Hidden"]))
    known.seal()
    source = replace(schema, tables=(named,))
    policy = parse_policy(POLICY % ("", ""))
    require_no_person(known, policy, source)
    output, said = output_schema(source, policy, holds_a_person=partial(holds_a_person, known))
    (made,) = output.tables
    assert [item.name for item in (*made.unique, *made.foreign_keys, *made.checks, *made.indexes)] == [
        None, None, "fk_boss", None, "most", None, "ix_id",
    ]  # fmt: skip
    assert sum("the name of" in line for line in said) == 4 and "uendolin" not in str(said)
    assert places_of_persons(known, output, {}) == []
    assert "users: the name of a constraint or index" in places_of_persons(known, source, {})
