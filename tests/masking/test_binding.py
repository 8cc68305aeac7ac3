"""Values of one domain are masked alike wherever they stand: in columns, in documents and in texts."""

from __future__ import annotations

import json

import pytest

from masking import MaskedSource, parse_policy
from masking.keys import MaskingKey
from tests.masking.memory_source import MemorySource

SCHEMA = """
schema: crm
tables:
  users:
    rows: 40
    columns:
      id: {type: bigint, key: true}
      email: {type: text, unique: true, generate: person.email}
      login: {type: text, unique: true, generate: person.username}
      log: {type: json, generate: {constant: "{}"}}
      note: {type: text, generate: {constant: x}}
"""
POLICY = """
policy: crm
tables:
  users:
    columns:
      id: {class: public, mask: keep}
      email: {class: direct, entity: email, mask: email}
      login: {class: direct, entity: username, mask: username}
      log:
        class: free_text
        paths:
          $.email: {class: direct, entity: email, mask: email}
          $.by: {class: direct, entity: username, mask: LOGIN}
        rest: redact
      note: {class: free_text, mask: {redact: {by: {email: email}}}}
"""


@pytest.mark.parametrize("login", ["username", "{partial: 2}"])
def test_values_of_a_unique_column_are_masked_alike_within_documents_and_texts(login: str) -> None:
    """And a step that could not mask a unique column may still mask them there."""
    rows = [
        {"id": i, "email": (mail := f"ottoline{i}@mail.example"), "login": (by := f"ofairweather{i}"), "note": f"write to {mail} again"}
        | {"log": json.dumps({"email": mail, "by": by})}
        for i in range(40)
    ]
    made = MaskedSource(
        MemorySource.of(SCHEMA, users=rows), parse_policy(POLICY.replace("LOGIN", login)), MaskingKey(bytes(range(32)), "env")
    )
    made.prepare()
    masked = made.read("users").read_all().to_pylist()
    assert len({row["email"] for row in masked}) == 40
    for row in masked:
        log = json.loads(row["log"])
        assert log["email"] == row["email"] and row["note"] == f"write to {row['email']} again"
        assert log["by"] == row["login"] if login == "username" else "*" in log["by"]
