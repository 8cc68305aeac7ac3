"""No value of a personal column stands in what is returned, whatever the values are."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.masking.classify.tables_of_values import findings, table
from tests.masking.classify.test_documents import shown_in
from tests.masking.classify.test_values import made

NAMES = ("email", "c17", "name", "notes", "status", "phone", "code", "iban", "city", "value", "user_id", "description", "gender")
LETTERS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=4, max_size=30)
KNOWN = st.sampled_from(
    [
        *made("name"),
        *made("email"),
        *made("iban", "de_DE"),
        *made("phone_number"),
        *made("street_address"),
        *made("ssn"),
        *made("city"),
        *made("user_name"),
        *made("job"),
    ]
)


# what the sentences of the evidence are made of is no value, though it may be drawn as one
def _is_word(value: str) -> bool:
    return value.strip().lower() in _WORDS or value.strip().isdigit() or not value.strip(" .,:;-'")


_WORDS = frozenset(("text", "name", "date", "email", "phone", "city", "company", "jobs"))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    values=st.lists(st.one_of(LETTERS, KNOWN), min_size=1, max_size=40),
    kind=st.sampled_from(("text", "json", "array")),
    of_persons=st.booleans(),
)
def test_no_sampled_value_is_in_the_evidence(name: str, values: list[str], kind: str, of_persons: bool) -> None:
    column: list[Any] = values
    if kind == "json":
        column = [json.dumps({"a": v, v: {"b": [v]}}) for v in values]
    elif kind == "array":
        column = [[v, v] for v in values]
    made_table = table("users" if of_persons else "t", {name: {"array": "text[]"}.get(kind, kind)})
    found = findings((made_table, {name: column}))[made_table.name, name]
    shown = shown_in(found)
    if found.personal:
        assert not [v for v in values if len(v.strip()) >= 4 and not _is_word(v) and v in shown]


def test_no_value_of_a_whole_table_of_persons_is_in_the_evidence() -> None:
    values = {
        "id": range(120),
        "nm": made("name"),
        "mail": made("email"),
        "acct": made("iban", "de_DE"),
        "tel": made("phone_number"),
        "memo": made("sentence"),
        "job": made("job"),
    }
    people = table("people", {"id": "bigint", **{c: "text" for c in values if c != "id"}}, key=("id",))
    found = findings((people, values))
    shown = " ".join(shown_in(f) for f in found.values())
    assert all(f.personal for place, f in found.items() if place[1] != "id")
    assert not [v for c, own in values.items() if c != "id" for v in own if len(str(v)) >= 4 and str(v) in shown]
