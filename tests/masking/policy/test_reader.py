"""Policies are read whole or refused whole, with every problem at its place, and written so that they read back the same."""

from __future__ import annotations

import pytest

from masking.errors import PolicyInvalid
from masking.policy.model import Step, VirtualReference
from masking.policy.reader import parse_policy, read_policy
from masking.policy.writer import policy_yaml
from schemas.errors import InputError

POLICY = """
policy: crm
key: env:MASKING_KEY
tables:
  users:
    subject: id
    columns:
      id: {class: direct, entity: person_id, type: bigint, mask: {hash: {form: integer}}}
      email: {class: direct, entity: email, mask: {email: {keep: domain}}, confidence: 0.99, evidence: ["500 of 500 values: e-mail", "name"]}
      born: {class: quasi, mask: {truncate: year}}
      settings:
        class: free_text
        paths: {$.contact.email: {class: direct, entity: email, mask: email}, "$.tags[*]": {class: public, mask: keep}}
        rest: redact
      salary: {class: sensitive, mask: {noise: {spread: 0.1}}, when: "country = 'DE'", else: keep}
      legacy: drop
  sales.audit_log: drop
references:
  - {from: comments.author_id, to: users.id, when: "author_type = 'user'"}
  - {from: "events.payload$.user.id", to: users.id}
  - {from: "sales.lines.(tenant, no)", to: "sales.orders.(tenant, no)"}
subset: {root: users, percent: 5}
proof: {survivors: 2, common_words: false}
"""


def problems_of(text: str) -> str:
    with pytest.raises(PolicyInvalid) as caught:
        parse_policy(text, "p.yaml")
    return str(caught.value)


def test_a_policy_is_read_as_it_reads() -> None:
    policy = parse_policy(POLICY)
    users = policy.tables["users"]
    assert users.subject == ("id",)
    assert users.columns["email"].mask == Step("email", {"keep": "domain"})
    assert users.columns["born"].mask == Step("truncate", "year")
    assert users.columns["settings"].rest == Step("redact")
    assert users.columns["settings"].paths["$.tags[*]"].klass == "public"
    assert users.columns["salary"].otherwise == Step("keep")
    assert users.columns["legacy"].mask == Step("drop")
    assert policy.tables["sales.audit_log"].drop
    assert policy.references[0] == VirtualReference("comments", ("author_id",), "users", ("id",), None, "author_type = 'user'")
    assert policy.references[1] == VirtualReference("events", ("payload",), "users", ("id",), "$.user.id")
    assert policy.references[2] == VirtualReference("sales.lines", ("tenant", "no"), "sales.orders", ("tenant", "no"))
    assert policy.proof.survivors == 2
    assert not policy.proof.common_words


def test_a_written_policy_reads_back_the_same() -> None:
    policy = parse_policy(POLICY)
    written = policy_yaml(policy, {(): ["reviewed by nobody"], ("users", "email"): ["the address\nthat people log in with"]})
    assert "# reviewed by nobody" in written
    assert parse_policy(written) == policy


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("a: {class: quasy, mask: keep}", "p.yaml:5:18: unknown class 'quasy'"),
        ("a: {class: quasi}", "column 'u.a' needs `mask:`"),
        ("a: {mask: keep}", "column 'u.a' needs `class:`"),
        ("a: {class: quasi, mask: keep, when: x > 1}", "`when:` and `else:` go together"),
        ("a: {class: quasi, mask: keep, els: keep}", "unknown key 'els' in column 'u.a'; did you mean 'else'?"),
        ("a: {class: quasi, mask: {a: 1, b: 2}}", "must be one transformer"),
        ("a: {class: quasi, mask: [keep]}", "mask of column 'u.a' must be a mapping, not a list"),
        ("a: {class: direct, entity: e-mail, mask: keep}", "unknown entity 'e-mail'; did you mean 'email'?"),
        ("a: {class: free_text, paths: {x: {class: public, mask: keep}}, rest: redact}", "a path begins with `$`"),
        ("a: {class: free_text, paths: {$.x: {class: public, mask: keep}}}", "needs `rest:`"),
        ("a: {class: free_text, paths: {$.x: {class: public, mask: keep}}, rest: redact, mask: keep}", "`mask:` has no place"),
        ("a: {class: quasi, mask: keep, confidence: 1.5}", "confidence must lie between 0 and 1"),
        ("a: dropp", "column 'u.a' must be a mapping"),
    ],
)
def test_what_is_wrong_in_a_column_is_said_at_its_place(columns: str, message: str) -> None:
    assert message in problems_of(f"policy: x\ntables:\n  u:\n    columns:\n      {columns}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policy: x", "a policy needs `tables:`"),
        ("tables: {}", "a policy needs `policy:`"),
        ("policy: x\ntables: {u: {}}", "table 'u' needs `columns:`"),
        ("policy: x\ntables: {u: gone}", "table 'u' must be `drop` or a mapping"),
        ("policy: x\ntables: {}\nreferences: [{from: a.b}]", "a reference needs `from: table.column` and `to: table.column`"),
        ("policy: x\ntables: {}\nreferences: [{from: a, to: b.c}]", "must name a table and a column"),
        ("policy: x\ntables: {}\nreferences: [{from: 'a.(x, y)', to: b.c}]", "a reference from 2 columns to 1 is none"),
        ("policy: x\ntables: {}\nreferences: [{from: a.b, to: 'b.c$.d'}]", "a reference goes to columns, not into JSON"),
        ("policy: x\ntables: {}\nproof: {survivors: -1}", "survivors must be at least 0"),
        ("policy: [", "this is not YAML"),
        ("", "the file is empty; a policy begins with `policy: <name>`"),
    ],
)
def test_what_is_wrong_elsewhere_is_said(text: str, message: str) -> None:
    assert message in problems_of(text)


def test_all_problems_are_told_at_once() -> None:
    said = problems_of("policy: x\ntables:\n  u:\n    columns:\n      a: {class: quasi}\n      b: {class: nope, mask: keep}\n  v: gone\n")
    assert len(said.splitlines()) == 3


def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path) -> None:
    with pytest.raises(InputError, match="the policy cannot be read"):
        read_policy(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"policy: caf\xe9")
    with pytest.raises(InputError, match="not UTF-8"):
        read_policy(tmp_path / "latin.yaml")
