"""What people wrote into a schema and a policy stands in the bundle, and so must tell of nobody."""

from __future__ import annotations

import json

import pytest

import bundles
from masking import MaskedSource, parse_policy
from masking.errors import Survivors
from masking.keys import MaskingKey
from tests.masking.memory_source import MemorySource

SCHEMA = """
schema: shop
tables:
  users:
    rows: 40
    columns:
      id: {type: bigint, key: true}
      email: {type: text, generate: person.email, default: "'walter.hidden@secret.example'", comment: "ask Walter Hidden"}
      role: {type: text, generate: company.name, default: "'guest'"}
      internal: {type: boolean, computed: "email = 'walter.hidden@secret.example'"}
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
    rows.append({"id": 5_000_011, "email": "walter.hidden@secret.example", "role": "guest"})
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
        assert b"walter" not in raw
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
