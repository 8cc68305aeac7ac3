"""When rows exist: what a file says of it, what is told from columns, and what is wrong."""

from __future__ import annotations

import pytest

from schemas.document import from_document, to_document
from schemas.errors import SchemaError
from schemas.lives import lives_of
from schemas.model import Lives
from schemas.reader import parse_schema
from schemas.writer import to_yaml

TABLE = """schema: s
tables:
  t:
    rows: 1
    columns:
      id:      {type: int, key: true}
      born_on: {type: date, null: 0.1, generate: {between: [-9y, now]}}
      name:    {type: text, generate: words}
      plan_on: {type: date, ever: true, generate: {between: [now, 1y]}}
      at:      {type: timestamptz, generate: {between: [-1y, now]}}
      later:   {type: timestamptz, null: 0.5, generate: {after: at, within: 1y}}
      boss:    {references: t.id, null: 0.5}
"""


def of(lives: str = "", more: str = "") -> str:
    return TABLE.replace("    rows: 1\n", f"    rows: 1\n{f'    lives: {lives}' if lives else ''}\n") + more


@pytest.mark.parametrize(
    ("lives", "expected"),
    [
        ("", Lives("at")),
        ("{until: later}", Lives("at", "later")),
        ("{from: born_on}", Lives("born_on")),
        ("{from: born_on, until: later}", Lives("born_on", "later")),
        ("always", Lives()),
    ],
)
def test_rows_live_as_the_file_says_or_from_their_first_event(lives, expected):
    schema = parse_schema(of(lives))
    assert lives_of(schema.table("t")) == expected
    assert parse_schema(to_yaml(schema)) == schema == from_document(to_document(schema))
    assert schema.table("t").column("plan_on").ever


def test_created_at_comes_before_other_events():
    schema = parse_schema(of(more="      created_at: {type: date, generate: {before: at, within: 1y}}\n"))
    assert lives_of(schema.table("t")) == Lives("created_at")


@pytest.mark.parametrize(
    ("lives", "message"),
    [
        ("{from: att}", "5:19: from of lives: table 't' has no column 'att'; did you mean 'at'?"),
        ("{from: name}", "5:12: lives needs a date or time stamp that is generated, and 'name' is text"),
        ("{form: at}", "5:13: unknown key 'form' in lives; did you mean 'from'?"),
        ("{}", "5:12: lives needs `from: <column>`, `until: <column>` or both, or is `always`"),
        ("{from: [at, later]}", "5:19: from of lives is one column, not 2"),
        ("never", "5:12: lives must be a mapping, not 'never'"),
    ],
)
def test_what_is_wrong_is_told_once_and_where(lives, message):
    with pytest.raises(SchemaError) as found:
        parse_schema(of(lives))
    assert str(found.value) == f"schema.yaml:{message}"


@pytest.mark.parametrize(
    ("column", "what"),
    [("two: {references: t.id, ever: true, null: 0}", "'two' is a reference"), ("two: {type: int, computed: id + 1, ever: true}", "'two' is computed by the database")],
)  # fmt: skip
def test_what_follows_from_others_cannot_be_ever(column, what):
    with pytest.raises(SchemaError, match=f"14:7: column {what}, so it cannot be `ever`"):
        parse_schema(of("always", f"      {column}\n"))
