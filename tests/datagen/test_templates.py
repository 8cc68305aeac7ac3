"""Templates: what they write of each type, and that unique ones never repeat."""

from __future__ import annotations

import json

import pytest

from datagen.errors import RecipeError
from tests.datagen.making import source_of

TABLE = """schema: things
seed: 1
anchor: 2026-01-01T00:00:00Z
tables:
  t:
    rows: 2000
    columns:
      id:      {{type: bigint, key: true}}
      small:   {{type: integer, generate: {{uniform: [1, 30]}}}}
      code:    {{type: text, unique: true, generate: {{pattern: "[0-9]{{1,6}}"}}}}
      maybe:   {{type: integer, unique: true, null: 0.5, generate: {{uniform: [1, 9999]}}}}
      name:    {{type: text, generate: {{choice: [a, b-1, "c7"]}}}}
      day:     {{type: date, unique: true, generate: {{between: ["-9000d", now]}}}}
      text:    {{type: text, unique: true, generate: {{template: {template}}}}}
"""


@pytest.mark.parametrize(
    "template",
    [
        "{row}", "x{row}{{", "{row}-{name}", "{name}-{row}", "{small}-{row}-{name}", "{name}-{row}/{small}", "{small}-{row}.{small}", "{small}/{row}/{small}",
        "{row:04}.{name}", "{id:03}x{name}{small}", "{small}-{code}", "{name}+{row}@{small}.example", "{id}",
    ],
)  # fmt: skip
def test_unique_templates_never_repeat(template):
    texts = source_of(TABLE.format(template=json.dumps(template))).read("t").read_all()["text"].to_pylist()
    assert len(set(texts)) == 2000


@pytest.mark.parametrize(
    "template",
    [
        "{row}{small}",
        "{name}-{row}-{small}",
        "{day}-{code}",
        "{small}{row}",
        "{name}-{row}-{name}",
        "{name}{row}",
        "{small}.{row}{small}",
        "{code}-{name}",
        "{row}{name}",
    ],
)
def test_unique_templates_that_may_repeat_are_refused(template):
    with pytest.raises(RecipeError, match="may repeat where values of varying length meet"):
        source_of(TABLE.format(template=json.dumps(template)))


@pytest.mark.parametrize("template", ["{name}", "{maybe}", "{day:%Y}", "{person.email}", "fixed"])
def test_unique_templates_need_what_never_repeats(template):
    with pytest.raises(RecipeError, match="needs {row}, a unique column or all columns of a unique key, none of which is ever null"):
        source_of(TABLE.format(template=json.dumps(template)))


VALUES = """schema: things
seed: 1
anchor: 2026-01-01T00:00:00Z
tables:
  t:
    rows: 1
    columns:
      small: {type: "numeric(18,10)", generate: {constant: 0.0000001337}}
      debit: {type: "numeric(10,2)", generate: {constant: -0.50}}
      span:  {type: interval, generate: {constant: 90500ms}}
      clock: {type: time, generate: {constant: "08:30:00.25"}}
      whole: {type: timestamptz, generate: {constant: "2026-01-01T10:00:00Z"}}
      exact: {type: timestamptz, generate: {constant: "2026-01-01T10:00:00.000015Z"}}
      line:  {type: text, generate: {template: "{small}|{debit}|{span}|{clock}|{whole}|{exact}"}}
      data:  {type: json, generate: {json: {a: {from: small}, b: {from: debit}, c: {from: span}, d: {from: clock}, e: {from: whole}, f: {from: exact}}}}
"""


def test_templates_and_documents_lose_nothing():
    (row,) = source_of(VALUES).read("t").read_all().to_pylist()
    assert row["line"] == "0.0000001337|-0.50|PT90.5S|08:30:00.25|2026-01-01 10:00:00|2026-01-01 10:00:00.000015"
    data = json.loads(row["data"], parse_float=str)
    assert data == {
        "a": "0.0000001337", "b": "-0.5", "c": "PT90.5S", "d": "08:30:00.25", "e": "2026-01-01T10:00:00Z", "f": "2026-01-01T10:00:00.000015Z",
    }  # fmt: skip
