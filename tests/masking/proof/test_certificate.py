"""The certificate: canonical, complete, without time and without raw values."""

from __future__ import annotations

from dataclasses import replace

import pytest
import rfc8785

from masking.errors import KeyInvalid
from masking.keys import MaskingKey, read_key
from masking.policy.reader import parse_policy
from masking.proof import ScanReport, certificate, examined
from masking.proof.certificate import plain, policy_digest, structure_digest
from schemas.errors import InputError
from schemas.model import Column, Rows, Schema, Table
from schemas.types import SqlType

POLICY = """
policy: crm
key: env:MASKING_KEY
tables:
  users:
    subject: id
    columns:
      id:     {class: direct, entity: person_id, mask: {hash: {form: integer}}}
      email:  {class: direct, entity: email, mask: {email: {keep: domain}}, confidence: 0.99, evidence: ["all match"]}
      salary: {class: sensitive, entity: salary, mask: keep}
      prefs:
        class: free_text
        paths: {$.mail: {class: direct, entity: email, mask: email}}
        rest: redact
  audit: drop
proof: {survivors: 2}
"""
KEY = MaskingKey(bytes(range(32)), "env")
SCHEMA = Schema(
    "crm",
    (
        Table(
            "users",
            tuple(Column(c, SqlType(t)) for c, t in (("id", "bigint"), ("email", "text"), ("salary", "bigint"), ("prefs", "json"))),
            Rows(count=9),
        ),
        Table("audit", (Column("what", SqlType("text")),), Rows(count=3)),
    ),
)
REPORT = ScanReport(2, (), (), 10, 5, 100, 1e-6, ())


def made() -> dict[str, object]:
    return certificate(
        parse_policy(POLICY), SCHEMA, replace(SCHEMA, tables=SCHEMA.tables[:1]), KEY, {"users": (9, 4), "audit": (3, 0)}, REPORT,
        kind="postgres", version_of_project="1.2.3", prices=[{"size": 2**80}], pools=[("en_US/city", 3, "ab")],
    )  # fmt: skip


def test_a_certificate_is_canonical_and_the_same_each_time() -> None:
    assert rfc8785.dumps(made()) == rfc8785.dumps(made())


def test_a_certificate_says_what_became_of_every_column_and_path() -> None:
    document = made()
    places = [(c["table"], c["column"], c["path"], c["transformer"]) for c in document["columns"]]
    assert places == [
        ("users", "id", None, "hash"), ("users", "email", None, "email"), ("users", "salary", None, "keep"),
        ("users", "prefs", None, "redact"), ("users", "prefs", "$.mail", "email"), ("users", "prefs", "$", "redact"),
    ]  # fmt: skip
    assert document["tables"][1] == {"table": "audit", "source_rows": 3, "rows": 0, "subject": [], "dropped": True}
    assert {"place": "audit", "what": "dropped", "why": "the policy drops the table"} in document["decisions"]
    assert any(d["what"] == "allowed" for d in document["decisions"])
    assert document["prices"] == [{"size": str(2**80)}]


def test_a_certificate_tells_of_the_key_what_two_bundles_share_and_no_more() -> None:
    key = made()["key"]
    assert key == {"origin": "env", "commitment": KEY.commitment, "ended": key["ended"]}
    assert KEY.secret.hex() not in str(made()) and "MASKING_KEY" not in str(made())
    first, second = read_key("ephemeral"), read_key("ephemeral")
    assert first.commitment != second.commitment
    with pytest.raises(KeyInvalid):
        MaskingKey(b"", "env")


def test_columns_of_a_certificate_are_read_back() -> None:
    columns = {c.name: c for c in examined(made()["columns"])}
    assert {name for name, c in columns.items() if c.sought} == {"users.id", "users.email", "users.salary", "users.prefs$.mail"}
    assert columns["users.salary"].kept == "the policy keeps it"
    with pytest.raises(InputError, match="--policy"):
        examined([{"table": "users"}])


def test_digests_change_with_what_they_are_of_alone() -> None:
    policy = parse_policy(POLICY)
    assert policy_digest(policy) == policy_digest(parse_policy("# a comment\n" + POLICY.replace("all match", "most match")))
    assert policy_digest(policy) != policy_digest(parse_policy(POLICY.replace("keep: domain", "keep: none")))
    assert policy_digest(policy) != policy_digest(parse_policy(POLICY.replace("survivors: 2", "survivors: 3")))
    more_rows = replace(SCHEMA, tables=(replace(SCHEMA.tables[0], rows=Rows(count=10)), SCHEMA.tables[1]))
    assert structure_digest(SCHEMA) == structure_digest(more_rows)
    assert structure_digest(SCHEMA) != structure_digest(replace(SCHEMA, tables=SCHEMA.tables[:1]))


def test_plain_data_is_json() -> None:
    assert plain({1: (1, {2}), "a": 2**53, "b": -(2**60), "c": True, "d": None}) == {
        "1": [1, [2]],
        "a": str(2**53),
        "b": str(-(2**60)),
        "c": True,
        "d": None,
    }
